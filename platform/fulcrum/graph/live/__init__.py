"""Subscriptions: events by number from tables, woken by notifications, over WebSocket and SSE.

What an event shows is compiled like any query; nothing here decides what a caller may see.
"""
