"""Fulcrum without row-level security, to see what that costs: a role whose policies let everything through.

No scope travels before the statement either. Nothing but the bench may start this.
"""

from __future__ import annotations

from fulcrum.graph import wire
from fulcrum.graph.app import Application
from fulcrum.graph.app import create_app as create_usual_app
from fulcrum.warehouse import server


def create_app() -> Application:
    """The API as the loader."""
    usual = wire.Wire.fetch_row

    def without_scope(self, name, sql, parameters, scope):  # type: ignore[no-untyped-def]
        return usual(self, name, sql, parameters, None)

    wire.Wire.fetch_row = without_scope  # type: ignore[method-assign]
    return create_usual_app(role=server.LOADER_ROLE)
