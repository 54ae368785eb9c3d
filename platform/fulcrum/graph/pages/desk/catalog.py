"""The catalog: every dataset with its contract, owner, columns, rules, freshness, lineage and users."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fulcrum.contracts.model import FeedContract
from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.desk import inbox
from fulcrum.graph.binding import Bindings
from fulcrum.graph.desk import access
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.charts import lineage
from fulcrum.graph.pages.desk.known import RECORDS, Dataset, Names, contracts_of, datasets_of, names_of, rules_of
from fulcrum.graph.pages.desk.language import language_of, translator
from fulcrum.graph.pages.desk.shown import plain, shown
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import Site, site_of

_SEE_OTHER = 303

MADE_FROM: Mapping[str, tuple[str, ...]] = {
    "mart.position_valuation": ("core.holding", "core.price", "core.fx_rate", "core.instrument", "core.portfolio"),
    "mart.portfolio_nav": ("mart.position_valuation",),
}
"""Table of `mart` -> what it is computed from."""


@needs(Permission.INTROSPECT)
async def show_all(request: Request, rights: Rights) -> Response:
    """`GET /catalog`."""
    site = site_of(request)

    def read() -> dict[str, Any]:
        datasets, rules = datasets_of(site.settings), rules_of(site.settings)
        targets = [_published_as(name) for name in datasets]
        with access.reading(site.settings, rights) as connection:
            fresh = inbox.freshness(connection, targets)
        return {
            "datasets": datasets.values(),
            "fresh": {name: fresh.get(_published_as(name)) for name in datasets},
            "rules": {name: len(rules.of_table(name)) for name in datasets},
            "feeds": contracts_of(site.settings),
        }

    return shown(request, "catalog.html", rights, **await asyncio.to_thread(read))


@needs(Permission.INTROSPECT)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /catalog/core.holding`."""
    site, name = site_of(request), plain(request.path_params["name"]) or ""
    t = translator(language_of(request))
    known_names = names_of(site.settings)
    meant = known_names.datasets.get(name.rpartition(".")[2])
    if meant is not None and name not in datasets_of(site.settings):
        return RedirectResponse(f"/catalog/{meant}", _SEE_OTHER, headers=HEADERS)

    def read() -> dict[str, Any]:
        datasets, contracts = datasets_of(site.settings), contracts_of(site.settings)
        dataset = datasets.get(name)
        if dataset is None:
            raise _unknown(name, datasets, known_names)
        is_record = name.partition(".")[0] in RECORDS
        feed = contracts.get(name.removeprefix("raw.")) if name.startswith("raw.") else None
        with access.reading(site.settings, rights) as connection:
            fresh = inbox.freshness(connection, [_published_as(name)]).get(_published_as(name))
            fields = fields_of(site, name)
            may_see_users = rights.may(Permission.USAGE)
            users = inbox.users(connection, fields) if fields and may_see_users else []
        return {
            "dataset": dataset,
            "feed": feed,
            "rules": rules_of(site.settings).of_table(feed.target if feed else name),
            "fresh": fresh,
            "fields": sorted(fields),
            "users": users,
            "may_see_users": may_see_users,
            "picture": None if is_record else picture(name, contracts, set(datasets), t("catalog.lineage")),
            "is_record": is_record,
            "names": known_names.columns,
            "said": descriptions(site, name) if is_record else {},
            "path": f"schemas/contracts/{name.replace('.', '/')}.yaml",
        }

    return shown(request, "dataset.html", rights, **await asyncio.to_thread(read))


def _unknown(name: str, datasets: Mapping[str, Dataset], names: Names) -> NotFoundError:
    """Nothing of this name, with those that are near."""
    words = {one.rpartition(".")[2]: one for one in datasets} | dict(names.datasets)
    near = difflib.get_close_matches(name.rpartition(".")[2], words, n=3, cutoff=0.5)
    hint = f"Perhaps {' or '.join(f'/catalog/{words[one]}' for one in near)}? " if near else ""
    return NotFoundError(f"The catalog has no {name}.", remedy=f"{hint}/catalog lists all.")


def fields_of(site: Site, table: str) -> set[str]:
    """The fields of the API (`Type.field`) that show columns of a table."""
    bindings: Bindings = site.graph.bindings
    return {
        f"{kind}.{field}"
        for kind, fields in bindings.fields.items()
        for field, bound in fields.items()
        if any(path.rpartition(".")[0] == table for path in bound.paths)
    }


def descriptions(site: Site, table: str) -> dict[str, str]:
    """Column -> what the API says of the field that shows it and nothing else."""
    schema = site.graph.schema
    return {
        bound.paths[0].rpartition(".")[2]: text
        for kind, fields in site.graph.bindings.fields.items()
        for field, bound in fields.items()
        if len(bound.paths) == 1 and bound.paths[0].rpartition(".")[0] == table
        if (text := _description(schema, kind, field))
    }


def _description(schema: GraphQLSchema, kind: str, field: str) -> str:
    found = schema.type_map.get(kind)
    return (found.fields[field].description or "") if isinstance(found, GraphQLObjectType) else ""


def picture(name: str, contracts: Mapping[str, FeedContract], known: set[str], says: str) -> Markup:
    """What a dataset is made from and what is made from it: feeds, tables, computed tables."""
    targets = _origins(_published_as(name)) if not name.startswith("raw.") else set()
    if name.startswith("raw."):
        feed = contracts.get(name.removeprefix("raw."))
        targets = {feed.target} if feed else set()
    made = {mart for mart, parts in MADE_FROM.items() if targets & set(parts) or mart == name}
    made |= {mart for mart, parts in MADE_FROM.items() if made & set(parts)}
    tables = sorted(target for target in targets if target.startswith("core."))
    feeds = sorted(
        f"raw.{feed}"
        for feed, contract in contracts.items()
        if contract.target in targets and (not name.startswith("raw.") or f"raw.{feed}" == name)
    )
    if name.startswith("mart."):
        feeds = []  # a computed table rests on most feeds; its tables lead to them
    columns = [[(one, f"/catalog/{one}") for one in column if one in known] for column in (feeds, tables, sorted(made))]
    links = [(feed, contracts[feed.removeprefix("raw.")].target) for feed in feeds]
    links += [(part, mart) for mart in made for part in MADE_FROM[mart]]
    columns = _apart([column for column in columns if column])
    shown_names = {one for column in columns for one, _ in column}
    return lineage(columns, [link for link in links if set(link) <= shown_names], says)


def _apart(columns: list[list[tuple[str, str]]]) -> list[list[tuple[str, str]]]:
    """Computed tables that rest on each other stand in columns of their own."""
    last = columns[-1] if columns else []
    later = [one for one in last if any(part in MADE_FROM.get(one[0], ()) for part, _ in last)]
    return [*columns[:-1], [one for one in last if one not in later], later] if later else columns


def _origins(table: str) -> set[str]:
    found, waiting = set(), [table]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += [part for part in MADE_FROM.get(one, ()) if part not in found]
    return found


def _published_as(name: str) -> str:
    """The target of publications that change a table: an entity's versions come with the entity."""
    return name.removesuffix("_version")
