"""Feed contracts: what a file of a feed looks like and what its columns mean, read from ODCS v3 YAML.

Reading files by them is `fulcrum.ingest`; judging rows is `fulcrum.quality`.
"""
