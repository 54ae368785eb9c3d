"""The commands of the quality desk: `exceptions`, `waivers`, `rollback` and `audit`."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

import typer

from fulcrum.cli.acting import reading, signed
from fulcrum.cli.output import JsonOption, coloured, print_json, print_table, stdout

_PANEL = "Quality desk"
_SEVERITY = {"critical": "red", "warning": "yellow"}

Number = Annotated[int, typer.Argument(help="Its number.")]
Comment = Annotated[str, typer.Option(help="Why, for those who read it later.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    exceptions = typer.Typer(no_args_is_help=True, help="Work on findings; moves are signed by FULCRUM_API_KEY.")
    exceptions.command("list")(list_exceptions)
    exceptions.command("show")(show_exception)
    exceptions.command("move")(move_exception)
    app.add_typer(exceptions, name="exceptions", rich_help_panel=_PANEL)
    waivers = typer.Typer(no_args_is_help=True, help="Ask to publish in spite of a rule, and decide on it.")
    waivers.command("list")(list_waivers)
    waivers.command("ask")(ask_waiver)
    waivers.command("approve")(approve_waiver)
    waivers.command("refuse")(refuse_waiver)
    waivers.command("withdraw")(withdraw_waiver)
    waivers.command("end")(end_waiver)
    app.add_typer(waivers, name="waivers", rich_help_panel=_PANEL)
    app.command("rollback", rich_help_panel=_PANEL)(rollback)
    app.command("audit", rich_help_panel=_PANEL)(show_audit)


def list_exceptions(
    feed: Annotated[str | None, typer.Option(help="Only of this feed.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only of this owner.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List open findings, the most pressing first."""
    from fulcrum.governance.desk import exceptions
    from fulcrum.governance.desk.moves import State

    states = [state for state in State if everything or state is not State.RESOLVED]
    with reading() as connection:
        found = exceptions.listed(connection, states=states, feed=feed, owner=owner)
    if as_json:
        print_json({"exceptions": [asdict(each) for each in found]})
        return
    rows = [
        [
            str(each.exception_id),
            coloured(each.severity, _SEVERITY),
            each.rule_id,
            each.subject,
            each.state,
            each.owner_name or "",
            f"{each.due_date}",
            each.message,
        ]
        for each in found
    ]
    print_table(("id", "severity", "rule", "subject", "state", "owner", "due", "says"), rows, empty="Nothing is open.")


def show_exception(number: Number, as_json: JsonOption = False) -> None:
    """Show one finding with its whole history and the moves that are possible now."""
    from fulcrum.governance.desk import exceptions
    from fulcrum.governance.desk.moves import State, possible

    with reading() as connection:
        found = exceptions.get(connection, number)
        events = exceptions.history(connection, number)
    can = possible(State(found.state))
    if as_json:
        print_json({**asdict(found), "history": [asdict(event) for event in events], "possible": can})
        return
    stdout().print(f"{found.rule_id} on {found.subject}: {found.message}", markup=False)
    stdout().print(f"{found.state}, due {found.due_date}; possible: {', '.join(can)}", markup=False)
    rows = [
        [
            f"{event.at:%Y-%m-%d %H:%M}",
            event.actor_name,
            event.move,
            event.to_state,
            event.owner_name or "",
            event.reason_code or "",
            event.comment or "",
        ]
        for event in events
    ]
    print_table(("at", "who", "move", "to", "owner", "reason", "comment"), rows, empty="")


def move_exception(
    number: Number,
    move: Annotated[str, typer.Argument(help="acknowledge, assign, comment, resolve or reopen.")],
    owner: Annotated[str | None, typer.Option(help="To whom it is assigned.")] = None,
    reason: Annotated[str | None, typer.Option(help="Reason code, of quality/desk.yaml.")] = None,
    comment: Annotated[str | None, typer.Option(help="What others should know.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Move a finding; refused with the possible moves where it is not legal."""
    from fulcrum.errors import DecisionError
    from fulcrum.governance.desk import exceptions
    from fulcrum.governance.desk.moves import Move, Step

    if move not in list(Move):
        raise DecisionError(f"There is no move {move!r}.", remedy=f"One of {', '.join(Move)}.")
    with signed("work") as (connection, policy, actor):
        found = exceptions.move(connection, policy, number, actor, Step(Move(move), owner, reason, comment))
    if as_json:
        print_json(asdict(found))
    else:
        stdout().print(f"Exception {number} is {found.state}.", markup=False)


def list_waivers(
    state: Annotated[str | None, typer.Option(help="asked, approved, refused, withdrawn or ended.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List waivers, the undecided first."""
    from fulcrum.governance.desk import waivers

    with reading() as connection:
        found = waivers.listed(connection, state=state)
    if as_json:
        print_json({"waivers": [asdict(each) for each in found]})
        return
    rows = [
        [
            str(each.waiver_id),
            each.state,
            each.rule_id,
            each.feed,
            f"{each.begin_date} to {each.end_date}",
            each.asked_by,
            each.decided_by or "",
            each.ended_by or "",
            each.reason,
        ]
        for each in found
    ]
    names = ("id", "state", "rule", "feed", "covers", "asked by", "decided by", "ended by", "reason")
    print_table(names, rows, empty="None.")


def ask_waiver(
    rule: Annotated[str, typer.Argument(help="Id of a critical rule.")],
    feed: Annotated[str, typer.Argument(help="The feed whose deliveries it covers.")],
    begin: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="First business date.")],
    end: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Last business date.")],
    reason: Annotated[str, typer.Option(help="Why it may be published all the same.")],
    exception: Annotated[int | None, typer.Option(help="The finding that it answers.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a waiver; somebody else decides."""
    from fulcrum.governance.desk import waivers

    with signed("work") as (connection, policy, actor):
        request = waivers.Request(rule, feed, begin.date(), end.date(), reason, exception)
        _say_waiver(waivers.ask(connection, policy, actor, request), as_json=as_json)


def approve_waiver(number: Number, comment: Comment = "", as_json: JsonOption = False) -> None:
    """Approve a waiver that somebody else asked for."""
    from fulcrum.governance.desk import waivers

    with signed("decide") as (connection, _, actor):
        _say_waiver(waivers.decide(connection, actor, number, "approved", comment), as_json=as_json)


def refuse_waiver(number: Number, comment: Comment = "", as_json: JsonOption = False) -> None:
    """Refuse a waiver that somebody else asked for."""
    from fulcrum.governance.desk import waivers

    with signed("decide") as (connection, _, actor):
        _say_waiver(waivers.decide(connection, actor, number, "refused", comment), as_json=as_json)


def withdraw_waiver(number: Number, as_json: JsonOption = False) -> None:
    """Take back your own request before it is decided."""
    from fulcrum.governance.desk import waivers

    with signed("work") as (connection, _, actor):
        _say_waiver(waivers.withdraw(connection, actor, number), as_json=as_json)


def end_waiver(number: Number, comment: Comment = "", as_json: JsonOption = False) -> None:
    """End an approved waiver before its time; what was published under it stays marked."""
    from fulcrum.governance.desk import waivers

    with signed("decide") as (connection, _, actor):
        _say_waiver(waivers.end(connection, actor, number, comment), as_json=as_json)


def _say_waiver(waiver: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(waiver))
    else:
        stdout().print(
            f"Waiver {waiver.waiver_id} is {waiver.state}: {waiver.rule_id} of {waiver.feed},"
            f" {waiver.begin_date} to {waiver.end_date}.",
            markup=False,
        )


def rollback(
    publication: Annotated[int, typer.Argument(help="Number of the publication to take back.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: JsonOption = False,
) -> None:
    """Take a publication back by a new one that states the former state again."""
    from fulcrum.governance.desk import rollbacks
    from fulcrum.pipeline.derive import derive
    from fulcrum.settings import read_settings

    with signed("decide") as (connection, _, actor):
        done = rollbacks.decide(connection, actor, publication, reason)
    derive(read_settings())
    if as_json:
        print_json(asdict(done))
    else:
        stdout().print(
            f"Publication {done.publication_id} takes {done.taken_back} back:"
            f" {done.rows_ended:,} rows ended, {done.rows_restored:,} stated again, valuations follow.",
            markup=False,
        )


def show_audit(
    actor: Annotated[str | None, typer.Option(help="Only of this principal.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Show the newest decisions: who, when, what."""
    from fulcrum.governance import audit

    with reading() as connection:
        found = audit.events(connection, actor=actor, limit=limit)
    if as_json:
        print_json({"events": [asdict(event) for event in found]})
        return
    rows = [
        [
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.actor_name,
            event.action,
            event.subject,
            "; ".join(f"{name}: {value}" for name, value in event.details.items() if value is not None),
        ]
        for event in found
    ]
    print_table(("at", "who", "did", "to", "details"), rows, empty="Nothing was decided yet.")
