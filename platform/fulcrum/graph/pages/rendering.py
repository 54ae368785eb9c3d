"""Templates become answers here, with the headers that every page has.

What is said on a page stands in its template and its module.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.graph.pages.charts import trend

TEMPLATES = Path(__file__).parent / "templates"

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_CODE = re.compile(r"`([^`]+)`")


@cache
def environment() -> Environment:
    """The templates; whatever they are told is escaped, and what they are not told is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"marked": marked, "minute": minute, "number": lambda value: f"{value:,}", "decimal": plain}
    made.filters["trend"] = trend
    return made


def marked(text: str | None) -> Markup:
    """Text of ours with `code` in it."""
    return Markup(_CODE.sub(r"<code>\1</code>", html.escape(text or "", quote=False)))  # noqa: S704 - it is escaped


def plain(value: Decimal) -> str:
    """A measured number for people: no exponent, no zeros behind the last digit, thousands apart."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def minute(moment: dt.datetime) -> str:
    """A moment for people, in UTC."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def page(
    template: str,
    rights: Rights | None,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **told: Any,
) -> HTMLResponse:
    """A page as somebody with these rights sees it; None: nobody has signed in."""
    text = environment().get_template(template).render(rights=rights, Permission=Permission, **told)
    return HTMLResponse(text, status, headers=HEADERS | (headers or {}))
