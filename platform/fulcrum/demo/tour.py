"""The demo from end to end: make the files, deliver them, show what happened, ask three questions."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from fulcrum.contracts.catalog import load_contracts
from fulcrum.demo import faults
from fulcrum.demo.api import Api, temporary_api
from fulcrum.demo.arrivals import Arrival, deliver_all
from fulcrum.demo.market import Market
from fulcrum.demo.overridden import DECIDES, Story, override_stale_price
from fulcrum.demo.plan import Plan, Planned
from fulcrum.demo.questions import questions
from fulcrum.demo.summary import check_navs, faults_table, feeds_table
from fulcrum.demo.universe import build_universe
from fulcrum.entitlements.keys import create_key
from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.errors import FulcrumError
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reconciliation.contract import load as load_reconciliation
from fulcrum.governance.reconciliation.listing import listed
from fulcrum.governance.reconciliation.run import reconcile
from fulcrum.pipeline.report import DeliveryReport
from fulcrum.services import supervise
from fulcrum.settings import Settings
from fulcrum.warehouse import migrations, server
from fulcrum.warehouse.engine import connect

KEY_DAYS = 30
RECONCILIATION = "custody_positions"
SHOWN_LINES = 40


@dataclass(frozen=True)
class Size:
    """How large the made-up house is, and from which seed."""

    portfolios: int = 20
    positions: int = 100
    seed: int = 7


def run_demo(settings: Settings, size: Size, console: Console, *, serve: bool) -> int:
    """Run everything; the exit code is 0 only if Fulcrum said what the known truth demands.

    Raises:
        FulcrumError: the state folder holds the demo of another size or seed.
    """
    console.rule("[bold]Fulcrum demo")
    notify = _notifier(console)
    notify("Starting PostgreSQL")
    server.ensure_running(settings, notify=notify)
    migrations.upgrade(settings)
    plan = _plan(settings, size, notify)
    arrivals = deliver_all(settings, plan.arrivals(), _narrator(console))
    console.print(feeds_table(arrivals), faults_table(arrivals), sep="\n\n")
    story = override_stale_price(settings, plan)
    console.print(f"\n{story.line()}")
    good = _tell_truth(settings, plan, arrivals, console)
    good &= _reconcile(settings, plan, console)
    with connect(settings, role="fulcrum_owner") as connection:
        register(connection, load_policy(settings), Principal("demo", "person", ("administrator",), WHOLE_HOUSE))
        key = create_key(connection, "demo", KEY_DAYS)
        connection.commit()
    with _api(settings, key, notify, serve=serve) as api:
        good &= _check(story, api, console) & _ask(settings, plan, api, console)
    if serve:
        _say_where(settings, key, console)
    return 0 if good else 1


def _plan(settings: Settings, size: Size, notify: Callable[[str], None]) -> Plan:
    folder = settings.home / "demo"
    mark = folder / "size.json"
    wanted = {"portfolios": size.portfolios, "positions": size.positions, "seed": size.seed}
    if mark.exists() and json.loads(mark.read_text()) != wanted:
        raise FulcrumError(
            f"This state folder holds a demo of another size: {mark.read_text()}.",
            remedy="Run `fulcrum reset --yes` first, or set FULCRUM_HOME to another folder.",
        )
    notify(f"Making up a house of {size.portfolios:,} portfolios with {size.positions:,} positions each")
    plan = Plan(Market(build_universe(size.seed, size.portfolios, size.positions)), load_contracts(settings), folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(json.dumps(wanted))
    plan.write_truth()
    return plan


def _notifier(console: Console) -> Callable[[str], None]:
    return lambda sentence: console.print(f"[dim]{sentence} ...[/]")


def _narrator(console: Console) -> Callable[[Planned, DeliveryReport | None], None]:
    """One line for each file that ended; what goes on in between is shown by the line before it."""
    styles = {"published": "green", "restated": "cyan", "no_op": "dim", "blocked": "red", "refused": "red"}

    def say(planned: Planned, report: DeliveryReport | None) -> None:
        if report is None:
            return
        said = str(report.outcome)
        counts = f"{report.rows_in:>7,} rows in {report.rows_published:>7,} published"
        extra = f"  {report.rows_quarantined} quarantined" if report.rows_quarantined else ""
        fault = f"  [yellow]({planned.fault})[/]" if planned.fault else ""
        console.print(
            f"{planned.business_date}  {planned.feed:<20} [{styles[said]}]{said:<9}[/] {counts}{extra}{fault}",
            highlight=False,
        )

    return say


def _tell_truth(settings: Settings, plan: Plan, arrivals: list[Arrival], console: Console) -> bool:
    with connect(settings) as connection:
        navs = check_navs(connection, plan)
    console.print(
        f"\nNet asset values against the known truth: {navs.equal:,} equal to the cent; {navs.marked:,} differ and say"
        f" so (incomplete, flagged, warned or an older price); {navs.unknowable:,} rest on a price that the vendor"
        f" repeated, too few times yet to tell; {len(navs.silent):,} differ silently."
    )
    for line in navs.silent[:10]:
        console.print(f"  [red]{line}[/]")
    surprises = [arrival for arrival in arrivals if not arrival.as_expected]
    for arrival in surprises:
        console.print(
            f"[red]Not as expected:[/] {arrival.report.file}: {arrival.report.outcome},"
            f" {arrival.report.rows_quarantined} quarantined; expected {arrival.planned.expected},"
            f" {arrival.planned.quarantined}. {' '.join(arrival.report.messages[:3])}"
        )
    return not navs.silent and not surprises


def _reconcile(settings: Settings, plan: Plan, console: Console) -> bool:
    """Compare the custodian's book with ours, and the classes of what differs with what was planted."""
    day = plan.market.days[-1]
    ready = load_reconciliation(settings, RECONCILIATION, dt.datetime.now(dt.UTC).date())
    with connect(settings) as connection:
        done = reconcile(connection, load_desk_policy(settings), ready, day)
        connection.commit()
        breaks = listed(connection, name=RECONCILIATION, day=day)
    table = Table("class", "severity", "key", "differs by", "finding", title_justify="left")
    table.title = f"What the custodian has otherwise on {day}: {done.message}"
    for one in breaks:
        number = "" if one.difference is None else f"{one.difference:f} {one.difference_of}"
        table.add_row(one.class_code, one.severity, one.break_key, number, str(one.exception_id or ""))
    console.print(table)
    if done.by_class != faults.CUSTODY_BREAKS:
        console.print(f"[red]Not as expected:[/] {done.by_class}; planted were {faults.CUSTODY_BREAKS}.")
    return done.by_class == faults.CUSTODY_BREAKS


def _check(story: Story, api: Api, console: Console) -> bool:
    """Whether the override did what was estimated, and the API says so."""
    if story.is_as_estimated and story.is_told_by(api):
        return True
    console.print(f"[red]Not as expected:[/] {story.moved}")
    return False


def _api(settings: Settings, key: str, notify: Callable[[str], None], *, serve: bool) -> AbstractContextManager[Api]:
    if not serve:
        notify("Starting the GraphQL API for three questions")
        return temporary_api(settings, key)
    supervise.up(settings, notify)
    return nullcontext(Api(settings.api_port, key))


def _ask(settings: Settings, plan: Plan, api: Api, console: Console) -> bool:
    good = True
    for question in questions(settings, plan):
        console.rule(f"[bold]{question.title}")
        console.print(Syntax(question.query.strip(), "graphql", theme="ansi_dark", background_color="default"))
        answers = []
        for label, variables in question.asked:
            answers.append(api.ask(question.query, variables))
            console.print(f"[dim]{label}: {json.dumps(variables)}[/]")
            console.print(Syntax(_short(answers[-1]), "json", theme="ansi_dark", background_color="default"))
            good &= "errors" not in answers[-1]
        if len(answers) > 1 and good:
            console.print(_differences(answers))
    return good


def _differences(answers: list[dict[str, Any]]) -> Table:
    """The quantities that two answers to the question of holdings do not share."""
    table = Table("instrument", "quantity before", "after", title="What the restatement changed", title_justify="left")
    before, after = (
        {node["instrument"]["name"]: node["quantity"] for node in answer["data"]["portfolio"]["holdings"]["nodes"]}
        for answer in answers
    )
    for name in before | after:
        if before.get(name) != after.get(name):
            table.add_row(name, before.get(name, "(not among these)"), after.get(name, "(not among these)"))
    return table


def _short(answer: dict[str, Any]) -> str:
    lines = json.dumps(answer, indent=2, ensure_ascii=False).splitlines()
    left_out = len(lines) - SHOWN_LINES
    return "\n".join(lines if left_out <= 0 else [*lines[:SHOWN_LINES], f"... {left_out} more lines"])


def _say_where(settings: Settings, key: str, console: Console) -> None:
    console.rule("[bold]Left running")
    console.print(f"GraphQL   http://127.0.0.1:{settings.api_port}/graphiql")
    console.print(f"Dagster   http://127.0.0.1:{settings.dagster_port}")
    console.print(
        f"Desk      http://127.0.0.1:{settings.api_port}/desk   One delivery is stopped. Ask for a waiver there,"
    )
    console.print(f"          then sign in as who may approve it: `fulcrum keys create {DECIDES}`.")
    console.print(f"API key   {key}   (header `Authorization: Bearer <key>`, good for {KEY_DAYS} days)")
    console.print(
        f"Files     {Path('<state folder>') / 'demo'}   Stop with `make down`; start over: `fulcrum reset --yes`"
    )
