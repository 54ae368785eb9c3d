"""Signing in and out on the pages with an API key, and the demand for it by other pages.

How a session is made and checked stands in `sessions.py`. Every form of every page must be sent to a
handler that calls `refuse_foreign` first.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.graph.errors import BadRequestError, ForbiddenError
from fulcrum.graph.pages.rendering import HEADERS, page
from fulcrum.graph.pages.sessions import COOKIE, LIFETIME
from fulcrum.graph.pages.site import site_of

_MOST_BYTES = 4_096
_MOST_FIELDS = 8
_OURS = re.compile(r"/(?:[a-z]\S{0,500})?", re.ASCII)
_SEE_OTHER = 303
_UNAUTHORIZED = 401
_FORBIDDEN = 403

Page = Callable[[Request, Rights], Awaitable[Response]]


async def signed_in(request: Request) -> Rights | None:
    """The rights of whoever looks at a page; None: nobody has signed in."""
    cookie = request.cookies.get(COOKIE)
    return await site_of(request).sessions.rights(cookie) if cookie else None


def needs(permission: Permission) -> Callable[[Page], Callable[[Request], Awaitable[Response]]]:
    """Show a page only to those who have signed in and have a permission."""

    def decorated(show_page: Page) -> Callable[[Request], Awaitable[Response]]:
        @wraps(show_page)
        async def guarded(request: Request) -> Response:
            rights = await signed_in(request)
            if rights is None:
                asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/sign-in?{urlencode({'next': asked})}", _SEE_OTHER, headers=HEADERS)
            if not rights.may(permission):
                return page("refused.html", rights, status=_FORBIDDEN, permission=permission)
            return await show_page(request, rights)

        return guarded

    return decorated


def refuse_foreign(request: Request) -> None:
    """Refuse a form that a page of another site has sent; browsers tell, and cannot be made to lie.

    Raises:
        ForbiddenError: it came from elsewhere, or does not say where from.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_ours = site == "same-origin"
    else:  # an address without TLS that is not this machine: browsers tell the origin only
        is_ours = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if not is_ours:
        raise ForbiddenError("This form was not sent from a page of this site.", remedy="Open the page and send again.")


async def read_form(
    request: Request, *, most_bytes: int = _MOST_BYTES, most_fields: int = _MOST_FIELDS
) -> dict[str, str]:
    """The fields of a form.

    Raises:
        BadRequestError: it is too long, or no form.
    """
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > most_bytes:
            raise BadRequestError(f"The form is over {most_bytes} bytes.", status=413)
    try:
        return dict(parse_qsl(received.decode("ascii"), keep_blank_values=True, max_num_fields=most_fields))
    except ValueError:
        raise BadRequestError("This is not a form.", status=415) from None


async def show(request: Request) -> Response:
    """`GET /sign-in`."""
    return _form(request, await signed_in(request), _ours(request.query_params.get("next")))


async def sign_in(request: Request) -> Response:
    """`POST /sign-in`: fields `key` and `next`."""
    refuse_foreign(request)
    form = await read_form(request)
    wanted = _ours(form.get("next"))
    begun = await site_of(request).sessions.begin(form.get("key", "").strip())
    if begun is None:
        return _form(request, None, wanted, is_refused=True)
    answer = RedirectResponse(wanted, _SEE_OTHER, headers=HEADERS)
    answer.set_cookie(COOKIE, begun[1], LIFETIME, httponly=True, samesite="strict", secure=_is_secure(request))
    return answer


async def sign_out(request: Request) -> Response:
    """`POST /sign-out`."""
    refuse_foreign(request)
    answer = RedirectResponse("/", _SEE_OTHER, headers=HEADERS)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_is_secure(request))
    return answer


def _form(request: Request, rights: Rights | None, wanted: str, *, is_refused: bool = False) -> Response:
    # The desk's pages stand behind this one, so their package cannot be imported before it.
    from fulcrum.graph.pages.desk.language import language_of, translator

    language = language_of(request)
    return page(
        "sign_in.html",
        rights,
        status=_UNAUTHORIZED if is_refused else 200,
        headers={"Content-Language": language},
        language=language,
        t=translator(language),
        next=wanted,
        is_refused=is_refused,
    )


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _ours(wanted: str | None) -> str:
    """Where to go next: a path of this site, whatever was asked for."""
    return wanted if wanted is not None and _OURS.fullmatch(wanted) else "/"
