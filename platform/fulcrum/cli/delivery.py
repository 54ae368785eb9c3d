"""The commands about deliveries: `ingest`, `redeliver`, `feeds`, `deliveries`, `publications`, `quarantine`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli.output import JsonOption, coloured, print_json, print_table, progress, stdout
from fulcrum.errors import DeliveryRefusedError, FulcrumError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fulcrum.pipeline.report import DeliveryReport
    from fulcrum.settings import Settings

_STYLES = {
    **dict.fromkeys(("published", "restated", "passed"), "green"),
    **dict.fromkeys(("blocked", "refused", "failed"), "bold red"),
    **dict.fromkeys(("no_op", "landed"), "dim"),
    **dict.fromkeys(("warned", "waived"), "yellow"),
}

FeedOption = Annotated[str | None, typer.Option("--feed", help="Only this feed.")]
DateOption = Annotated[
    dt.datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Only this business date."),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest first.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (ingest, redeliver, feeds, deliveries, publications, quarantine):
        app.command(rich_help_panel="Deliveries")(command)


def ingest(
    feed: Annotated[str, typer.Argument(help="Name of the feed; `fulcrum feeds` lists them.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files as they came.", show_default=False)],
    date: Annotated[
        dt.datetime | None,
        typer.Option(
            "--date", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Business date, where the file tells none."
        ),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="What the file does not tell, as portfolio_code=IWM."),
    ] = None,
    derive_after: Annotated[
        bool, typer.Option("--derive/--no-derive", help="Value again what the new data changes.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Land, stage, gate and publish files of one feed. Exits 1 if any was blocked or refused.

    The same bytes again are a no-op; other content for the same date restates what differs.
    """
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import migrations

    parameters = _parameters(given or [])
    settings = read_settings()
    with progress(f"Preparing {feed}") as notify:
        migrations.ensure_created(settings)
        reports = [_deliver(settings, feed, file, date, parameters, notify) for file in files]
        derived = _derive(settings, notify) if derive_after else None
    _tell(reports, derived, as_json=as_json)


def redeliver(
    numbers: Annotated[list[int], typer.Argument(metavar="DELIVERY...", help="Numbers of deliveries.")],
    derive_after: Annotated[
        bool, typer.Option("--derive/--no-derive", help="Value again what the new data changes.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Deliver landed files again: judged afresh, as after a waiver. Exits 1 if any was blocked or refused."""
    from fulcrum.pipeline.redeliver import redeliver
    from fulcrum.settings import read_settings

    settings = read_settings()
    with progress("Delivering again") as notify:
        reports = [redeliver(settings, number, progress=notify) for number in numbers]
        derived = _derive(settings, notify) if derive_after else None
    _tell(reports, derived, as_json=as_json)


def _derive(settings: Settings, notify: Callable[[str], None]) -> dict[str, Any]:
    """What valuing again did, or why it failed: what was published stands, and must be told."""
    from fulcrum.pipeline.derive import derive

    notify("Valuing what changed")
    try:
        return derive(settings, progress=notify).as_json()
    except FulcrumError as error:
        return {"error": str(error)}


def _tell(reports: list[DeliveryReport], derived: dict[str, Any] | None, *, as_json: bool) -> None:
    """Print how deliveries ended; exit 1 if any was blocked or refused, or valuing failed."""
    if as_json:
        print_json({"deliveries": [report.as_json() for report in reports], "derived": derived})
    else:
        _print_reports(reports, derived)
    if not all(report.outcome.is_good for report in reports) or (derived and "error" in derived):
        raise typer.Exit(1)


def feeds(as_json: JsonOption = False) -> None:
    """List the feeds: what each delivers, where to, who owns it and when it is due."""
    from fulcrum.contracts.catalog import load_contracts
    from fulcrum.settings import read_settings

    contracts = load_contracts(read_settings()).values()
    rows = [
        {
            "feed": contract.feed,
            "title": contract.title,
            "target": contract.target,
            "source": contract.source,
            "owner": contract.owner,
            "due": f"{contract.sla.due_time} {contract.sla.time_zone}, {contract.sla.lag_days} d later",
            "file_pattern": contract.file_pattern,
        }
        for contract in contracts
    ]
    _print_rows("feeds", rows, ("feed", "title", "target", "owner", "due"), "No feed has a contract.", as_json=as_json)


def deliveries(
    feed: FeedOption = None,
    date: DateOption = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Only these: published, blocked ...")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the files that arrived and what became of each."""
    from fulcrum.pipeline import status

    day = date.date() if date else None
    rows = _read(
        lambda connection: status.deliveries(connection, feed=feed, business_date=day, outcome=outcome, limit=limit)
    )
    columns = ("delivery_id", "landed_at", "feed", "file_name", "business_date_to", "outcome", "rows_in",
               "rows_quarantined", "rows_published", "rows_superseded", "publication_id")  # fmt: skip
    _print_rows("deliveries", rows, columns, "Nothing has arrived yet.", as_json=as_json)


def publications(feed: FeedOption = None, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List the publications: every change of the warehouse, when it was known and what caused it."""
    from fulcrum.pipeline import status

    rows = _read(lambda connection: status.publications(connection, feed=feed, limit=limit))
    columns = ("publication_id", "known_at", "kind", "target", "business_date_to", "verdict", "rows_published",
               "rows_superseded", "file_name")  # fmt: skip
    _print_rows("publications", rows, columns, "Nothing has been published yet.", as_json=as_json)


def quarantine(
    feed: FeedOption = None,
    delivery: Annotated[int | None, typer.Option("--delivery", help="Only this delivery.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the rows that were refused: file, row, column, value, rule and why."""
    from dataclasses import asdict

    from fulcrum.quality.results import quarantined

    rows = _read(lambda connection: [asdict(row) for row in quarantined(connection, delivery, feed, limit)])
    columns = ("delivery_id", "file_name", "source_row", "column_name", "value", "rule_id", "message")
    _print_rows("quarantine", rows, columns, "Nothing is in quarantine.", as_json=as_json)


def _deliver(
    settings: Settings,
    feed: str,
    file: Path,
    date: dt.datetime | None,
    parameters: dict[str, str],
    notify: Callable[[str], None],
) -> DeliveryReport:
    from fulcrum.pipeline.deliver import deliver
    from fulcrum.pipeline.report import DeliveryReport, Outcome

    try:
        return deliver(
            settings,
            feed,
            file,
            business_date=date.date() if date else None,
            parameters=parameters,
            progress=lambda step: notify(f"{file.name}: {step}"),
        )
    except DeliveryRefusedError as error:  # it could not even be landed; the other files go on
        return DeliveryReport(feed=feed, file=file.name, sha256="", outcome=Outcome.REFUSED, messages=(str(error),))


def _parameters(given: list[str]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given]
    for name, mark, _ in pairs:
        if not mark or not name:
            raise typer.BadParameter(
                "Write it as NAME=VALUE, for example --set portfolio_code=IWM.", param_hint="--set"
            )
    return {name: value for name, _, value in pairs}


def _read(query: Callable[[Any], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import migrations
    from fulcrum.warehouse.engine import connect

    settings = read_settings()
    migrations.ensure_created(settings)
    with connect(settings, application_name="fulcrum") as connection:
        return query(connection)


def _print_rows(name: str, rows: list[dict[str, Any]], columns: tuple[str, ...], empty: str, *, as_json: bool) -> None:
    if as_json:
        print_json({name: rows})
        return
    titles = [column.removesuffix("_id").removesuffix("_to").replace("_", " ") for column in columns]
    print_table(titles, ([_cell(row.get(column)) for column in columns] for row in rows), empty=empty)


def _cell(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return coloured(value, _STYLES) if isinstance(value, str) else value


def _print_reports(reports: list[DeliveryReport], derived: dict[str, Any] | None) -> None:
    columns = ("file", "date", "outcome", "rows", "quarantined", "published", "superseded", "publication")
    rows = [
        (
            report.file,
            report.business_date,
            coloured(str(report.outcome), _STYLES),
            f"{report.rows_in:,}",
            f"{report.rows_quarantined:,}",
            f"{report.rows_published:,}",
            f"{report.rows_superseded:,}",
            report.publication_id,
        )
        for report in reports
    ]
    print_table(columns, rows, empty="No files.")
    console = stdout()
    for report in reports:
        for message in report.messages:
            console.print(f"{report.file}: {message}", markup=False, soft_wrap=True)
    if derived and "error" in derived:
        console.print(f"Not valued: {derived['error']}", style="bold red", markup=False, soft_wrap=True)
    elif derived and derived.get("pairs"):
        console.print(f"Valued {derived['pairs']:,} portfolio days again.", markup=False)
