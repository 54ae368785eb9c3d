"""What an operation asks of the schema: its fields by the type they stand on, as usage is counted.

Rows that come back are not counted here, and how often an operation runs is `usage.py`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
    get_named_type,
)

from fulcrum.graph.schema import Graph

_MOST_LETTERS = 120
"""Of an operation's name: it is part of a key in the warehouse, and the client chooses it."""


@dataclass(frozen=True, eq=False)
class Requested:
    """One operation of a document with variables of one shape; compared by identity, which is quick."""

    operation_name: str
    document_sha256: str
    fields: frozenset[str]
    """`Type.field`; a field asked of an interface stands under the interface."""


def requested(
    schema: GraphQLSchema,
    text: str,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> Requested:
    """What a validated operation asks for when it runs with these variables."""
    walk = _Walk(schema, fragments, dict(variables), set())
    root = schema.get_root_type(operation.operation)
    if root is not None:
        walk.selection(root, operation.selection_set, set())
    name = operation.name.value[:_MOST_LETTERS] if operation.name else ""
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Requested(name, sha256, frozenset(walk.found))


@dataclass
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    found: set[str]

    def selection(self, kind: GraphQLNamedType, selected: SelectionSetNode, spread: set[tuple[str, str]]) -> None:
        for node in selected.selections:
            if not self._is_wanted(node):
                continue
            if isinstance(node, FieldNode):
                self._field(kind, node, spread)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                self.selection(self._type(condition.name.value) if condition else kind, node.selection_set, spread)
            elif isinstance(node, FragmentSpreadNode) and (node.name.value, kind.name) not in spread:
                spread.add((node.name.value, kind.name))
                fragment = self.fragments[node.name.value]
                self.selection(self._type(fragment.type_condition.name.value), fragment.selection_set, spread)

    def _field(self, kind: GraphQLNamedType, node: FieldNode, spread: set[tuple[str, str]]) -> None:
        name = node.name.value
        if name.startswith("__") or not isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            return
        self.found.add(f"{kind.name}.{name}")
        if node.selection_set is not None:
            self.selection(get_named_type(kind.fields[name].type), node.selection_set, spread)

    def _type(self, name: str) -> GraphQLNamedType:
        return self.schema.type_map[name]

    def _is_wanted(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])


@dataclass(frozen=True)
class Askable:
    """A field that a client may ask for; `aliases` are the names under which interfaces have it."""

    name: str
    aliases: tuple[str, ...]
    deprecation: str | None


def askable(graph: Graph) -> list[Askable]:
    """Every declared field of every object type, and of what mutations and subscriptions answer with.

    What is generated (connections, edges, sums) is left out.
    """
    return [
        Askable(
            f"{kind.name}.{name}",
            tuple(f"{above.name}.{name}" for above in kind.interfaces if name in above.fields),
            field.deprecation_reason,
        )
        for kind in (graph.schema.type_map[declared] for declared in sorted({*graph.bindings.fields, *_acting(graph)}))
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
    ]


def _acting(graph: Graph) -> Iterator[str]:
    """The roots of mutations and subscriptions and the types of their fields: no query is compiled from these."""
    for root in filter(None, (graph.schema.mutation_type, graph.schema.subscription_type)):
        yield root.name
        yield from (get_named_type(field.type).name for field in root.fields.values())
