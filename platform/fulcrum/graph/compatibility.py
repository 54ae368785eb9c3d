"""Whether a new schema keeps what the released one promised: a deprecated element may go on the day it names.

The reason of `@deprecated` ends its promise with a date, as in `"Use navBase; goes 2026-10-01"`.
What counts as breaking is graphql-core's list.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    NamedTypeNode,
    StringValueNode,
    TypeDefinitionNode,
    Visitor,
    build_ast_schema,
    build_schema,
    find_breaking_changes,
    parse,
    visit,
)

_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def breaking_changes(released: str, current: str, today: dt.date) -> list[str]:
    """What clients of the schema `released` lose with `current`, in sentences; nothing that was due to go by `today`.

    Raises:
        GraphQLError: one of the texts is no schema.
    """
    promised = _without_unused(_without_expired(parse(released, no_location=True), today), build_schema(released))
    found = find_breaking_changes(build_ast_schema(promised), build_schema(current))
    return sorted(change.description for change in found)


def _without_expired(document: DocumentNode, today: dt.date) -> DocumentNode:
    def is_over(node: Any) -> bool:
        return any(_ends(directive, today) for directive in node.directives)

    class Expired(Visitor):
        def enter_field_definition(self, node: Any, *_: Any) -> Any:
            return REMOVE if is_over(node) else None

        enter_input_value_definition = enter_field_definition
        enter_enum_value_definition = enter_field_definition

    left: DocumentNode = visit(document, Expired())
    return left


def _ends(directive: DirectiveNode, today: dt.date) -> bool:
    if directive.name.value != "deprecated":
        return False
    reasons = [given.value.value for given in directive.arguments if isinstance(given.value, StringValueNode)]
    dates = [dt.date.fromisoformat(date) for reason in reasons for date in _DATE.findall(reason)]
    return bool(dates) and max(dates) <= today


def _without_unused(document: DocumentNode, schema: Any) -> DocumentNode:
    """Drop types that only expired elements led to, and those of which nothing is left."""
    roots = {root.name for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root}
    definitions = list(document.definitions)
    while True:
        used = roots | {name for found in definitions for name in _names(found)}
        kept = [found for found in definitions if not isinstance(found, TypeDefinitionNode) or _is_kept(found, used)]
        if len(kept) == len(definitions):
            return DocumentNode(definitions=tuple(kept))
        definitions = kept


def _is_kept(found: Any, used: set[str]) -> bool:
    has_parts = not any(getattr(found, part, None) == () for part in ("fields", "values"))
    return has_parts and (found.name.value in used or bool(getattr(found, "interfaces", ())))


def _names(found: Any) -> set[str]:
    names: set[str] = set()

    class Named(Visitor):
        def enter_named_type(self, node: NamedTypeNode, *_: Any) -> None:
            names.add(node.name.value)

    visit(found, Named())
    return names - {found.name.value} if hasattr(found, "name") else names
