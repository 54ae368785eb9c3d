"""A subscription as a plan: its events are looked up by number, as `node(id:)` would look them up.

The compiler does the rest, so masks, permissions and limits hold as they do for queries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.compiler.operation import Plan, compile_operation
from fulcrum.graph.compiler.selection import Selections
from fulcrum.graph.compiler.values import Slot, arguments, as_text
from fulcrum.graph.errors import BadUserInputError, LimitExceededError
from fulcrum.graph.live.streams import Stream
from fulcrum.graph.plans import Plans

_EVENT = "__event"  # no client can have a variable of this name


@dataclass(frozen=True)
class Wanted:
    """One subscription: which events, and what of each."""

    stream: Stream
    key: str
    since: int | None
    filters: tuple[str | None, ...]
    """Values of the stream's filters and flags in PostgreSQL's text form; None: not given."""
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def plan(self, plans: Plans, rights: Rights) -> tuple[Plan, bytes]:
        """The plan that shows one event to a caller of this profile, and the name of its statement.

        Raises:
            ApiError: the caller may not see what is asked for, or it is beyond a limit.
        """
        graph = plans.graph
        given = self.variables_of(1)
        plan = compile_operation(graph.schema, graph.bindings, self.operation, self.fragments, given, rights)
        cost = plan.cost.of(given)
        if cost > plans.limits.cost and not plans.limits.is_cost_measured_only:
            raise LimitExceededError(f"An event costs {cost}, and {plans.limits.cost} is the limit.")
        return plan, b"f" + hashlib.sha256((plan.sql or "").encode()).hexdigest()[:32].encode()

    def variables_of(self, number: int) -> Mapping[str, Any]:
        """The variables with which the plan shows the event of this number."""
        return {**self.variables, _EVENT: f"{self.stream.entity}:{number}"}


def read_subscription(
    plans: Plans, streams: Mapping[str, Stream], text: str, operation_name: str | None, variables: Mapping[str, Any]
) -> Wanted | None:
    """What a document subscribes to; None if it is a query.

    Raises:
        ApiError: the text, the variables or the arguments are wrong, or beyond a limit.
    """
    parsed = plans.parsed(text)
    operation = parsed.operation(operation_name)
    if operation.operation is not OperationType.SUBSCRIPTION:
        return None
    coerced, _ = plans.coerced(parsed, operation, variables)
    root = plans.graph.schema.subscription_type
    assert root is not None
    fields = Selections(parsed.fragments, coerced).fields(root, [operation.selection_set])
    if len(fields) != 1:
        raise BadUserInputError("A subscription has one root field.", remedy="Do not leave it out by @skip.")
    ((key, asked),) = fields.items()
    name = asked[0].name.value
    if name not in streams:
        raise BadUserInputError("A subscription asks for events.", remedy=f"Ask for {', '.join(streams)}.")
    given = arguments(root.fields[name], asked[0], coerced)
    declared = streams[name]
    since = given.get(declared.since)
    filters = [_text(given.get(each), coerced) for each in (*declared.filters, *declared.flags)]
    return Wanted(
        declared,
        key,
        None if since is None else int(since.read(coerced)),
        tuple(filters),
        _looking_up(operation, key, asked),
        parsed.fragments,
        coerced,
    )


def _text(value: Any, variables: Mapping[str, Any]) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return as_text(value.read(variables)) if isinstance(value, Slot) else None


def _looking_up(operation: OperationDefinitionNode, key: str, asked: list[FieldNode]) -> OperationDefinitionNode:
    """The subscription as a query of the event whose id is in a variable."""
    by = ArgumentNode(name=NameNode(value="id"), value=VariableNode(name=NameNode(value=_EVENT)))
    fields = tuple(
        FieldNode(
            alias=NameNode(value=key),
            name=NameNode(value="node"),
            arguments=(by,),
            directives=(),
            selection_set=node.selection_set,
        )
        for node in asked
    )
    return OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=(),
        selection_set=SelectionSetNode(selections=fields),
    )
