"""Evidence packs: what a month's numbers and decisions rest on, signed, to be checked on any machine.

What is told of a month is `fulcrum.governance.reports`'; nothing here changes the warehouse.
"""
