"""GraphiQL, and the example queries that its menu offers.

An example is a file of `schemas/graphql/examples`: its first comment lines are `# persona: ...` (whom it
is for) and `# title: ...`; what follows in comments explains it. Its variables stand beside it in JSON.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fulcrum.errors import SettingsError
from fulcrum.graph.pages.files import bundle_folder
from fulcrum.graph.pages.rendering import HEADERS, POLICY, page
from fulcrum.graph.pages.signing import signed_in
from fulcrum.graph.pages.site import site_of

# GraphiQL writes style attributes and carries its fonts in its style.
_RELAXED = f"{POLICY}; style-src 'self' 'unsafe-inline'; font-src 'self' data:"
_HEADING = re.compile(r"# persona: (?P<persona>.+)\n# title: (?P<title>.+)\n")


@dataclass(frozen=True)
class Example:
    """A query to begin with; `variables` is pretty JSON."""

    persona: str
    title: str
    query: str
    variables: str


async def show(request: Request) -> Response:
    """GraphiQL."""
    if bundle_folder() is None:
        raise HTTPException(404)
    found = read_examples(site_of(request).settings.project)
    personas = sorted({example.persona for example in found})
    numbered = {persona: [(n, e) for n, e in enumerate(found) if e.persona == persona] for persona in personas}
    headers = {"Content-Security-Policy": _RELAXED}
    return page("graphiql.html", await signed_in(request), headers=headers, examples=numbered)


async def examples(request: Request) -> Response:
    """The example queries, in the order of the menu."""
    found = [asdict(example) for example in read_examples(site_of(request).settings.project)]
    return JSONResponse(found, headers=HEADERS)


def read_examples(project: Path) -> list[Example]:
    """Every example, in order of persona and title.

    Raises:
        SettingsError: one does not say whom it is for and what it shows.
    """
    folder = project / "schemas" / "graphql" / "examples"
    found = [_example(path) for path in folder.glob("*.graphql")]
    return sorted(found, key=lambda example: (example.persona, example.title))


def _example(path: Path) -> Example:
    text = path.read_text("utf-8")
    heading = _HEADING.match(text)
    if heading is None:
        raise SettingsError(f"{path.name} does not begin with `# persona: ...` and `# title: ...`.")
    beside = path.with_suffix(".json")
    variables = orjson.loads(beside.read_bytes()) if beside.exists() else {}
    pretty = orjson.dumps(variables, option=orjson.OPT_INDENT_2).decode()
    return Example(heading["persona"].strip(), heading["title"].strip(), text[heading.end() :], pretty)
