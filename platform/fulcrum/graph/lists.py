"""The GraphQL type of each entity's connection, and the arguments that its fields take.

Made once all entities are bound, because every type needs the filters and aggregates of its entity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from fulcrum.graph.aggregates import Aggregates
from fulcrum.graph.relay import CONNECTION, Edge, PageInfo

_LISTED = "__listed_entity__"
_IN = "Amounts are converted into this currency (ISO 4217) at the rates of their business date."


@strawberry.input(description="A page by its number, for grids.")
class PageInput:
    """A page."""

    number: int = strawberry.field(description="1 is the first; number x size is 10,000 at most.")
    size: int = strawberry.field(description="Rows per page, 1 to 1000.")


@dataclass(frozen=True)
class Lists:
    """What the connections of one entity offer."""

    connection: type
    where: type | None
    order: type | None

    def arguments(self) -> list[StrawberryArgument]:
        """The arguments of a field that gives a connection."""
        made = [
            optional("first", int, "So many from the start, or after `after`; 100 if not given, 1000 at most."),
            optional("after", str, "Cursor of the edge before the first wanted."),
            optional("last", int, "So many from the end, or before `before`; 1000 at most."),
            optional("before", str, "Cursor of the edge after the last wanted."),
            optional("page", PageInput, "A page by its number, instead of first, after, last or before."),
        ]
        if self.where is not None:
            made.append(optional("where", self.where, "Only rows for which this holds."))
        if self.order is not None:
            kind: Any = list[self.order]  # type: ignore[name-defined]
            made.append(optional("order_by", kind, "Orders of the list, the first one first; ties by its own order."))
        return made


def connection_type(entity: Any, aggregates: Aggregates) -> type:
    """The type `<Entity>Connection`."""
    name = entity.__name__
    fields: dict[str, tuple[Any, str]] = {
        "edges": (list[Edge[entity]], "Rows with their cursors."),
        "nodes": (list[entity], "The same rows without cursors."),
        "page_info": (PageInfo, "Where this page lies."),
        "total_count": (int, "Rows in the whole list; counted only when asked for."),
        "aggregate": (aggregates.types["aggregate"], "Numbers of the whole list, not of the page only."),
    }
    if "group" in aggregates.types:
        fields["groups"] = (_list_of(aggregates.types["group"]), "The whole list in groups.")
    said = {key: strawberry.field(description=text) for key, (_, text) in fields.items()}
    annotations = {key: kind for key, (kind, _) in fields.items()}
    made = type(
        f"{name}Connection", (), {"__annotations__": annotations, "__module__": __name__, _LISTED: entity, **said}
    )
    described: Any = strawberry.type(made, description=CONNECTION)
    arguments: Mapping[str, list[StrawberryArgument]] = {
        "aggregate": [optional("in", str, _IN)],
        "groups": _group_arguments(aggregates.types),
    }
    for field in described.__strawberry_definition__.fields:
        field.arguments = arguments.get(field.python_name, [])
    return described  # type: ignore[no-any-return]


def listed_entity(connection: type) -> Any:
    """The entity of a type that `connection_type` made: fields keep theirs when they are bound again."""
    return getattr(connection, _LISTED, None)


def _group_arguments(types: Mapping[str, Any]) -> list[StrawberryArgument]:
    if "group" not in types:
        return []
    return [
        argument("by", _list_of(types["dimension"]), "What rows of one group have in common, 1 to 5 dimensions."),
        optional("first", int, "So many groups, 1000 at most; if not given all, and over 1000 are refused."),
        optional("order_by", _list_of(types["order"]), "Orders of the groups, the first one first; then by key."),
        optional("in", str, _IN),
    ]


def _list_of(kind: Any) -> Any:
    return list[kind]


def argument(name: str, annotation: object, description: str, **options: Any) -> StrawberryArgument:
    """An argument that must be given."""
    return StrawberryArgument(name, None, StrawberryAnnotation(annotation), description=description, **options)


def optional(name: str, annotation: Any, description: str) -> StrawberryArgument:
    """An argument that may be absent or null."""
    return argument(name, annotation | None, description, default=strawberry.UNSET)
