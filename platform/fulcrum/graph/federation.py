"""This API as a subgraph of Apollo Federation 2: the fields that gateways ask, and the schema they compose.

References are read in `references.py` and resolved by the compiler; nothing is executed here.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, NewType

import strawberry
from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DocumentNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    parse,
    parse_const_value,
    print_ast,
)
from graphql.language import ConstArgumentNode, NameNode
from strawberry.annotation import StrawberryAnnotation
from strawberry.printer import print_schema
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.scalar import ScalarDefinition

from fulcrum.graph.binding import TIME
from fulcrum.graph.declare import entities
from fulcrum.graph.references import ANY, FIELD, SERVICE, UNION, keys

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])'
SHARED = ("PageInfo",)
"""Types that other subgraphs with Relay lists have too, with the same meaning."""

Representation = NewType("Representation", object)

FEDERATION_SCALARS: dict[object, ScalarDefinition] = {
    Representation: strawberry.scalar(
        name=ANY, description="A reference to an entity: an object of `__typename` and one of its keys."
    )
}


@strawberry.type(name="_Service", description="This API as a subgraph.")
class Service:
    """What gateways compose."""

    sdl: str = strawberry.field(description="Its schema with the keys of its entities, in GraphQL's own language.")


def with_federation(query: type) -> type:
    """The root `query` with the two fields that gateways ask; every entity must be declared by now."""
    members: list[Any] = [found.type for found in entities().values() if keys(found)]
    described = "Anything that other subgraphs may refer to."
    union: Any = Annotated[reduce(or_, members), strawberry.union(UNION, description=described)]
    found: Any = strawberry.field(
        name=FIELD, description="Entities by their references, in one statement; null where there is none."
    )
    found.arguments = [
        StrawberryArgument(
            "representations",
            None,
            StrawberryAnnotation(list[Representation]),
            description="References, 1000 at most.",
        ),
        *TIME,
    ]
    service = strawberry.field(name=SERVICE, resolver=_service, description="What a gateway composes.")
    definition: StrawberryObjectDefinition = query.__strawberry_definition__  # type: ignore[attr-defined]
    namespace = {
        "__annotations__": {"entities_": list[union | None], "service_": Service},
        "__doc__": query.__doc__,
        "__module__": __name__,
        "entities_": found,
        "service_": service,
    }
    made: type = strawberry.type(type("Query", (query,), namespace), name="Query", description=definition.description)
    return made


def _service(info: strawberry.Info) -> Service:
    return Service(sdl=subgraph(print_schema(info.schema)))


@cache
def subgraph(printed: str) -> str:
    """The schema of the subgraph, from the printed schema of the API."""
    document = parse(printed, no_location=True)
    kept = [_as_in_subgraph(found) for found in document.definitions if not _is_of_gateways(found)]
    return LINK + "\n\n" + print_ast(DocumentNode(definitions=tuple(kept))) + "\n"


def _is_of_gateways(found: DefinitionNode) -> bool:
    return isinstance(found, TypeDefinitionNode) and found.name.value.startswith("_")


def _as_in_subgraph(found: DefinitionNode) -> DefinitionNode:
    if not isinstance(found, ObjectTypeDefinitionNode):
        return found
    name = found.name.value
    if name == "Query":
        found.fields = tuple(field for field in found.fields if not field.name.value.startswith("_"))
    declared = entities().get(name)
    added = [_directive("key", fields=key) for key in keys(declared)] if declared else []
    if name in SHARED:
        added.append(_directive("shareable"))
    found.directives = (*found.directives, *added)
    return found


def _directive(name: str, **arguments: str) -> ConstDirectiveNode:
    return ConstDirectiveNode(
        name=NameNode(value=name),
        arguments=tuple(
            ConstArgumentNode(name=NameNode(value=key), value=parse_const_value(f'"{value}"', no_location=True))
            for key, value in arguments.items()
        ),
    )
