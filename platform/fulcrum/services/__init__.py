"""The processes of Fulcrum: started, watched and stopped from the command line.

What these processes do belongs in `graph`, `portal` and `orchestration`.
"""
