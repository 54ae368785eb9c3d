"""The words in which `schemas/entities/mutation.py` declares mutations, and what they are bound to.

What a mutation does stands in `desk.py`; how one is answered, in `planning.py` and `running.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import strawberry
from strawberry.types.base import StrawberryList, StrawberryObjectDefinition, StrawberryOptional
from strawberry.utils.str_converters import to_camel_case

from fulcrum.entitlements.rights import Permission
from fulcrum.governance.desk.policy import DeskPolicy
from fulcrum.graph.declare import METADATA
from fulcrum.graph.lists import argument
from fulcrum.settings import Settings

INPUT = "input"
KEY = "idempotencyKey"
REPEATED = "isRepeated"

Given = Mapping[str, Any]
Changed = Mapping[str, Sequence[int]]
"""Field of the payload -> numbers of the rows that it shows."""


@dataclass(frozen=True)
class Act:
    """One mutation under way: who does it, and the transaction in which it is done."""

    connection: psycopg.Connection[Any]
    settings: Settings
    policy: DeskPolicy
    actor: str
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """Called when the transaction is committed."""


@dataclass(frozen=True)
class Mutation:
    """A root field: its input type, the permission that it needs and the function that does it.

    One that changes published rows `is_of_loader`: it is done under the role that publishes, and an operation
    then holds nothing else, for it has a transaction of its own.
    """

    takes: type
    needs: Permission
    does: Callable[[Act, Given], Changed]
    is_of_loader: bool = False


@dataclass(frozen=True)
class Shown:
    """A field of a payload that shows entities: which, and whether many."""

    entity: str
    is_list: bool


@dataclass(frozen=True)
class BoundMutation:
    """A mutation, and the entities that its payload shows by field."""

    mutation: Mutation
    payload: str
    shows: Mapping[str, Shown]


def mutation(
    description: str,
    *,
    takes: type,
    needs: Permission,
    does: Callable[[Act, Given], Changed],
    is_of_loader: bool = False,
) -> Any:
    """A root field of the mutations."""
    return strawberry.field(
        description=description, metadata={METADATA: Mutation(takes, needs, does, is_of_loader=is_of_loader)}
    )


def bind_mutations(root: type) -> dict[str, BoundMutation]:
    """Give the fields of the root their argument; the mutations by their GraphQL names."""
    definition: StrawberryObjectDefinition = root.__strawberry_definition__  # type: ignore[attr-defined]
    found: dict[str, BoundMutation] = {}
    for each in definition.fields:
        declared: Mutation = each.metadata[METADATA]
        each.arguments = [argument(INPUT, declared.takes, "What is to be done.")]
        payload: Any = each.type
        made: StrawberryObjectDefinition = payload.__strawberry_definition__
        shows = {
            to_camel_case(part.python_name): shown for part in made.fields if (shown := _shown(part.type)) is not None
        }
        found[to_camel_case(each.python_name)] = BoundMutation(declared, made.name, shows)
    return found


def _shown(kind: Any) -> Shown | None:
    inner: Any = kind.of_type if isinstance(kind, StrawberryOptional) else kind
    is_list = isinstance(inner, StrawberryList)
    definition = getattr(inner.of_type if is_list else inner, "__strawberry_definition__", None)
    return None if definition is None else Shown(definition.name, is_list)
