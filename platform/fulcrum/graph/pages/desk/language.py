"""The language of a page: by switch, by cookie or by what the browser prefers; its words from one catalogue.

What rules, contracts and people say is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from starlette.requests import Request

LANGUAGES = ("en", "zh")
COOKIE = "fulcrum_language"
CATALOGUE = Path(__file__).with_name("labels.yaml")
YEAR = 365 * 86_400

_PREFERRED = re.compile(r"\s*([A-Za-z]{1,8})(?:-[\w-]*)?\s*(?:;\s*q\s*=\s*([\d.]+))?\s*", re.ASCII)
_MOST_HEADER = 500


@cache
def labels() -> Mapping[str, Mapping[str, str]]:
    """Key -> language -> words."""
    loaded: dict[str, dict[str, str]] = yaml.safe_load(CATALOGUE.read_text("utf-8"))
    return loaded


def language_of(request: Request) -> str:
    """The language in which a page is shown."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return _preferred(request.headers.get("accept-language", ""))


def translator(language: str) -> Callable[..., str]:
    """`t(key, **values)`: the words of a key."""
    known = labels()

    def t(key: str, **values: Any) -> str:
        words = known[key][language]
        return words.format(**values) if values else words

    return t


def speller(language: str) -> Callable[[str, str | None], str]:
    """`word(kind, value)`: a state, outcome or other listed word; what is not in the catalogue as it is."""
    known = labels()

    def word(kind: str, value: str | None) -> str:
        if value is None:
            return ""
        found = known.get(f"{kind}.{value}")
        return found[language] if found else value

    return word


def switches(request: Request) -> dict[str, str]:
    """Language -> address of the same page in it."""
    path = request.url.path if request.method == "GET" else "/desk"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return {language: f"{path}?{urlencode([*kept, ('lang', language)])}" for language in LANGUAGES}


def _preferred(header: str) -> str:
    best, chosen = 0.0, LANGUAGES[0]
    for part in header[:_MOST_HEADER].split(","):
        found = _PREFERRED.fullmatch(part)
        if found is None or found[1].lower() not in LANGUAGES:
            continue
        try:
            weight = float(found[2] or 1)
        except ValueError:
            continue
        if weight > best:
            best, chosen = weight, found[1].lower()
    return chosen
