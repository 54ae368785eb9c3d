"""The commands `overrides`: a value in place of a delivered one, asked for, decided, ended and carried out."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from fulcrum.cli import reach
from fulcrum.cli.acting import reading, signed
from fulcrum.cli.desk import Comment, Number
from fulcrum.cli.output import JsonOption, print_json, print_table, stdout

_PANEL = "Quality desk"
_DAY = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    overrides = typer.Typer(no_args_is_help=True, help="Put a price or rate in place of a delivered one, for a period.")
    overrides.command("list")(list_overrides)
    overrides.command("show")(show_override)
    overrides.command("ask")(ask)
    overrides.command("approve")(approve)
    overrides.command("refuse")(refuse)
    overrides.command("withdraw")(withdraw)
    overrides.command("end")(end)
    overrides.command("apply")(apply)
    app.add_typer(overrides, name="overrides", rich_help_panel=_PANEL)


def list_overrides(
    state: Annotated[str | None, typer.Option(help="asked, approved, refused, withdrawn or ended.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List overrides, the undecided first."""
    from fulcrum.governance.desk import overrides

    with reading() as connection:
        found = overrides.listed(connection, state=state)
    if as_json:
        print_json({"overrides": [asdict(each) for each in found]})
        return
    today = dt.datetime.now(dt.UTC).date()
    rows = [
        [
            str(each.override_id),
            each.standing(today),
            each.subject_key,
            _value(each),
            f"{each.begin_date} to {each.stands_to}",
            each.asked_by,
            each.decided_by or "",
            f"{each.reason_code}: {each.reason}",
        ]
        for each in found
    ]
    print_table(("id", "state", "of", "value", "stands", "asked by", "decided by", "reason"), rows, empty="None.")


def show_override(number: Number, as_json: JsonOption = False) -> None:
    """Show one override, what is delivered for its first day and the days before, and which NAVs it moves.

    With FULCRUM_API_KEY, of the portfolios that its principal sees.
    """
    from fulcrum.governance.desk import overrides, subjects

    with reading() as connection:
        found = overrides.get(connection, number)
        delivered = subjects.delivered(connection, found.subject, found.begin_date)
    reached = reach.read(number, "quality") if found.is_live else None
    if as_json:
        told = {"delivered": [asdict(each) for each in delivered], "reach": asdict(reached) if reached else None}
        print_json({**asdict(found), **told})
        return
    _say(found, as_json=False)
    stdout().print(f"{found.reason_code}: {found.reason} ({found.asked_by})", markup=False)
    for said in (found.decision_comment, found.end_comment):
        if said:
            stdout().print(said, markup=False)
    rows = [
        [f"{each.business_date}", each.said_by, f"{each.value:f}", each.currency_code or "", each.quote_unit_code or ""]
        for each in delivered
    ]
    print_table(("date", "said by", "value", "currency", "unit"), rows, empty="Nothing is delivered for these days.")
    if reached is not None:
        reach.say(reached)


def ask(
    subject: Annotated[str, typer.Argument(help="ISIN or our code of an instrument, or a pair such as EUR/USD.")],
    value: Annotated[list[str], typer.Argument(help="12.34 USD as quoted (or 1234 GBP MINOR); of a pair only 1.0834.")],
    begin: Annotated[dt.datetime, typer.Option(formats=_DAY, help="First business date that it stands for.")],
    end: Annotated[dt.datetime, typer.Option(formats=_DAY, help="Last business date that it stands for.")],
    code: Annotated[str, typer.Option(help="Why, in one word of quality/desk.yaml.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    exception: Annotated[int | None, typer.Option(help="The finding that it answers.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a price or rate in place of what vendors say; somebody else decides."""
    from fulcrum.governance.desk import overrides, subjects

    kind, names = subjects.named(subject)
    number, currency, unit = _amount(value)
    request = overrides.Request(kind, names, number, begin.date(), end.date(), code, reason, currency, unit, exception)
    with signed("work") as (connection, policy, actor):
        made = overrides.ask(connection, policy, actor, request)
    _say(made, as_json=as_json)


def _amount(words: list[str]) -> tuple[Decimal, str | None, str | None]:
    from fulcrum.errors import DecisionError, Refusal

    text, *rest = words
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = None
    if number is None or len(rest) > len(("currency", "unit")):
        raise DecisionError(
            f"{' '.join(words)!r} is no value.", remedy="Write it like 12.34 USD.", reason=Refusal.INCOMPLETE
        )
    return number, rest[0] if rest else None, rest[1] if rest[1:] else None


def approve(
    number: Number,
    comment: Comment = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask once more on a terminal.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Approve an override that somebody else asked for; it is delivered and all that it reaches valued anew.

    What it reaches is shown before, and on a terminal has to be confirmed.
    """
    from fulcrum.governance.desk import overrides

    reached = reach.read(number, "decide")
    if not as_json:
        reach.say(reached)
        if sys.stdin.isatty() and not yes:
            typer.confirm("Approve it?", abort=True)
    with signed("decide") as (connection, _, actor):
        overrides.decide(connection, actor, number, "approved", comment)
    _carried_out(number, as_json=as_json)


def refuse(number: Number, comment: Comment = "", as_json: JsonOption = False) -> None:
    """Refuse an override that somebody else asked for."""
    from fulcrum.governance.desk import overrides

    with signed("decide") as (connection, _, actor):
        made = overrides.decide(connection, actor, number, "refused", comment)
    _say(made, as_json=as_json)


def withdraw(number: Number, as_json: JsonOption = False) -> None:
    """Take back your own request before it is decided."""
    from fulcrum.governance.desk import overrides

    with signed("work") as (connection, _, actor):
        made = overrides.withdraw(connection, actor, number)
    _say(made, as_json=as_json)


def end(
    number: Number,
    comment: Comment = "",
    last_date: Annotated[
        dt.datetime | None, typer.Option(formats=_DAY, help="Last business date that it still stands for.")
    ] = None,
    altogether: Annotated[bool, typer.Option(help="Take it back for all of its dates.")] = False,
    as_json: JsonOption = False,
) -> None:
    """End an approved override early; after its last date the delivered values hold again."""
    from fulcrum.errors import DecisionError
    from fulcrum.governance.desk import overrides

    if (last_date is None) is not altogether:
        raise DecisionError("From when on shall it not stand?", remedy="Give either --last-date or --altogether.")
    with signed("decide") as (connection, _, actor):
        overrides.end(connection, actor, number, comment, last_date.date() if last_date else None)
    _carried_out(number, as_json=as_json)


def apply(
    again: Annotated[bool, typer.Option("--again", help="Deliver again what the gate blocked.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Deliver what is approved for the days that have begun, take back what has ended, and derive.

    Every derivation does so by itself.
    """
    from fulcrum.pipeline.derive import derive
    from fulcrum.pipeline.overrides import carry_out
    from fulcrum.settings import read_settings

    settings = read_settings()
    done = carry_out(settings, is_again=again)
    derive(settings)
    if as_json:
        print_json({"overrides": [asdict(each) for each in done]})
        return
    rows = [[str(each.override_id), each.outcome, str(each.publication_id or "")] for each in done]
    print_table(("id", "outcome", "publication"), rows, empty="Nothing was due.")


def _carried_out(number: int, *, as_json: bool) -> None:
    from fulcrum.governance.desk import overrides
    from fulcrum.pipeline.derive import derive
    from fulcrum.settings import read_settings

    derive(read_settings())
    with reading() as connection:
        made = overrides.get(connection, number)
    _say(made, as_json=as_json)


def _say(made: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(made))
        return
    stdout().print(
        f"Override {made.override_id} is {made.state}: {made.subject_key} at {_value(made)},"
        f" {made.begin_date} to {made.stands_to}.",
        markup=False,
    )


def _value(made: Any) -> str:
    words = (f"{made.value:f}", made.currency_code, made.quote_unit_code)
    return " ".join(word for word in words if word)
