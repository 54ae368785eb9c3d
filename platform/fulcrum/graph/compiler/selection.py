"""What a selection asks of one object: fields by response key, fragments and directives resolved.

As in section 6.3.2 of the GraphQL specification of October 2021.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
)

from fulcrum.graph.compiler.values import Variables
from fulcrum.graph.references import UNION


@dataclass(frozen=True)
class Selections:
    """The fragments and variables that selections are read with."""

    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Variables

    def fields(self, kind: GraphQLObjectType, sets: Iterable[SelectionSetNode | None]) -> dict[str, list[FieldNode]]:
        """The fields asked of an object of type `kind`, by response key, in order."""
        found: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selected in sets:
            if selected is not None:
                self._collect(kind, selected, found, visited)
        return found

    def below(self, kind: GraphQLObjectType, nodes: Iterable[FieldNode]) -> dict[str, list[FieldNode]]:
        """The fields asked of the object that these (merged) fields give."""
        return self.fields(kind, [node.selection_set for node in nodes])

    def _collect(
        self, kind: GraphQLObjectType, selected: SelectionSetNode, found: dict[str, list[FieldNode]], visited: set[str]
    ) -> None:
        for node in selected.selections:
            if not self._is_wanted(node):
                continue
            if isinstance(node, FieldNode):
                found.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                if condition is None or _matches(kind, condition.name.value):
                    self._collect(kind, node.selection_set, found, visited)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                fragment = self.fragments[node.name.value]
                if _matches(kind, fragment.type_condition.name.value):
                    self._collect(kind, fragment.selection_set, found, visited)

    def _is_wanted(self, node: SelectionNode) -> bool:
        variables = dict(self.variables)
        skip = get_directive_values(GraphQLSkipDirective, node, variables)
        include = get_directive_values(GraphQLIncludeDirective, node, variables)
        return not (skip and skip["if"]) and not (include and not include["if"])


def _matches(kind: GraphQLObjectType, condition: str) -> bool:
    return condition in (kind.name, UNION) or any(interface.name == condition for interface in kind.interfaces)
