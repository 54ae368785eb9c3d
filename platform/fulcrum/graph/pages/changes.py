"""What changed in the schema: the dated entries of `schemas/graphql/CHANGELOG.md`, and what is not released yet.

The entries are written by people; what came since `released.graphql` is found by comparing it with
the schema that this process serves.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from graphql import GraphQLSchema, build_schema
from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import SettingsError
from fulcrum.graph.pages.rendering import page
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of

KINDS = ("Added", "Changed", "Deprecated", "Removed")
_DATE = re.compile(r"## (\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class Entry:
    """What was released on a day: kind of change -> sentences, with names in backticks."""

    date: dt.date
    changes: Mapping[str, tuple[str, ...]]


@needs(Permission.INTROSPECT)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /changes`."""
    site = site_of(request)
    folder = site.settings.project / "schemas" / "graphql"
    released = folder / "released.graphql"
    since: Mapping[str, list[str]] = {}
    if released.exists():
        # Parsing 200 kB takes a quarter of a second, which no query shall wait for.
        before = await asyncio.to_thread(_names_of_text, released.read_text("utf-8"))
        since = differences(before, names(site.graph.schema))
    return page("changes.html", rights, entries=read_entries(folder / "CHANGELOG.md"), since=since)


def read_entries(path: Path) -> list[Entry]:
    """The entries of the change log.

    Raises:
        SettingsError: a line of it is neither a day, a kind of change, nor a change.
    """
    entries: list[tuple[dt.date, dict[str, list[str]]]] = []
    kind: list[str] | None = None
    lines = path.read_text("utf-8").splitlines()
    begin = next((n for n, line in enumerate(lines) if line.startswith("## ")), len(lines))
    for number, line in enumerate(lines[begin:], begin + 1):
        if day := _DATE.fullmatch(line):
            entries.append((dt.date.fromisoformat(day[1]), {}))
            kind = None
        elif line.startswith("### ") and entries and line[4:] in KINDS:
            kind = entries[-1][1].setdefault(line[4:], [])
        elif line.startswith("- ") and kind is not None:
            kind.append(line[2:])
        elif line.startswith("  ") and kind:
            kind[-1] += f" {line.strip()}"
        elif line.strip():
            raise SettingsError(f"{path.name}, line {number}: {line!r} is no day, kind of change or change.")
    return [Entry(day, {kind: tuple(said) for kind, said in changes.items()}) for day, changes in entries]


def names(schema: GraphQLSchema) -> dict[str, bool]:
    """`Type` and `Type.field` (or value) of a schema, and whether it is deprecated."""
    found: dict[str, bool] = {}
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        found[name] = False
        parts = {**getattr(kind, "fields", {}), **getattr(kind, "values", {})}
        found |= {f"{name}.{part}": known.deprecation_reason is not None for part, known in parts.items()}
    return found


def differences(before: Mapping[str, bool], after: Mapping[str, bool]) -> dict[str, list[str]]:
    """Kind of change -> names, without the parts of types that came or went as a whole."""
    found = {
        "Added": _without_parts(set(after) - set(before)),
        "Deprecated": sorted(name for name, is_deprecated in after.items() if is_deprecated and not before.get(name)),
        "Removed": _without_parts(set(before) - set(after)),
    }
    return {kind: changed for kind, changed in found.items() if changed}


def _without_parts(changed: set[str]) -> list[str]:
    return sorted(name for name in changed if "." not in name or name.partition(".")[0] not in changed)


@lru_cache(maxsize=2)
def _names_of_text(text: str) -> Mapping[str, bool]:
    return names(build_schema(text, assume_valid=True))
