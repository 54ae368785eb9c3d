"""GraphQL compiled to one SQL statement: declarations, compiler, HTTP application, limits.

The entities themselves are content and stand in `schemas/entities/`.
"""
