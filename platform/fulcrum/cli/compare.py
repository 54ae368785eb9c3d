"""The command `compare`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from fulcrum.cli.output import JsonOption, print_json, print_table, stdout

if TYPE_CHECKING:
    from fulcrum.governance.differences import Comparison

_COLUMNS = ("instrument", "reported", "computed", "difference", "%", "status", "price from", "price of")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(rich_help_panel="Deliveries")(compare)


def compare(
    portfolio: Annotated[str, typer.Argument(help="Code of the portfolio.")],
    date: Annotated[dt.datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Business date.")],
    over_pct: Annotated[str, typer.Option("--over-pct", help="List positions that differ by more percent.")] = "1",
    as_json: JsonOption = False,
) -> None:
    """Compare our valuation with the values that the source reports, position by position."""
    from fulcrum.governance import differences
    from fulcrum.settings import read_settings
    from fulcrum.warehouse.engine import connect

    try:
        threshold = Decimal(over_pct)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{over_pct!r} is not a number", param_hint="--over-pct") from error
    with connect(read_settings(), application_name="fulcrum compare") as connection:
        found = differences.compare(connection, portfolio, date.date())
    if as_json:
        print_json(found.as_json())
    else:
        _print(found, threshold)


def _print(found: Comparison, threshold: Decimal) -> None:
    beyond = found.beyond(threshold)
    print_table(
        _COLUMNS,
        [
            (
                position.instrument_name or position.instrument_code,
                position.reported_value,
                None if position.computed_value is None else round(position.computed_value, 2),
                None if position.difference is None else round(position.difference, 2),
                position.difference_pct,
                position.valuation_status_code,
                position.price_source_code,
                position.price_date,
            )
            for position in beyond
        ],
        empty=f"No position differs by more than {threshold} %.",
        title=f"{found.portfolio_code} on {found.business_date}: differences of more than {threshold} %",
    )
    console = stdout()
    console.print(
        f"{len(found.positions):,} positions, {found.reported_value:,} reported;"
        f" {found.coverage_pct} % of it valued from independent prices:"
        f" {found.compared_reported_value:,} reported, {found.compared_computed_value:,.2f} computed."
    )
    console.print("Status: " + ", ".join(f"{name} {count:,}" for name, count in sorted(found.statuses.items())))
    console.print("Prices from: " + ", ".join(f"{name} {count:,}" for name, count in sorted(found.sources.items())))
