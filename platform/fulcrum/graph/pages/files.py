"""Scripts and styles: our own, and GraphiQL's from the wheel of dagster-webserver, which is installed anyway.

Only these files are served, and nothing of the wheel is imported (decision 0011).
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from fulcrum.graph.pages.rendering import HEADERS

OWN = Path(__file__).parents[1] / "static"
OWN_FILES = frozenset({"graphiql.js", "schema.js", "pages.css", "desk.css", "desk.js"})
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

_HOUR = "public, max-age=3600"


@cache
def bundle_folder() -> Path | None:
    """Where the installed GraphiQL lies; None if this installation has none."""
    found = importlib.util.find_spec("dagster_webserver")
    places = list(found.submodule_search_locations or ()) if found else []
    folder = Path(places[0]) / "graphiql" if places else None
    return folder if folder is not None and folder.is_dir() else None


async def show(request: Request) -> Response:
    """One of the files."""
    name = request.path_params["name"]
    folder = OWN if name in OWN_FILES else bundle_folder() if name in BUNDLE_FILES else None
    if folder is None:
        raise HTTPException(404)
    return FileResponse(folder / name, headers=HEADERS | {"Cache-Control": _HOUR})
