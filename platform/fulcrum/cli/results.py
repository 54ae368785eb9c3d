"""The command `results`: what each rule measured in a delivery, and which rows of its file a failed one found.

Rows that were refused are `quarantine`'s, in `delivery.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli.output import JsonOption, coloured, print_json, print_table, stdout

if TYPE_CHECKING:
    from fulcrum.governance.desk.found import Found
    from fulcrum.quality.results import StoredResult

_STYLES = {"passed": "green", "failed": "bold red", "broken": "bold red", "not_run": "dim"}
_LINES = 8


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(rich_help_panel="Quality")(results)


def results(
    delivery: Annotated[int, typer.Argument(help="Number of a delivery; `fulcrum deliveries` lists them.")],
    rule: Annotated[
        str | None, typer.Option("--rule", help="The rows that this rule found, with what was published from them.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what each rule measured in a delivery, and which lines of the file a failed warning found."""
    from dataclasses import asdict

    from fulcrum.governance.desk.found import lines_of

    judged, there = _read(delivery, rule)
    if there is not None:
        _tell_rows(judged[0], there, as_json=as_json)
        return
    if as_json:
        told = [{name: value for name, value in asdict(one).items() if name != "result"} for one in judged]
        print_json({"results": [row | {"lines": lines_of(one)} for row, one in zip(told, judged, strict=True)]})
        return
    rows = [
        [
            one.rule_id,
            one.severity,
            coloured(one.status, _STYLES),
            "" if one.measured is None else f"{one.measured:f}",
            "" if one.threshold is None else f"{one.threshold:f}",
            one.unit or "",
            f"{one.rows_failed:,}" if one.rows_failed else "",
            _first(lines_of(one)),
        ]
        for one in judged
    ]
    columns = ("rule", "severity", "result", "measured", "threshold", "unit", "rows", "lines")
    print_table(columns, rows, empty="No rule has run: the file was not judged.")


def _first(lines: list[int]) -> str:
    return ", ".join(map(str, lines[:_LINES])) + (" ..." if len(lines) > _LINES else "")


def _read(number: int, rule_id: str | None) -> tuple[list[StoredResult], Found | None]:
    """The results of the newest validation; of one rule with the rows that it found.

    Raises:
        QueryError: there is no such delivery, or the rule did not judge it.
    """
    from fulcrum.errors import QueryError
    from fulcrum.governance.desk import reading
    from fulcrum.quality.results import latest_results
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import migrations
    from fulcrum.warehouse.engine import connect

    settings = read_settings()
    migrations.ensure_created(settings)
    with connect(settings, application_name="fulcrum") as connection:
        known = reading.delivery(connection, number)
        if known is None:
            raise QueryError(f"There is no delivery {number}.", remedy="`fulcrum deliveries` lists them.")
        judged = latest_results(connection, number)
        if rule_id is None:
            return judged, None
        named = [one for one in judged if one.rule_id == rule_id]
        if not named:
            raise QueryError(f"Rule {rule_id} did not judge delivery {number}.", remedy="Leave --rule out to see all.")
        return named, _found(settings, connection, known, named[0])


def _found(settings: Any, connection: Any, known: dict[str, Any], result: StoredResult) -> Found:
    from fulcrum.contracts.catalog import contract_for
    from fulcrum.errors import ContractError, GateError
    from fulcrum.governance.desk import found
    from fulcrum.quality.suites import load_suite

    try:
        contract = contract_for(settings, known["feed"])
        suite = load_suite(settings, contract.suite or contract.target.replace(".", "/"))
    except (ContractError, GateError):
        return found.found(connection, known, result, target_name=None, rule=None, is_whole_house=True)
    rule = {one.id: one for one in suite.rules}.get(result.rule_id)
    return found.found(connection, known, result, target_name=contract.target, rule=rule, is_whole_house=True)


def _tell_rows(result: StoredResult, there: Found, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        rows = [asdict(row) for row in there.rows]
        print_json({"rule_id": result.rule_id, "status": result.status, "rows_found": there.in_all, "rows": rows})
        return
    names = [one.name for one in there.shown]
    cells = [
        [str(row.source_row), *((row.told or {}).get(name) or "" for name in names), _state(row.told, row.is_current)]
        for row in there.rows
    ]
    print_table(("line", *names, "published"), cells, empty="No rows are kept of this result.")
    if there.in_all > there.kept:
        stdout().print(f"The first {there.kept} of {there.in_all:,}.", markup=False)


def _state(told: Any, is_current: bool) -> str:
    if told is None:
        return "nothing"
    return "yes" if is_current else "replaced since"
