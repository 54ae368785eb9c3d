"""References to entities as gateways of Apollo Federation send them, and the keys that may be in one.

A reference is `{__typename, <key field>: <text>}`; the schema of the subgraph is made in
`federation.py`, the SQL in `compiler/references.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fulcrum.graph.declare import Entity, entities
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.relay import Node

ANY = "_Any"
UNION = "_Entity"
FIELD = "_entities"
SERVICE = "_service"

ID = "id"


@dataclass(frozen=True)
class Reference:
    """One row that another subgraph knows by `key`, a field of `entity`."""

    entity: str
    key: str
    value: str

    @property
    def kind(self) -> tuple[str, str]:
        """What of it a plan depends on."""
        return self.entity, self.key


def keys(found: Entity) -> tuple[str, ...]:
    """The GraphQL fields that each name a row of the entity; none: gateways do not know it."""
    return (ID, *found.keys) if issubclass(found.type, Node) else ()


def read_reference(representation: object) -> Reference:
    """Read one representation; of several keys in it the first declared one counts.

    Raises:
        BadUserInputError: it is not an object with a known `__typename` and a text for one of its keys.
    """
    if not isinstance(representation, Mapping):
        raise BadUserInputError("A representation is not an object.", remedy="Send {__typename, id}.")
    name = representation.get("__typename")
    found = entities().get(name) if isinstance(name, str) else None
    known = keys(found) if found is not None else ()
    if found is None or not known:
        raise BadUserInputError("A representation names no entity.", remedy="Correct its `__typename`.")
    for key in known:
        value = representation.get(key)
        if isinstance(value, str):
            return Reference(found.name, key, value)
    raise BadUserInputError(
        f"A representation of {found.name} has no key.", remedy=f"Send one of {', '.join(known)} as a text."
    )
