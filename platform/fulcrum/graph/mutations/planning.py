"""From a valid mutation to its steps: who may do them, what they are told, and how their answers will be read.

A payload is read by our own compiler, as `node(id:)` and `nodes(ids:)` would read it, so masks, permissions and
limits hold for it as they do for queries; all of that is known before anything is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLObjectType,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.values import get_argument_values

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.compiler.masking import refuse_without
from fulcrum.graph.compiler.operation import Plan, compile_operation
from fulcrum.graph.compiler.selection import Selections
from fulcrum.graph.compiler.values import as_text
from fulcrum.graph.errors import BadUserInputError, LimitExceededError
from fulcrum.graph.mutations.words import INPUT, KEY, BoundMutation, Changed, Given, Shown
from fulcrum.graph.plans import Plans

_MOST_LETTERS_OF_KEY = 200


@dataclass(frozen=True)
class Step:
    """One root field: what is done, and what of its payload is shown under which names."""

    key: str
    name: str
    bound: BoundMutation
    given: Given
    idempotency_key: str | None
    asked: tuple[tuple[str, str], ...]
    """Response key and name of the fields of the payload, in their order."""
    plan: Plan
    variables: Mapping[str, Any]

    def values(self, changed: Changed) -> list[str | None]:
        """The values with which the plan shows what was changed."""
        return self.plan.parameters({**self.variables, **_ids(self.bound.shows, changed)})


@dataclass(frozen=True)
class Steps:
    """A whole operation, in the order in which it is done."""

    steps: tuple[Step, ...]
    typenames: tuple[str, ...]
    """Response keys that ask for the name of the root."""
    keys: tuple[str, ...]
    cost: int


def plan_mutation(
    plans: Plans,
    mutations: Mapping[str, BoundMutation],
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
    rights: Rights,
) -> Steps:
    """The steps of a mutation for a caller.

    Raises:
        ForbiddenError: the caller may not do one of them, or not see what it asks for.
        BadUserInputError: an input is wrong.
        LimitExceededError: it asks for more than an operation may.
    """
    root = plans.graph.schema.mutation_type
    assert root is not None
    selections = Selections(fragments, variables)
    fields = selections.fields(root, [operation.selection_set])
    names = {key: asked[0].name.value for key, asked in fields.items()}
    for name in names.values():
        if name in mutations:
            refuse_without(mutations[name].mutation.needs, rights)
    steps = tuple(
        _step(plans, mutations[names[key]], root, key, asked, selections, rights)
        for key, asked in fields.items()
        if names[key] in mutations
    )
    if len(steps) > 1 and any(step.bound.mutation.is_of_loader for step in steps):
        raise BadUserInputError(
            "What changes published rows has an operation of its own.", remedy="Send one operation for each."
        )
    cost = sum(step.plan.cost.of({**step.variables, **_ids(step.bound.shows, {})}) for step in steps)
    if cost > plans.limits.cost and not plans.limits.is_cost_measured_only:
        raise LimitExceededError(f"The mutation's answer costs {cost}, and {plans.limits.cost} is the limit.")
    return Steps(steps, tuple(key for key in fields if names[key] == "__typename"), tuple(fields), cost)


def _step(
    plans: Plans,
    bound: BoundMutation,
    root: GraphQLObjectType,
    key: str,
    asked: list[FieldNode],
    selections: Selections,
    rights: Rights,
) -> Step:
    name = asked[0].name.value
    kind = root.fields[name].args[INPUT].type
    try:
        values = get_argument_values(root.fields[name], asked[0], dict(selections.variables))
    except GraphQLError as error:  # what validation cannot see: one of several keys, by variables that are left out
        raise BadUserInputError(error.message, remedy="Correct the input.") from None
    given = dict(_plain(kind, values[INPUT]))
    idempotency_key = given.pop(KEY, None)
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= _MOST_LETTERS_OF_KEY:
        raise BadUserInputError(f"`{KEY}` has 1 to {_MOST_LETTERS_OF_KEY} letters.", remedy="A UUID will do.")
    payload = plans.graph.schema.type_map[bound.payload]
    assert isinstance(payload, GraphQLObjectType)
    fields = selections.below(payload, asked)
    reading = _reading(bound.shows, fields)
    variables = {**selections.variables, **_ids(bound.shows, {})}
    plan = compile_operation(plans.graph.schema, plans.graph.bindings, reading, selections.fragments, variables, rights)
    shown = tuple((under, nodes[0].name.value) for under, nodes in fields.items())
    return Step(key, name, bound, given, idempotency_key, shown, plan, selections.variables)


def _plain(kind: Any, value: Any) -> Any:
    """An input with enums by their words and texts that PostgreSQL takes."""
    inner = getattr(kind, "of_type", kind)
    if value is None:
        return None
    if isinstance(value, list):
        return [_plain(inner, one) for one in value]
    if isinstance(inner, GraphQLInputObjectType) and isinstance(value, Mapping):
        return {name: _plain(inner.fields[name].type, part) for name, part in value.items()}
    if isinstance(inner, GraphQLEnumType):
        return getattr(value, "value", value)
    if isinstance(value, str):
        as_text(value).encode("utf-8", "surrogatepass")
        return _text(value)
    return value


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadUserInputError("A text is not valid Unicode.", remedy="Remove lone surrogates.") from None
    return value


def _ids(shows: Mapping[str, Shown], changed: Changed) -> dict[str, Any]:
    """The variables that name what a payload shows; of what is not changed yet, one of each."""
    found: dict[str, Any] = {}
    for name, shown in shows.items():
        ids = [f"{shown.entity}:{number}" for number in changed.get(name, (0,))]
        found[_variable(name)] = ids if shown.is_list else ids[0]
    return found


def _variable(name: str) -> str:
    return f"__{name}"  # no client can have a variable of this name


def _reading(shows: Mapping[str, Shown], fields: Mapping[str, Sequence[FieldNode]]) -> OperationDefinitionNode:
    """The query that reads what a payload is asked for."""
    found = []
    for key, nodes in fields.items():
        name = nodes[0].name.value
        if name not in shows:
            continue
        root, by = ("nodes", "ids") if shows[name].is_list else ("node", "id")
        value = VariableNode(name=NameNode(value=_variable(name)))
        found += [
            FieldNode(
                alias=NameNode(value=key),
                name=NameNode(value=root),
                arguments=(ArgumentNode(name=NameNode(value=by), value=value),),
                directives=(),
                selection_set=node.selection_set,
            )
            for node in nodes
        ]
    return OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=None,
        variable_definitions=(),
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(found)),
    )
