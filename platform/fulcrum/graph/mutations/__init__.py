"""Mutations: what of the quality desk is moved and decided over GraphQL, by the functions that commands and pages call.

One operation is one transaction; nothing that is only read belongs here.
"""
