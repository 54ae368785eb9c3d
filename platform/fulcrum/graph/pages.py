"""The pages for people: a front page and GraphiQL, both complete without any other host.

GraphiQL itself comes in the wheel of dagster-webserver, which is installed anyway; only its files
are read, nothing of it is imported.
"""

from __future__ import annotations

import html
import importlib.util
from functools import cache
from pathlib import Path

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from fulcrum.settings import PROJECT_ROOT

OWN = Path(__file__).parent / "static"
EXAMPLES = PROJECT_ROOT / "schemas" / "graphql" / "examples"
BUNDLE_FILES = frozenset(
    {
        "react.production.min.js",
        "react-dom.production.min.js",
        "graphiql.min.js",
        "graphiql.min.css",
        "graphiql-plugin-explorer.umd.js",
        "graphiql-plugin-explorer-style.css",
    }
)
OWN_FILES = frozenset({"graphiql.js", "pages.css"})

# GraphiQL writes style attributes; nothing may come from or go to another host.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_DAY = "public, max-age=86400"


@cache
def bundle_folder() -> Path | None:
    """Where the installed GraphiQL lies; None if this installation has none."""
    found = importlib.util.find_spec("dagster_webserver")
    places = list(found.submodule_search_locations or ()) if found else []
    folder = Path(places[0]) / "graphiql" if places else None
    return folder if folder is not None and folder.is_dir() else None


def routes() -> list[Route]:
    """The routes of all pages."""
    return [
        Route("/", front),
        Route("/graphiql", graphiql),
        Route("/graphiql/examples.json", examples),
        Route("/graphiql/files/{name}", file),
    ]


async def front(request: Request) -> Response:
    """What there is and how to get a key."""
    return _page("front.html", BASE_URL=html.escape(str(request.base_url)))


async def graphiql(_request: Request) -> Response:
    """GraphiQL."""
    if bundle_folder() is None:
        raise HTTPException(404)
    return _page("graphiql.html")


async def examples(_request: Request) -> Response:
    """The example queries, for the tabs of GraphiQL."""
    return JSONResponse(read_examples(EXAMPLES), headers=HEADERS)


async def file(request: Request) -> Response:
    """A script or style, ours or GraphiQL's."""
    name = request.path_params["name"]
    folder = OWN if name in OWN_FILES else bundle_folder() if name in BUNDLE_FILES else None
    if folder is None:
        raise HTTPException(404)
    return FileResponse(folder / name, headers=HEADERS | {"Cache-Control": _DAY})


def read_examples(folder: Path) -> list[dict[str, str]]:
    """Title, query and variables of every example in a folder, in order of their names."""
    found = []
    for path in sorted(folder.glob("*.graphql")):
        variables = path.with_suffix(".json")
        text = variables.read_text("utf-8") if variables.exists() else "{}"
        pretty = orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
        title = path.stem.replace("_", " ")
        found.append({"title": title, "query": path.read_text("utf-8"), "variables": pretty})
    return found


def _page(name: str, **words: str) -> Response:
    text = (OWN / name).read_text("utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    return HTMLResponse(text, headers=HEADERS)
