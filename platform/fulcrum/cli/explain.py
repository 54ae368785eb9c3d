"""The command `explain`: any number down to the file and row that told its inputs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli.output import JsonOption, print_json, stdout

if TYPE_CHECKING:
    from rich.tree import Tree

    from fulcrum.governance.explanation import Explanation, Source

_SHOWN = 25

Portfolio = Annotated[str, typer.Option("--portfolio", "-p", help="Code of the portfolio.")]
Isin = Annotated[str | None, typer.Option("--isin", help="ISIN of the instrument.")]
Instrument = Annotated[str | None, typer.Option("--instrument", help="Our code of the instrument, if it has no ISIN.")]
Position = Annotated[str | None, typer.Option("--position", help="Position code, where there are several lines.")]
Date = Annotated[dt.datetime, typer.Option("--date", "-d", formats=["%Y-%m-%d"], help="Business date.")]
KnownAt = Annotated[
    dt.datetime | None,
    typer.Option(
        "--known-at",
        formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"],
        help="As known at this moment (UTC, unless it says another zone); default: now.",
    ),
]

app = typer.Typer(help="Explain a number: formula, inputs, publication, file and row of each.", no_args_is_help=True)


def register(root: typer.Typer) -> None:
    """Add the commands to `root`."""
    root.add_typer(app, name="explain", rich_help_panel="Deliveries")


@app.command()
def valuation(
    portfolio: Portfolio,
    date: Date,
    isin: Isin = None,
    instrument: Instrument = None,
    position: Position = None,
    known_at: KnownAt = None,
    as_json: JsonOption = False,
) -> None:
    """The value of one position in the portfolio's currency."""
    which = {"portfolio": portfolio, "isin": isin, "instrument": instrument, "position": position}
    _explain("valuation", date, known_at, as_json, which)


@app.command()
def nav(portfolio: Portfolio, date: Date, known_at: KnownAt = None, as_json: JsonOption = False) -> None:
    """The net asset value of a portfolio, as the sum of its positions."""
    _explain("nav", date, known_at, as_json, {"portfolio": portfolio})


@app.command()
def holding(
    portfolio: Portfolio,
    date: Date,
    isin: Isin = None,
    instrument: Instrument = None,
    position: Position = None,
    known_at: KnownAt = None,
    as_json: JsonOption = False,
) -> None:
    """One holding as its file reports it."""
    which = {"portfolio": portfolio, "isin": isin, "instrument": instrument, "position": position}
    _explain("holding", date, known_at, as_json, which)


@app.command()
def price(
    date: Date,
    isin: Isin = None,
    instrument: Instrument = None,
    known_at: KnownAt = None,
    as_json: JsonOption = False,
) -> None:
    """The prices of an instrument on a date."""
    _explain("price", date, known_at, as_json, {"isin": isin, "instrument": instrument})


def _explain(
    what: str, date: dt.datetime, known_at: dt.datetime | None, as_json: bool, which: dict[str, str | None]
) -> None:
    from fulcrum.governance import explain as explain_
    from fulcrum.settings import read_settings
    from fulcrum.warehouse.engine import connect

    if known_at is not None and known_at.tzinfo is None:
        known_at = known_at.replace(tzinfo=dt.UTC)
    settings = read_settings()
    options: dict[str, Any] = which | {"date": date.date(), "known_at": known_at}
    if what != "nav":
        options["settings"] = settings
    with connect(settings, application_name="fulcrum explain") as connection:
        found: Explanation = getattr(explain_, f"explain_{what}")(connection, **options)
    if as_json:
        print_json(found.as_json())
    else:
        stdout().print(_tree(found))


def _tree(found: Explanation) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    amount = "no value" if found.value is None else f"{found.value:f} {found.unit or ''}"
    keys = ", ".join(found.keys.values())
    tree = Tree(Text(f"{found.subject} of {keys}: {amount}", style="bold"))
    tree.add(Text(found.formula))
    tree.add(Text(f"{found.status}: {found.meaning}"))
    tree.add(Text(f"publication {found.publication_id}, as known at publication {found.known_as_of}"))
    for each in found.inputs[:_SHOWN]:
        value = (
            "?" if each.value is None else format(each.value, "f") if hasattr(each.value, "quantize") else each.value
        )
        words = [each.name, "=", str(value), each.unit or "", f"({each.note})" if each.note else ""]
        branch = tree.add(Text(" ".join(word for word in words if word)))
        if each.source is not None:
            _add_source(branch, each.source)
    for said in found.details.get("overrides", ()):
        tree.add(Text(said, style="bold"))
    if len(found.inputs) > _SHOWN:
        tree.add(Text(f"and {len(found.inputs) - _SHOWN} more (--json shows all)"))
    return tree


def _add_source(branch: Tree, source: Source) -> None:
    from rich.text import Text

    known = f", {source.known_at:%Y-%m-%d %H:%M:%S} UTC" if source.known_at else ""
    branch.add(Text(f"publication {source.publication_id} of {source.feed}{known}, gate: {source.verdict}"))
    if source.override:
        branch.add(Text(str(source.override), style="bold"))
    if source.file_name:
        branch.add(Text(f"{source.file_name}, {source.place or f'row {source.source_row}'}, sha256 {source.sha256}"))
    if source.text:
        branch.add(Text(source.text, style="dim"))
