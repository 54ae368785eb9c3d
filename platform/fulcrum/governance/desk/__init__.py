"""The quality desk: exceptions that are worked, waivers and overrides that are signed, and the audit log.

What rules measure is `fulcrum.quality`; what a decision lets through is published like everything else.
"""
