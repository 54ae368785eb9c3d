"""One GraphQL request answered: plan, statement, envelope; PostgreSQL's JSON is not touched.

HTTP stands in `http/`. Nothing in an answer differs between two requests for the same (the request id is
a header), so the same operation at the same version gives the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from graphql import DocumentNode, print_ast

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.entitlements.roles import CAN_BYPASS, refuse_bypass
from fulcrum.graph.caching import STATE, STATE_NAME, is_held, is_published_only, tag_of_bytes, tag_of_version
from fulcrum.graph.compiler.operation import only_introspection
from fulcrum.graph.errors import (
    ApiError,
    BadUserInputError,
    ForbiddenError,
    GraphQLApiError,
    LimitExceededError,
    ValidationFailedError,
)
from fulcrum.graph.limits import Limits
from fulcrum.graph.ordinary.execution import Ordinary
from fulcrum.graph.plans import Planned, Plans
from fulcrum.graph.requested import requested
from fulcrum.graph.schema import Graph
from fulcrum.graph.usage import Usage
from fulcrum.graph.wire import StatementFailedError, Wires
from fulcrum.settings import Settings
from fulcrum.warehouse import server

_log = logging.getLogger("fulcrum.graph")

WIRES = 8
"""Connections per process; more only queue inside PostgreSQL on small machines."""


@dataclass(slots=True)  # frozen ones take three times as long to make, and one is made per request
class Request:
    """What a caller asks; `is_get` where only reading is allowed and a held answer may do."""

    query: str
    operation_name: str | None
    variables: Mapping[str, Any]
    rights: Rights
    is_get: bool = False
    if_none_match: bytes | None = None
    request_id: bytes = b""


@dataclass(slots=True)
class Answer:
    """The JSON of an answer and, for GET, its ETag; no body if the caller holds it already."""

    body: bytes | None
    etag: bytes | None = None


def connecting(
    settings: Settings, limits: Limits, *, role: str = server.API_ROLE
) -> Callable[[], Awaitable[psycopg.AsyncConnection[object]]]:
    """What opens a connection that serves; the server is started if it is ours and does not run."""

    async def connect() -> psycopg.AsyncConnection[object]:
        url = server.ensure_running(settings).url(user=role)
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True, application_name="fulcrum-api")
        # JIT compiles each of dozens of sub-selects (100 ms and more); a generic plan does not depend
        # on the first values seen.
        try:
            for name, value in (
                ("TimeZone", "UTC"),
                ("statement_timeout", f"{limits.statement_seconds}s"),
                ("default_transaction_read_only", "on"),
                ("plan_cache_mode", "force_generic_plan"),
                ("jit", "off"),
            ):
                await connection.execute("select set_config(%s, %s, false)", [name, value])
        except BaseException:  # also a caller who hung up meanwhile
            await connection.close()
            raise
        return connection

    return connect


def open_wires(settings: Settings, limits: Limits, *, role: str = server.API_ROLE) -> Wires:
    """The connections that serve."""
    return Wires(connecting(settings, limits, role=role), WIRES)


class GraphService:
    """Answers requests over some connections.

    What our own compiler fails at is answered by `ordinary`, if there is one; with `is_ordinary_only`
    it answers everything, which is for tests and measurements.
    """

    def __init__(
        self,
        graph: Graph,
        wires: Wires,
        limits: Limits,
        usage: Usage | None = None,
        *,
        ordinary: Ordinary | None = None,
        is_ordinary_only: bool = False,
    ) -> None:
        self.graph = graph
        self.wires = wires
        self.usage = usage
        self.plans = Plans(graph, limits)
        self.ordinary = ordinary
        self.is_ordinary_only = is_ordinary_only

    async def refuse_unsafe_role(self) -> None:
        """Refuse to serve as a role that could see past the policies.

        Raises:
            UnsafeRoleError: it could.
        """
        role, bypassing = await self.wires.fetch_row(b"can_bypass", CAN_BYPASS.encode(), [])
        refuse_bypass((role or b"").decode(), bypassing.decode() if bypassing else None)

    async def answer(self, request: Request) -> Answer:
        """The answer to a request.

        Raises:
            ApiError: it cannot be answered.
        """
        if self.ordinary is not None and self.is_ordinary_only:
            answer = await self._ordinarily(self.ordinary, request)
            self.record(request.rights, request.query, request.operation_name, request.variables)
            return answer
        try:
            return await self._compiled(request)
        except ApiError as error:
            if self.ordinary is None or not (isinstance(error, StatementFailedError) and error.is_of_text):
                raise
            _log.error("request %s: PostgreSQL refused our statement: %s", request.request_id.decode(), error.text)
        except Exception:
            if self.ordinary is None:
                raise
            _log.exception("request %s could not be compiled", request.request_id.decode())
        return await self._ordinarily(self.ordinary, request)

    async def _ordinarily(self, ordinary: Ordinary, request: Request) -> Answer:
        """The same answer, field by field; introspection, too, which Strawberry answers by itself."""
        try:
            parsed, operation = self.plans.query(request.query, request.operation_name)
            self.plans.coerced(parsed, operation, request.variables)
        except GraphQLApiError as error:
            raise error.with_suggestions() if request.rights.may(Permission.INTROSPECT) else error from None
        body = await ordinary.answer(operation, parsed.fragments, request.variables, request.rights)
        return _compared(body, request) if request.is_get else Answer(body)

    async def _compiled(self, request: Request) -> Answer:
        planned = self._plan(request)
        if self.usage is not None:
            self.usage.count(request.rights.principal, planned.requested)
        if planned.plan.sql is None:
            body = orjson.dumps({"data": await self._introspect(planned)})
            return _compared(body, request) if request.is_get else Answer(body)
        values = encode(planned.plan.parameters(planned.variables))
        if not request.is_get:
            return Answer(await self._run(planned, values, request.rights))
        if planned.plan.introspection or not is_published_only(planned.plan.sql):
            return _compared(await self._run(planned, values, request.rights), request)
        scope = b"%d" % request.rights.scope_id
        state = await self.wires.fetch_row(STATE_NAME, STATE, [scope])
        limit = b"%d" % self.plans.limits.cost  # told in the answer
        etag = tag_of_version(planned.name, values, request.rights, [*state, limit])
        if is_held(etag, request.if_none_match):
            return Answer(None, etag)
        return Answer(await self._run(planned, values, request.rights), etag)

    def record(self, rights: Rights, text: str, operation_name: str | None, variables: Mapping[str, Any]) -> None:
        """Count the use of a valid document that another path than `answer` runs: an export, a subscription."""
        if self.usage is not None:
            parsed = self.plans.parsed(text)
            operation = parsed.operation(operation_name)
            coerced, _ = self.plans.coerced(parsed, operation, variables)
            asked = requested(self.graph.schema, text, operation, parsed.fragments, coerced)
            self.usage.count(rights.principal, asked)

    def _plan(self, request: Request) -> Planned:
        rights = request.rights
        try:
            planned = self.plans.find(request.query, request.operation_name, request.variables, rights)
        except RecursionError:
            raise LimitExceededError("The variables are nested too deeply.") from None
        except GraphQLApiError as error:
            raise error.with_suggestions() if rights.may(Permission.INTROSPECT) else error from None
        if planned.plan.introspection and not rights.may(Permission.INTROSPECT):
            raise ForbiddenError("Your roles may not ask for the schema.", remedy="Read the committed one.")
        return planned

    async def _run(self, planned: Planned, values: list[bytes | None], rights: Rights) -> bytes:
        assert planned.plan.sql is not None
        row = await self.wires.fetch_row(planned.name, planned.plan.sql.encode(), values, scope=rights.scope_id)
        version, by_time, as_of, data = (column or b"null" for column in row)
        if planned.plan.is_pinned_and_dated and version != by_time:
            raise BadUserInputError(
                "The cursor belongs to another data version than knownAt.",
                remedy="Page with the knownAt of the first page, or with the cursor alone.",
            )
        if planned.plan.introspection:
            data = await self._merge(planned, data)
        cost = b'"cost":{"requested":%d,"limit":%d}' % (planned.cost, self.plans.limits.cost)
        return b'{"data":%b,"extensions":{"dataVersion":%b,"asOf":"%b",%b}}' % (data, version, as_of, cost)

    async def _introspect(self, planned: Planned) -> dict[str, Any]:
        operation = only_introspection(planned.operation, planned.plan)
        document = DocumentNode(definitions=(operation, *planned.fragments.values()))
        result = await self.graph.strawberry.execute(print_ast(document), variable_values=dict(planned.variables))
        if result.errors:
            raise ValidationFailedError(result.errors)
        return result.data or {}

    async def _merge(self, planned: Planned, data: bytes) -> bytes:
        found = orjson.loads(data) | await self._introspect(planned)
        return orjson.dumps({key: found[key] for key in planned.plan.keys})


def _compared(body: bytes, request: Request) -> Answer:
    etag = tag_of_bytes(body)
    return Answer(None if is_held(etag, request.if_none_match) else body, etag)


def encode(values: list[str | None]) -> list[bytes | None]:
    """Parameters as PostgreSQL takes them.

    Raises:
        BadUserInputError: a text holds half a character.
    """
    try:
        return [None if value is None else value.encode() for value in values]
    except UnicodeEncodeError:
        raise BadUserInputError("A text is not valid Unicode.", remedy="Remove lone surrogates.") from None
