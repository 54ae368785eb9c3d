"""The runbooks of the project (`infra/runbooks`) as pages, so that a rule's link leads to what to do."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.desk.shown import shown
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_NO_WORD = re.compile(r"[^\w\- ]")


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/runbooks/quality#a-file-is-late`."""
    name = request.path_params["name"]
    path = site_of(request).settings.project / "infra" / "runbooks" / f"{name}.md"
    if _NAME.fullmatch(name) is None or not path.is_file():
        raise NotFoundError("There is no runbook of this name.", remedy="A rule's page links to its runbook.")
    title, text = _rendered(path, path.stat().st_mtime_ns)
    return shown(request, "runbook.html", rights, title=title, text=text, path=f"infra/runbooks/{name}.md")


def anchor(heading: str) -> str:
    """The place of a heading, as in the links of rules: lower case, blanks as dashes, nothing but words."""
    return _NO_WORD.sub("", heading.lower()).replace(" ", "-")


@lru_cache(maxsize=32)
def _rendered(path: Path, _changed: int) -> tuple[str, Markup]:
    """Title and text; tags in the file are text, addresses of scripts no links."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(path.read_text("utf-8"))
    title = path.stem
    for token, following in itertools.pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(following.content))
            title = following.content if token.tag == "h1" else title
    return title, Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - rendered without tags
