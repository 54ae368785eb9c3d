"""The entities that product teams query, one file each, and the roots that lead to them.

A field is one line: `name: str | None = column("portfolio_name", "What it is called.")`. The words
are those of `fulcrum.graph.declare`; nothing here knows how a query is compiled.
"""

from schemas.entities.mutation import Mutation
from schemas.entities.query import Query
from schemas.entities.subscription import Subscription

__all__ = ["Mutation", "Query", "Subscription"]
