"""The reference implementation of GraphQL over HTTP finds nothing to fault."""

from __future__ import annotations

from typing import Any

from tests.factories.node_project import NodeProject


def test_every_audit_of_graphql_http_passes(judges: NodeProject, served: Any) -> None:
    found = judges.check("audits", served.url, served.key)
    assert found == {"audits": 61, "failed": []}
