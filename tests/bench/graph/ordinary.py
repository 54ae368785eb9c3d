"""Fulcrum with nothing compiled: graphql-core and data loaders answer, as most servers of Strawberry would.

What is measured of it stands in `contenders.py`.
"""

from __future__ import annotations

from fulcrum.graph.app import Application
from fulcrum.graph.app import create_app as create_usual_app
from fulcrum.graph.limits import Limits

PATIENCE = 120
"""Seconds: sixteen deep queries at once take it longer than callers are let wait."""


def create_app() -> Application:
    """The API on its ordinary path alone."""
    return create_usual_app(limits=Limits(statement_seconds=PATIENCE), is_ordinary_only=True)
