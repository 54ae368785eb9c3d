"""The page of reconciliation: runs, breaks by class and age, and each break side by side; also as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.reconciliation import reading
from fulcrum.governance.reconciliation.contract import BreakClass, Contract
from fulcrum.graph.desk import access
from fulcrum.graph.pages.charts import trend
from fulcrum.graph.pages.desk import downloads, side_by_side
from fulcrum.graph.pages.desk.known import reconciliations_of
from fulcrum.graph.pages.desk.language import language_of, translator
from fulcrum.graph.pages.desk.shown import day, plain, shown, whole
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of

_CHART = (420, 90)
_FILTERS = ("name", "day", "class", "age", "severity", "book", "exception")
"""Of the address; what else stands in it is a place in the list."""
_FACTS = (
    *("name", "business_date", "break_key", "class_code", "severity", "state", "first_seen", "age_days", "age_bucket"),
    *("match_rule", "a_name", "b_name", "a_lines", "b_lines", "exception_id", "exception_state", "owner_name"),
)
_SIDED = ("column", "a", "b", "difference", "tolerated", "is_beyond")


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/reconciliation?name=...&day=...&class=...&age=...&severity=...&book=...&rank=...&first=...&id=...`."""
    wanted, asked = _wanted(request), request.query_params
    rank, first, number = whole(asked.get("rank")), day(asked.get("first")), whole(asked.get("id"))
    after = None if rank is None or first is None or number is None else (rank, first, number)
    told = await asyncio.to_thread(_read, request, rights, wanted, after)
    kept = {name: value for name in _FILTERS if (value := plain(asked.get(name)))}

    def address(**changed: str | None) -> str:
        """This page with other filters; None takes one away."""
        chosen = {name: value for name, value in {**kept, **changed}.items() if value}
        return f"/desk/reconciliation?{urlencode(chosen)}" if chosen else "/desk/reconciliation"

    file = address().replace("/desk/reconciliation", "/desk/reconciliation.csv", 1)
    return shown(
        request, "reconciliation.html", rights, wanted=wanted, address=address, file=file, classes=BreakClass, **told
    )


@needs(Permission.QUALITY)
async def as_csv(request: Request, rights: Rights) -> Response:
    """`GET /desk/reconciliation.csv`: a line per break and compared column, of the same breaks as the page's."""
    wanted, contracts = _wanted(request), reconciliations_of(site_of(request).settings)
    shades = {name: side_by_side.shade(rights, contract) for name, contract in contracts.items()}
    unknown = side_by_side.shade(rights, None)

    def rows(connection: access.Connection) -> Iterator[list[Any]]:
        for some in reading.all_breaks(connection, wanted):
            for row in some:
                hidden = shades.get(row["name"], unknown)
                facts = [hidden.key(row) if name == "break_key" else row[name] for name in _FACTS]
                for line in side_by_side.lines(row, contracts.get(row["name"]), hidden):
                    yield [*facts, *(_plain(getattr(line, name)) for name in _SIDED)]

    def made(file: IO[bytes]) -> None:
        with access.reading(site_of(request).settings, rights) as connection:
            downloads.write_csv(file, (*_FACTS, *_SIDED), rows(connection))

    return await downloads.download(made, "breaks.csv", downloads.CSV)


def _wanted(request: Request) -> reading.Wanted:
    asked = request.query_params
    return reading.Wanted(
        name=plain(asked.get("name")),
        day=day(asked.get("day")),
        class_code=plain(asked.get("class")),
        age=plain(asked.get("age")),
        severity=plain(asked.get("severity")),
        book=plain(asked.get("book")),
        exception=whole(asked.get("exception"), 1),
    )


def _read(request: Request, rights: Rights, wanted: reading.Wanted, after: reading.Cursor | None) -> dict[str, Any]:
    settings = site_of(request).settings
    contracts = reconciliations_of(settings)
    with access.reading(settings, rights) as connection:
        sees = reading.sees_the_house(connection)
        newest = reading.newest_runs(connection)
        found, following = reading.breaks(connection, wanted, after)
        counts = reading.by_class_and_age(connection, wanted)
        runs = reading.runs(connection, wanted.name) if wanted.name else []
    shades = {name: side_by_side.shade(rights, contracts.get(name)) for name in {row["name"] for row in found}}
    t = translator(language_of(request))
    return {
        "newest": newest,
        "runs": runs,
        "contract": contracts.get(wanted.name or ""),
        "found": [_side_by_side(row, contracts.get(row["name"]), shades[row["name"]]) for row in found],
        "next": following,
        "counts": counts,
        "ages": sorted({age for _, age in counts}, key=_begin),
        "hides": any(one.hides for one in shades.values()),
        "sees_the_house": sees,
        "judged_by": _judged_by(runs, wanted),
        "chart": trend(_points(runs), t("recon.trend"), size=_CHART, is_judged=False, starts_at_zero=True)
        if len(runs) > 1
        else None,
    }


def _side_by_side(row: reading.Row, contract: Contract | None, hidden: side_by_side.Shade) -> dict[str, Any]:
    return {**row, "key": hidden.key(row), "lines": side_by_side.lines(row, contract, hidden)}


def _judged_by(runs: list[reading.Row], wanted: reading.Wanted) -> dict[str, dict[str, str]]:
    judged = [run for run in runs if wanted.day in (None, run["business_date"]) and run["status"] != "not_run"]
    return dict(judged[0]["judged_by"]) if judged else {}


def _points(runs: list[reading.Row]) -> list[dict[str, Any]]:
    """Numbers of breaks, oldest first; a day that was not run is a gap."""
    status = {"agreed": "passed", "broken": "failed", "not_run": "not_run"}
    return [
        {
            "measured": None if run["status"] == "not_run" else Decimal(run["breaks"]),
            "threshold": None,
            "status": status[run["status"]],
            "business_date": run["business_date"],
        }
        for run in reversed(runs)
    ]


def _begin(age: str) -> int:
    first = age.partition("-")[0].rstrip("+")
    return int(first) if first.isdecimal() else 0


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value
