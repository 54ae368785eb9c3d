"""A page of the desk: in the language of its reader, with what every page of the desk is told.

Templates, headers and escaping are `fulcrum.graph.pages.rendering`'s.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.desk.language import COOKIE, LANGUAGES, YEAR, language_of, speller, switches, translator
from fulcrum.graph.pages.rendering import page
from fulcrum.graph.pages.signing import read_form

MOST_FORM = 32_768
"""Bytes: a Chinese letter is nine of them in a form."""
_LARGEST = 2**62
_CONFLICT = 409


def shown(request: Request, template: str, rights: Rights, **told: Any) -> Response:
    """The page; `t(key)` and `word(kind, value)` are its words, `switch` the addresses of its languages.

    `trouble` is what was refused, if anything was: then it is an answer of 409.
    """
    language = language_of(request)
    told["form"] = defaultdict(str, told.get("form") or {})  # fields that nobody typed are empty
    answer = page(
        f"desk/{template}",
        rights,
        status=200 if told.get("trouble") is None else _CONFLICT,
        headers={"Content-Language": language},
        language=language,
        t=translator(language),
        word=speller(language),
        switch=switches(request),
        now=dt.datetime.now(dt.UTC),
        blank=defaultdict(str),
        **told,
    )
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        is_secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, chosen, YEAR, httponly=True, samesite="lax", secure=is_secure)
    return answer


def number_of(request: Request) -> int:
    """The number in the address.

    Raises:
        NotFoundError: nothing can have it.
    """
    number = int(request.path_params["number"])
    if number > _LARGEST:
        raise NotFoundError("There is nothing of this number.")
    return number


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form of the desk, without blanks around them.

    Raises:
        BadRequestError: it is too long, or no form.
    """
    form = await read_form(request, most_bytes=MOST_FORM, most_fields=12)
    return {name: value.strip().replace("\x00", "") for name, value in form.items()}


def whole(text: str | None, least: int = 0) -> int | None:
    """A whole number of an address; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and least <= int(text[:30]) < _LARGEST else None


def day(text: str | None) -> dt.date | None:
    """A date as YYYY-MM-DD; None for anything else."""
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return None


def plain(text: str | None) -> str | None:
    """A filter of an address: None if nothing was chosen."""
    return (text or "").replace("\x00", "")[:200] or None
