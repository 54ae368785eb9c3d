"""One module per file format: bytes of a landed file in, rows of texts out.

A reader knows nothing of PostgreSQL, of types or of the target: `fulcrum.ingest.rows` types what it
yields by the contract. `interface.py` has the shapes.
"""
