"""Answers mutations that came by POST: planned, done in a thread, counted like every other operation.

HTTP stands in `fulcrum.graph.http`, the desk's rules in `fulcrum.governance.desk`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import orjson

from fulcrum.entitlements.rights import Permission
from fulcrum.graph.errors import GraphQLApiError
from fulcrum.graph.mutations.planning import plan_mutation
from fulcrum.graph.mutations.running import Running
from fulcrum.graph.service import Answer, GraphService, Request
from fulcrum.settings import Settings


@dataclass(frozen=True)
class Mutations:
    """Does what callers decide."""

    settings: Settings
    service: GraphService

    async def answer(self, request: Request) -> Answer:
        """The answer to a valid mutation, when it is done.

        Raises:
            ApiError: it cannot be done, or may not; nothing of it was.
        """
        plans, graph = self.service.plans, self.service.graph
        parsed = plans.parsed(request.query)
        operation = parsed.operation(request.operation_name)
        try:
            variables, _ = plans.coerced(parsed, operation, request.variables)
        except GraphQLApiError as error:
            raise error.with_suggestions() if request.rights.may(Permission.INTROSPECT) else error from None
        steps = plan_mutation(plans, graph.mutations, operation, parsed.fragments, variables, request.rights)
        self.service.record(request.rights, request.query, request.operation_name, request.variables)
        names = dict.fromkeys(steps.typenames, "Mutation")
        if not steps.steps:
            return Answer(orjson.dumps({"data": names}))
        done = await asyncio.to_thread(Running(self.settings, request.rights, steps).run)
        data = {**names, **done.data}
        told = {
            "dataVersion": done.version,
            "asOf": done.as_of,
            "cost": {"requested": steps.cost, "limit": plans.limits.cost},
        }
        return Answer(orjson.dumps({"data": {key: data[key] for key in steps.keys}, "extensions": told}))
