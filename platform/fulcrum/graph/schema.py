"""The GraphQL schema: Strawberry's, made from the declared entities, and its printed form.

The entities and the root are content: they are found under `schemas/entities` of the project.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
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
from fulcrum.graph.live.streams import Stream, attach_arguments
from fulcrum.graph.mutations.words import BoundMutation, bind_mutations
from fulcrum.graph.scalars import SCALARS
from fulcrum.settings import PROJECT_ROOT, read_settings

ENTITIES = "schemas.entities"


@dataclass(frozen=True)
class Graph:
    """The schema in both forms, and what its fields are bound to."""

    strawberry: strawberry.Schema
    schema: GraphQLSchema
    bindings: Bindings
    streams: Mapping[str, Stream]
    """Root fields of subscriptions."""
    mutations: Mapping[str, BoundMutation]
    """Root fields of mutations."""

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
    entities = importlib.import_module(ENTITIES)
    return build_graph(entities.Query, policy, entities.Subscription, entities.Mutation)


def build_graph(
    query: type, policy: ValuationPolicy, subscription: type | None = None, mutation: type | None = None
) -> Graph:
    """Build the schema with these roots; amounts are converted under `policy`."""
    streams = {} if subscription is None else attach_arguments(subscription)
    mutations = {} if mutation is None else bind_mutations(mutation)
    bindings = bind(query, policy)
    made = strawberry.Schema(
        query=with_federation(query),
        mutation=mutation,
        subscription=subscription,
        types=[found.type for found in bindings.entities.values()],
        config=StrawberryConfig(scalar_map=SCALARS | FEDERATION_SCALARS),
    )
    core: Any = made._schema
    return Graph(made, core, bindings, streams, mutations)
