"""The commands `quality ...`: what the rules are checked for, what they find where no file is, what they are worth."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli.output import JsonOption, print_json, stdout

if TYPE_CHECKING:
    from fulcrum.quality.verdict import Verdict

DateOption = Annotated[dt.datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    quality = typer.Typer(no_args_is_help=True, help="The rules of the gate.")
    quality.callback()(_group)
    quality.command("lint")(lint)
    quality.command("timeliness")(timeliness)
    quality.command("accounts")(accounts)
    quality.command("funds")(funds)
    quality.command("measure")(measure)
    quality.command("docs")(docs)
    app.add_typer(quality, name="quality", rich_help_panel="Quality")


def _group() -> None:
    """The rules of the gate."""


def lint(as_json: JsonOption = False) -> None:
    """Check suites, tolerances and reconciliations in quality/; exit code 1 if anything is wrong with them."""
    from fulcrum.governance.reconciliation import contract
    from fulcrum.quality import suites
    from fulcrum.settings import read_settings

    settings = read_settings()
    names = suites.suite_names(settings)
    problems = [*suites.lint(settings), *contract.lint(settings, dt.datetime.now(dt.UTC).date())]
    if not names:
        problems.append("quality/suites: there is no suite.")
    if as_json:
        print_json({"suites": list(names), "problems": problems})
    else:
        for problem in problems:
            stdout().print(problem, markup=False, soft_wrap=True)
        count = len(problems)
        stdout().print(f"{len(names)} suites, {count} problem{'' if count == 1 else 's'}", markup=False)
    if problems:
        raise typer.Exit(1)


def timeliness(date: DateOption, as_json: JsonOption = False) -> None:
    """Judge which feeds arrived for a business date: missing, late, early or small; exit code 1 if one is missing.

    A feed is missed from the date that its contract states, or else from its first file on; others are only named.
    """
    from fulcrum.contracts.catalog import load_contracts
    from fulcrum.quality.missed import never_delivered
    from fulcrum.quality.timeliness import judge_timeliness
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    settings = read_settings()
    contracts = load_contracts(settings)
    with engine.connect(settings) as connection:
        feeds = never_delivered(connection, contracts, dt.datetime.now(dt.UTC))
    _tell(judge_timeliness(settings, contracts, date.date()), as_json, feeds)


def accounts(date: DateOption, as_json: JsonOption = False) -> None:
    """Judge the net asset values of a business date by the identities of accounting; exit code 1 if one is broken."""
    from fulcrum.quality.inspection import inspect
    from fulcrum.settings import read_settings

    _tell(inspect(read_settings(), "mart/portfolio_nav", "mart.portfolio_nav", date.date()), as_json)


def funds(date: DateOption, as_json: JsonOption = False) -> None:
    """Judge whether sources that report the same fund (portfolios with one ISIN) agree on what it holds."""
    from fulcrum.quality.inspection import inspect
    from fulcrum.settings import read_settings

    _tell(inspect(read_settings(), "core/fund", "same fund, two sources", date.date()), as_json)


def measure(folder: Path, as_json: JsonOption = False) -> None:
    """Measure the price rules on histories with known errors: `X.csv` is wrong, `X-fixed.csv` true.

    Runs on a server of its own. Exits 1 if fewer than 95 percent are found, or 1 point in 1,000 is a false alarm.
    """
    from fulcrum.pipeline.known_errors import measure_apart, table_of, total_of

    kinds = measure_apart(folder)
    total = total_of(kinds)
    if as_json:
        print_json({name: kind.as_json() for name, kind in sorted(kinds.items())} | {"all": total.as_json()})
    else:
        stdout().print(table_of(kinds))
        for missed in total.missed:
            stdout().print(f"not found: {missed}", markup=False, soft_wrap=True)
        for note in total.notes:
            stdout().print(f"note: {note}", markup=False, soft_wrap=True)
    if total.recall < 95 or total.false_alarms >= 1:  # noqa: PLR2004 what the rules promise
        raise typer.Exit(1)


def docs(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pages; made if it is not there.")],
    delivery: Annotated[list[int] | None, typer.Option(help="Only of this delivery; may be given again.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write Great Expectations' Data Docs of the newest validations: no personal value, nothing of another host."""
    from fulcrum.contracts.catalog import load_contracts
    from fulcrum.entitlements.classification import read_classifications
    from fulcrum.quality import data_docs
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    settings = read_settings()
    classes = read_classifications(settings.project / "schemas" / "contracts")
    with engine.connect(settings, application_name="fulcrum docs") as connection:
        pages = data_docs.build(connection, load_contracts(settings), classes, output, delivery)
    if as_json:
        print_json({"pages": [{"file": page.file, "verdict": page.verdict, "rules": page.rules} for page in pages]})
    else:
        stdout().print(f"{len(pages)} validations documented: open {output / 'index.html'}", markup=False)


def _tell(verdict: Verdict, as_json: bool, never_delivered: list[str] | None = None) -> None:
    found: list[dict[str, Any]] = [
        {
            "rule": result.rule_id,
            "severity": result.severity,
            "status": result.status,
            "message": result.message,
            "failed": result.details.get("failed", []),
        }
        for result in verdict.results
    ]
    if as_json:
        beside = {} if never_delivered is None else {"never_delivered": never_delivered}
        print_json({"verdict": verdict.verdict, "validation_id": verdict.validation_id, "results": found} | beside)
    else:
        for one in found:
            stdout().print(f"{one['status']:8} {one['severity']:8} {one['rule']}: {one['message']}", markup=False)
            for subject, value in one["failed"]:
                stdout().print(f"         {subject}: {value}", markup=False, soft_wrap=True)
        if never_delivered:
            told = f"never delivered yet, so not missed: {', '.join(never_delivered)}"
            stdout().print(told, markup=False, soft_wrap=True)
        stdout().print(f"verdict {verdict.verdict}, validation {verdict.validation_id}", markup=False)
    critical = any(one["status"] in ("failed", "broken") and one["severity"] == "critical" for one in found)
    if critical:
        raise typer.Exit(1)
