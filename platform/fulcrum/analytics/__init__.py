"""Numbers computed from the warehouse: which inputs count, and the SQL that values with them.

Statements are built here and run on a connection that the caller opens, commits and closes.
"""
