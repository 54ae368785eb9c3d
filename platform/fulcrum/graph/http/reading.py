"""The parameters of a GraphQL request, from the body of a POST or the address of a GET.

Which document a `documentId` names is looked up in `fulcrum.graph.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from fulcrum.graph.errors import BadRequestError
from fulcrum.graph.limits import Limits

_SHAPE = 'Send {"query": "...", "variables": {}}.'
_KNOWN = ("query", "documentId", "operationName", "variables", "extensions")
_MOST_PARAMETERS = 16


@dataclass(slots=True)
class Sent:
    """What was sent: a text or the id of a registered one, and what to run it with."""

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: Mapping[str, Any]


def from_body(body: bytes, limits: Limits) -> Sent:
    """The parameters in a JSON body.

    Raises:
        BadRequestError: it is not JSON, not one object, or a parameter has the wrong type.
    """
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequestError("The body is not valid JSON.") from None
    if isinstance(sent, list):
        raise BadRequestError(
            "The body is a list: batches are not taken.",
            remedy="Send one operation per request; one operation may have several root fields.",
        )
    if not isinstance(sent, dict):
        raise BadRequestError("The body is not a JSON object.", remedy=_SHAPE)
    if len(body) > limits.variables_bytes and sent.get("variables"):
        _hold_size(len(orjson.dumps(sent["variables"])), limits)
    return _checked(sent)


def from_address(query_string: bytes, limits: Limits) -> Sent:
    """The parameters in the query part of an address.

    Raises:
        BadRequestError: it cannot be decoded, repeats a parameter, or one has the wrong type.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError:
        raise BadRequestError("The address cannot be decoded.", remedy="Encode parameters as UTF-8, then %.") from None
    sent: dict[str, Any] = {}
    for name, value in pairs:
        if name in sent and name in _KNOWN:
            raise BadRequestError(f"The address has `{name}` twice.")
        sent[name] = value
    for name in ("variables", "extensions"):
        if sent.get(name):
            _hold_size(len(sent[name]), limits)
            sent[name] = _decoded(name, sent[name])
        else:
            sent.pop(name, None)
    return _checked(sent)


def _decoded(name: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequestError(f"`{name}` is not valid JSON.") from None


def _checked(sent: Mapping[str, Any]) -> Sent:
    get = sent.get
    query, document_id, name, variables = get("query"), get("documentId"), get("operationName"), get("variables")
    if query is not None and not isinstance(query, str):
        raise BadRequestError("`query` is not a text.", remedy=_SHAPE)
    if document_id is not None and not isinstance(document_id, str):
        raise BadRequestError("`documentId` is not a text.")
    if query and document_id:
        raise BadRequestError("There is a `query` and a `documentId`.", remedy="Send one of them.")
    if not query and not document_id:
        raise BadRequestError("There is no `query`, nor a `documentId`.", remedy=_SHAPE)
    if name is not None and not isinstance(name, str):
        raise BadRequestError("`operationName` is not a text.")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequestError("`variables` is not an object.")
    if not isinstance(get("extensions", {}), dict | None):
        raise BadRequestError("`extensions` is not an object.")
    return Sent(query or None, document_id or None, name or None, variables or {})


def _hold_size(size: int, limits: Limits) -> None:
    if size > limits.variables_bytes:
        raise BadRequestError(f"The variables are over {limits.variables_bytes} bytes.", status=413)
