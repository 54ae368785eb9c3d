"""Limits that hold before anything is executed: length, tokens, depth, aliases, root fields, directives.

The statement's time limit is enforced by PostgreSQL, the sizes of what is sent by `http/reading.py`;
how often one client may ask stands in `rates.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from fulcrum.graph.errors import LimitExceededError


@dataclass(frozen=True)
class Limits:
    """How much one operation may ask."""

    body_bytes: int = 1_000_000
    variables_bytes: int = 250_000
    tokens: int = 2_000
    depth: int = 12
    introspection_depth: int = 20
    """GraphiQL's own introspection query is 15 deep."""
    fields: int = 500
    aliases: int = 100
    root_fields: int = 20
    directives: int = 50
    statement_seconds: int = 10
    cost: int = 500_000
    """Rows that an operation could return at most: sizes of pages, multiplied along the nesting."""
    is_cost_measured_only: bool = False
    """Tell the cost and refuse nothing for it."""


@dataclass
class _Measured:
    depth: int = 0
    introspection_depth: int = 0
    fields: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Hold a parsed and validated document (so without fragment cycles) against the limits.

    Raises:
        LimitExceededError: it exceeds one.
    """
    fragments = {found.name.value: found for found in document.definitions if isinstance(found, FragmentDefinitionNode)}
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            measured = _Measured(
                directives=len(operation.directives)
                + sum(len(variable.directives) for variable in operation.variable_definitions)
            )
            _measure(operation.selection_set, fragments, measured, 1, limits, is_introspection=False)
            _hold("levels deep", measured.depth, limits.depth)
            _hold("levels deep", measured.introspection_depth, limits.introspection_depth)


def _measure(
    selected: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    measured: _Measured,
    depth: int,
    limits: Limits,
    *,
    is_introspection: bool,
) -> None:
    for node in selected.selections:
        below: SelectionSetNode | None
        measured.directives += len(node.directives)
        _hold("directives long", measured.directives, limits.directives)
        if isinstance(node, FragmentSpreadNode):
            below, step = fragments[node.name.value].selection_set, 0
        elif isinstance(node, FieldNode):
            measured.fields += 1
            measured.aliases += node.alias is not None
            measured.root_fields += depth == 1
            _hold("root fields wide", measured.root_fields, limits.root_fields)
            _hold("fields long", measured.fields, limits.fields)
            _hold("aliases long", measured.aliases, limits.aliases)
            below, step = node.selection_set, 1
        else:
            assert isinstance(node, InlineFragmentNode)
            below, step = node.selection_set, 0
        is_inside = is_introspection or (isinstance(node, FieldNode) and node.name.value in ("__schema", "__type"))
        if is_inside:
            measured.introspection_depth = max(measured.introspection_depth, depth)
        else:
            measured.depth = max(measured.depth, depth)
        if below is not None:
            _measure(below, fragments, measured, depth + step, limits, is_introspection=is_inside)


def _hold(what: str, measured: int, limit: int) -> None:
    if measured > limit:
        raise LimitExceededError(f"The query is over {limit} {what}.", remedy="Split it, or ask for less at once.")
