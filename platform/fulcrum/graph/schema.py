"""The GraphQL schema: Strawberry's, made from the declared entities, and its printed form.

The entities and the root are content: they are found under `schemas/entities` of the project.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import strawberry
from graphql import GraphQLSchema
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig

from fulcrum.analytics.policy import ValuationPolicy, load_policy
from fulcrum.graph.binding import Bindings, bind
from fulcrum.graph.federation import FEDERATION_SCALARS, subgraph, with_federation
from fulcrum.graph.scalars import SCALARS
from fulcrum.settings import PROJECT_ROOT, read_settings

ENTITIES = "schemas.entities"


@dataclass(frozen=True)
class Graph:
    """The schema in both forms, and what its fields are bound to."""

    strawberry: strawberry.Schema
    schema: GraphQLSchema
    bindings: Bindings

    def printed(self) -> str:
        """The schema in GraphQL's own language, as it is committed."""
        return print_schema(self.strawberry) + "\n"

    def subgraph(self) -> str:
        """The schema that gateways of Apollo Federation compose."""
        return subgraph(print_schema(self.strawberry))


@cache
def load_graph(project: Path = PROJECT_ROOT) -> Graph:
    """Build the schema of the entities in `project`.

    Raises:
        SettingsError: a declaration contradicts the models.
    """
    if str(project) not in sys.path:  # a service starts anywhere; the entities are content of the project
        sys.path.append(str(project))
    policy = load_policy(read_settings(project=project))
    return build_graph(importlib.import_module(ENTITIES).Query, policy)


def build_graph(query: type, policy: ValuationPolicy) -> Graph:
    """Build the schema whose root is `query`; amounts are converted under `policy`."""
    bindings = bind(query, policy)
    made = strawberry.Schema(
        query=with_federation(query),
        types=[found.type for found in bindings.entities.values()],
        config=StrawberryConfig(scalar_map=SCALARS | FEDERATION_SCALARS),
    )
    core: Any = made._schema
    return Graph(made, core, bindings)
