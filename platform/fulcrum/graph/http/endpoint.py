"""`/graphql`: one ASGI callable from the request's bytes to the answer's, in the order that is cheapest to refuse.

Method and Accept, who asks, how often, the body, the document; then the service answers.
"""

from __future__ import annotations

import itertools
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.documents import Documents
from fulcrum.graph.errors import ApiError, BadRequestError, GraphQLApiError, InternalError, MutationAskedError
from fulcrum.graph.http import answering, reading
from fulcrum.graph.http.answering import Receive, Scope, Send
from fulcrum.graph.http.media import check_content, is_strict
from fulcrum.graph.http.reading import Sent
from fulcrum.graph.identity import Doorkeeper
from fulcrum.graph.limits import Limits
from fulcrum.graph.rates import Rates
from fulcrum.graph.service import Answer, GraphService, Request
from fulcrum.graph.wire import StatementFailedError

if TYPE_CHECKING:  # it shares connections with the pages, which import this module
    from fulcrum.graph.mutations.service import Mutations

_log = logging.getLogger("fulcrum.graph")


class RequestIds:
    """Ids of 16 hexadecimal digits: eight of the process, eight counted (a random one costs a system call)."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4).encode()
        self._numbers = itertools.count(1)

    def next(self) -> bytes:
        """The id of the next request."""
        return b"%b%08x" % (self._prefix, next(self._numbers) & 0xFFFFFFFF)


class HungUpError(Exception):
    """The client went away before its body was complete."""


@dataclass(frozen=True)
class Endpoint:
    """Serves `/graphql`."""

    service: GraphService
    doorkeeper: Doorkeeper
    documents: Documents
    rates: Rates
    limits: Limits
    ids: RequestIds
    mutations: Mutations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = self.ids.next()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        strict = False
        try:
            strict = is_strict(headers.get(b"accept"))
            answer = await self._answer(scope, headers, receive, request_id)
        except HungUpError:
            return
        except ApiError as error:
            if isinstance(error, StatementFailedError):
                _log.error("request %s failed in PostgreSQL: %s %s", request_id.decode(), error.state, error.text)
            await answering.send_refusal(send, error, request_id, is_strict=strict)
        except Exception:  # noqa: BLE001 - the caller gets a request id, the log the cause
            _log.exception("request %s failed", request_id.decode())
            failed = InternalError(
                "The query could not be answered.", remedy="Tell the request id to the platform team."
            )
            await answering.send_refusal(send, failed, request_id, is_strict=strict)
        else:
            if answer.body is None:
                await answering.send_unchanged(send, answer.etag or b"", request_id)
                return
            await answering.send_answer(send, answer.body, request_id, answer.etag, is_strict=strict)

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, request_id: bytes) -> Answer:
        method = scope["method"]
        if method not in ("POST", "GET"):
            raise BadRequestError("This address takes GET and POST.", status=405, allow="GET, POST")
        authorization, api_key = headers.get(b"authorization"), headers.get(b"x-api-key")
        rights = self.doorkeeper.remembered(authorization, api_key)
        if rights is None:
            rights = await self.doorkeeper.recognise(_text(authorization), _text(api_key))
        self.rates.enter(rights.principal)
        try:
            if method == "POST":
                check_content(headers.get(b"content-type"), headers.get(b"content-encoding"))
                sent = reading.from_body(await self._body(headers, receive), self.limits)
            else:
                sent = reading.from_address(scope["query_string"], self.limits)
            return await self._execute(sent, rights, headers, request_id, is_get=method == "GET")
        finally:
            self.rates.leave(rights.principal)

    async def _execute(
        self, sent: Sent, rights: Rights, headers: dict[bytes, bytes], request_id: bytes, *, is_get: bool
    ) -> Answer:
        text = sent.query
        if text is None or self.documents.is_exclusive:
            text = await self.documents.text(text, sent.document_id, rights)
        held = headers.get(b"if-none-match") if is_get else None
        request = Request(text, sent.operation_name, sent.variables, rights, is_get, held, request_id)
        try:
            return await self.service.answer(request)
        except MutationAskedError:
            if is_get:
                raise BadRequestError("GET only reads; this is a mutation.", status=405, allow="POST") from None
        except GraphQLApiError:
            if is_get and _is_mutation(text, sent.operation_name, self.limits.tokens):
                raise BadRequestError("GET only reads; this is a mutation.", status=405, allow="POST") from None
            raise
        return await self.mutations.answer(request)

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        most, received, is_more = self.limits.body_bytes, b"", True
        if len(headers.get(b"content-length", b"")) > len(str(most)):
            raise BadRequestError(f"The body is over {most} bytes.", status=413)
        while is_more and len(received) <= most:
            message = await receive()
            if message["type"] != "http.request":
                raise HungUpError
            received += message.get("body", b"")
            is_more = message.get("more_body", False)
        if len(received) > most:
            raise BadRequestError(f"The body is over {most} bytes.", status=413)
        return received


def _is_mutation(text: str, name: str | None, most_tokens: int) -> bool:
    """Whether the operation that is asked for is a mutation; the schema may not know it."""
    try:
        document = parse(text, max_tokens=most_tokens, no_location=True)
    except (GraphQLError, RecursionError):
        return False
    operations = [found for found in document.definitions if isinstance(found, OperationDefinitionNode)]
    asked = [found for found in operations if name is None or (found.name is not None and found.name.value == name)]
    return any(found.operation is OperationType.MUTATION for found in asked)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
