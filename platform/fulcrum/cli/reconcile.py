"""The commands of reconciliation: `reconcile` compares two sources, `breaks` lists where they differ."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

import typer

from fulcrum.cli.output import JsonOption, coloured, print_json, print_table, stdout

_PANEL = "Quality desk"
_SEVERITY = {"critical": "red", "warning": "yellow"}
Name = Annotated[str, typer.Argument(help="Of quality/reconciliations.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("reconcile", rich_help_panel=_PANEL)(reconcile)
    app.command("breaks", rich_help_panel=_PANEL)(breaks)


def reconcile(
    name: Name,
    date: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Business date.")],
    known: Annotated[int | None, typer.Option(help="Publication to look at; default: the newest.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two sources on a date; exit code 1 if they differ or one has nothing."""
    from fulcrum.governance.desk.policy import load_desk_policy
    from fulcrum.governance.reconciliation import contract, run
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    settings = read_settings()
    ready = contract.load(settings, name, dt.datetime.now(dt.UTC).date())
    with engine.connect(settings, application_name="fulcrum reconcile") as connection:
        done = run.reconcile(connection, load_desk_policy(settings), ready, date.date(), known=known)
    if as_json:
        print_json(asdict(done))
    else:
        stdout().print(f"{name} on {date:%Y-%m-%d}: {done.message}", markup=False)
        if done.opened or done.healed:
            stdout().print(f"Findings opened: {done.opened:,}, healed: {done.healed:,}.", markup=False)
    if done.status != "agreed":
        raise typer.Exit(1)


def breaks(
    name: Annotated[str | None, typer.Argument(help="Only of this reconciliation.")] = None,
    date: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Of this business date, healed ones, too.")
    ] = None,
    class_code: Annotated[str | None, typer.Option("--class", help="Only of this class.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List breaks, the worst and oldest first: open ones, or all of a date."""
    from fulcrum.governance.reconciliation.listing import listed
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        found = listed(connection, name=name, day=date.date() if date else None, class_code=class_code, limit=limit)
    if as_json:
        print_json({"breaks": [asdict(each) for each in found]})
        return
    rows = [
        [
            each.name,
            f"{each.business_date}",
            coloured(each.severity, _SEVERITY),
            each.class_code,
            each.break_key,
            each.difference_of,
            "" if each.difference is None else f"{each.difference:f}",
            each.age_bucket,
            each.state,
            "" if each.exception_id is None else str(each.exception_id),
        ]
        for each in found
    ]
    columns = ("name", "date", "severity", "class", "key", "of", "A - B", "age", "state", "exception")
    print_table(columns, rows, empty="Nothing differs.")
