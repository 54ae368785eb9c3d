"""One operation executed by graphql-core over a session: checked, timed, resolved, and its answer's bytes.

HTTP, plans and caching are the service's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionContext,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLLeafType,
    MiddlewareManager,
    OperationDefinitionNode,
    execute,
)

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.compiler.operation import INTROSPECTION
from fulcrum.graph.errors import ApiError, BadUserInputError, InternalError, LimitExceededError, TimedOutError
from fulcrum.graph.limits import Limits
from fulcrum.graph.ordinary.checking import Check, Checked
from fulcrum.graph.ordinary.demanding import Held
from fulcrum.graph.ordinary.resolving import Resolver
from fulcrum.graph.ordinary.session import Clock, Session, Sessions
from fulcrum.graph.schema import Graph


class Ordinary:
    """Answers operations field by field."""

    def __init__(self, graph: Graph, sessions: Sessions, limits: Limits) -> None:
        self.graph, self.sessions, self.limits = graph, sessions, limits

    async def answer(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        rights: Rights,
    ) -> bytes:
        """The body of the answer to a valid query; `variables` are as they were sent.

        Raises:
            ApiError: it cannot be answered.
        """
        document = DocumentNode(definitions=(operation, *fragments.values()))
        checked = self._checked(document, variables, rights)
        try:
            async with asyncio.timeout(self.limits.statement_seconds), self.sessions.open(rights) as session:
                clock, data = await self._run(session, checked, document, variables)
        except TimeoutError:
            raise TimedOutError(
                "The query took too long.", remedy="Ask for less at once, or for a shorter period."
            ) from None
        if all(node.name.value in INTROSPECTION for node in checked.roots):
            return orjson.dumps({"data": data})
        told = {
            "dataVersion": clock.version,
            "asOf": clock.as_of.isoformat(),
            "cost": {"requested": checked.cost, "limit": self.limits.cost},
        }
        return orjson.dumps({"data": data, "extensions": told})

    async def _run(
        self, session: Session, checked: Checked, document: DocumentNode, variables: Mapping[str, Any]
    ) -> tuple[Clock, Any]:
        await session.set_clock(checked.version, checked.moment, checked.day)
        clock = session.clock
        held = Held(session, checked.demand)
        if checked.cursors and checked.known_at and clock.version != clock.by_time:
            raise BadUserInputError(
                "The cursor belongs to another data version than knownAt.",
                remedy="Page with the knownAt of the first page, or with the cursor alone.",
            )
        data = await self._executed(session, document, variables, held)
        await held.hold()
        return clock, data

    def _checked(self, document: DocumentNode, variables: Mapping[str, Any], rights: Rights) -> Checked:
        context = ExecutionContext.build(self.graph.schema, document, raw_variable_values=dict(variables))
        assert isinstance(context, ExecutionContext)
        root = self.graph.schema.query_type
        assert root is not None
        whole: Any = context.operation
        check = Check(self.graph, rights, context.variable_values, context.collect_subfields)
        checked = check.root(root, context.collect_subfields(root, [whole]))
        if checked.cost > self.limits.cost and not self.limits.is_cost_measured_only:
            raise LimitExceededError(
                f"The query costs {checked.cost}, and {self.limits.cost} is the limit: so many rows could it return.",
                remedy="Ask for smaller pages (first), above all of lists inside lists.",
            )
        return checked

    async def _executed(
        self, session: Session, document: DocumentNode, variables: Mapping[str, Any], held: Held
    ) -> Any:
        running: Any = execute(
            self.graph.schema,
            document,
            variable_values=dict(variables),
            middleware=MiddlewareManager(Resolver(session, held)),
            execution_context_class=_Context,
        )
        result = await _to_its_end(running, session) if isawaitable(running) else running
        if result.errors:
            first = result.errors[0].original_error
            if isinstance(first, ApiError):
                raise first
            raise InternalError(
                "The query could not be answered.", remedy="Tell the request id to the platform team."
            ) from (first or result.errors[0])
        return result.data


async def _to_its_end(running: Awaitable[ExecutionResult], session: Session) -> ExecutionResult:
    """The result of graphql-core's coroutines. They are never cut off: Python warns of each that has not begun.

    Who no longer waits (the time is up, the caller hung up) stops the session instead, and they end by themselves.
    """
    whole = asyncio.ensure_future(running)
    try:
        return await asyncio.shield(whole)
    except asyncio.CancelledError:
        await session.stop()
        await asyncio.wait({whole})
        raise


class _Context(ExecutionContext):
    """graphql-core's execution; leaves come as they are written in JSON, so that all paths write them alike."""

    @staticmethod
    def complete_leaf_value(return_type: GraphQLLeafType, result: Any) -> Any:
        """A scalar, as the resolver gave it; enums and what Strawberry resolved, as their types write them."""
        if isinstance(result, (str, int, list, dict)) and not isinstance(result, bool):
            return result
        return return_type.serialize(result)
