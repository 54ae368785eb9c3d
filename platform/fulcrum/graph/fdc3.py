"""`/fdc3/TYPE?KEY=...`: an entity as an FDC3 2.2 context, to be broadcast between the applications of a desktop.

It asks the API's own query with the caller's rights, so rows and masks hold here as everywhere;
what is masked to nothing is left out. Portfolio, Holding (a position), Instrument, Issuer and Client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import BadUserInputError, LimitExceededError, NotFoundError
from fulcrum.graph.http.endpoint import Endpoint
from fulcrum.graph.http.routes import answered
from fulcrum.graph.service import Request

Json = Mapping[str, Any]

MOST_PAGES = 20
"""Of 1,000 positions each; a desktop is no place for more."""

QUERY = """
query Fdc3($refs: [_Any!]!, $asOf: Date, $knownAt: DateTime, $after: String) {
  _entities(representations: $refs, asOf: $asOf, knownAt: $knownAt) {
    __typename
    ... on Portfolio {
      id code name lei isin
      holdings(first: 1000, after: $after) { nodes { ...Position } pageInfo { hasNextPage endCursor } }
    }
    ... on Holding { ...Position }
    ... on Instrument { ...Named }
    ... on Issuer { id code name lei }
    ... on Client { id code name kindCode email identifiers { scheme value } }
  }
}
fragment Position on Holding { id quantity instrument { ...Named } }
fragment Named on Instrument { id code name isin exchangeCode exchangeName identifiers { scheme value } }
"""
_SCHEMES = ("ISIN", "CUSIP", "SEDOL", "FIGI")
_TIMES = ("asOf", "knownAt")
_MIC = re.compile(r"[A-Z0-9]{4}")


def routes() -> list[Route]:
    """The route of contexts."""
    return [Route("/fdc3/{type}", answered(context), methods=["GET"])]


async def context(http: HttpRequest, endpoint: Endpoint, rights: Rights) -> Response:
    """`GET /fdc3/Instrument?isin=US0378331005&asOf=2026-01-30`: the context.

    Raises:
        ApiError: there is none, or the address does not name one entity.
    """
    sent = dict(http.query_params)
    times = {name: sent.pop(name, None) for name in _TIMES}
    name = http.path_params["type"]
    if name not in _MADE:
        raise BadUserInputError(f"There is no context of {name}.", remedy=f"There are those of {', '.join(_MADE)}.")
    if len(sent) != 1:
        raise BadUserInputError("Name one key, as in /fdc3/Instrument?isin=US0378331005.")
    variables = {"refs": [{"__typename": name, **sent}], **times}
    found, extensions = await _asked(endpoint, rights, variables)
    if found is None:
        raise NotFoundError(f"There is no such {name}, or your roles do not show it.")
    if name == "Portfolio":
        found["holdings"]["nodes"] += await _further(endpoint, rights, variables, found["holdings"]["pageInfo"])
    headers = {
        "Cache-Control": "private, no-cache",
        "Fulcrum-As-Of": str(extensions["asOf"]),
        "Fulcrum-Data-Version": str(extensions["dataVersion"]),
    }
    return Response(orjson.dumps(_MADE[name](found)), headers=headers, media_type="application/json")


async def _asked(endpoint: Endpoint, rights: Rights, variables: Json) -> tuple[Any, Json]:
    answer = await endpoint.service.answer(Request(QUERY, None, variables, rights))
    read = orjson.loads(answer.body or b"")
    return read["data"]["_entities"][0], read["extensions"]


async def _further(endpoint: Endpoint, rights: Rights, variables: Json, page: Json) -> list[Json]:
    """The positions behind the first page, at its data version."""
    rows: list[Json] = []
    for _ in range(MOST_PAGES - 1):
        if not page["hasNextPage"]:
            return rows
        found, _extensions = await _asked(endpoint, rights, {**variables, "after": page["endCursor"]})
        rows += found["holdings"]["nodes"]
        page = found["holdings"]["pageInfo"]
    raise LimitExceededError(f"The portfolio has over {MOST_PAGES},000 positions.", remedy="Export it: /export.")


def _made(kind: str, name: str | None, ids: Iterable[tuple[str, str | None]], **more: Any) -> dict[str, Any]:
    named = {} if name is None else {"name": name}
    return {"type": f"fdc3.{kind}", **named, "id": {key: value for key, value in ids if value}, **more}


def _portfolio(found: Json) -> dict[str, Any]:
    positions = [_position(line) for line in found["holdings"]["nodes"] if _is_number(line["quantity"])]
    ids = [*_ours(found), ("LEI", found["lei"]), ("ISIN", found["isin"])]
    return _made("portfolio", found["name"], ids, positions=positions)


def _position(found: Json) -> dict[str, Any]:
    if not _is_number(found["quantity"]):
        raise NotFoundError("The position has no quantity, or your roles do not show it.")
    # a JSON number, as FDC3 has it, with every digit of the decimal
    holding = orjson.Fragment(f"{Decimal(found['quantity']):f}")
    instrument = _instrument(found["instrument"] or {})
    ids = [("FULCRUM_ID", found["id"])]
    return _made("position", instrument.get("name"), ids, instrument=instrument, holding=holding)


def _instrument(found: Json) -> dict[str, Any]:
    by_scheme = {one["scheme"]: one["value"] for one in reversed(found.get("identifiers") or [])}
    ticker = by_scheme.get("TICKER", "").partition("@")[0]
    known = by_scheme | {"ISIN": found.get("isin") or by_scheme.get("ISIN")}
    ids = [*((scheme, known.get(scheme)) for scheme in _SCHEMES), ("ticker", ticker), *_ours(found)]
    market = {}
    if _MIC.fullmatch(found.get("exchangeCode") or ""):
        market["MIC"] = found["exchangeCode"]
    if found.get("exchangeName"):
        market["name"] = found["exchangeName"]
    return _made("instrument", found.get("name"), ids, **({"market": market} if market else {}))


def _issuer(found: Json) -> dict[str, Any]:
    return _made("organization", found["name"], [("LEI", found["lei"]), *_ours(found)])


def _client(found: Json) -> dict[str, Any]:
    if found["kindCode"] == "INDIVIDUAL":
        email = found["email"] if "@" in (found["email"] or "") else None  # a hash is no address
        return _made("contact", found["name"], [("email", email), *_ours(found)])
    by_scheme = {one["scheme"]: one["value"] for one in found["identifiers"]}
    return _made("organization", found["name"], [("LEI", by_scheme.get("LEI")), *_ours(found)])


def _ours(found: Json) -> list[tuple[str, str | None]]:
    return [("FULCRUM_ID", found.get("id")), ("FULCRUM_CODE", found.get("code"))]


def _is_number(text: str | None) -> bool:
    return text is not None and Decimal(text).is_finite()


_MADE = {
    "Portfolio": _portfolio,
    "Holding": _position,
    "Instrument": _instrument,
    "Issuer": _issuer,
    "Client": _client,
}
