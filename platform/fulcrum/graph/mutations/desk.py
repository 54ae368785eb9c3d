"""What each mutation of the desk does: its input read, and the function of `fulcrum.governance.desk` called.

Who may do it was checked before; which moves are legal is decided there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fulcrum.errors import DecisionError, PublishError, Refusal
from fulcrum.governance.desk import exceptions, overrides, reading, rollbacks, waivers
from fulcrum.governance.desk.moves import Move, Step
from fulcrum.graph.desk import again, deciding
from fulcrum.graph.desk.deciding import Deciding
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.mutations.words import Act, Changed, Given
from fulcrum.graph.relay import read_id

MOST_AT_ONCE = 100


def move(which: Move) -> Callable[[Act, Given], Changed]:
    """Make the same move of several exceptions, all of them or none."""

    def moved(act: Act, given: Given) -> Changed:
        step = Step(which, given.get("ownerName"), given.get("reasonCode"), given.get("comment"))
        numbers = _numbers(given["ids"], "QualityException")
        for number in sorted(numbers):  # in one order, so that two callers wait for each other and not in a ring
            exceptions.move(act.connection, act.policy, number, act.actor, step)
        return {"exceptions": numbers}

    return moved


def ask_waiver(act: Act, given: Given) -> Changed:
    """Ask for a waiver."""
    exception_id = _exception(act, given)
    request = waivers.Request(
        given["ruleId"], given["feed"], given["beginDate"], given["endDate"], given["reason"], exception_id
    )
    return {"waiver": [waivers.ask(act.connection, act.policy, act.actor, request).waiver_id], "deliveries": []}


def decide_waiver(what: Deciding) -> Callable[[Act, Given], Changed]:
    """Decide on a waiver; what it had blocked is delivered again as soon as it is approved."""

    def decided(act: Act, given: Given) -> Changed:
        number = _number(given["id"], "Waiver")
        waiting = deciding.decide_waiver(act.connection, act.actor, number, what, given.get("comment") or "")
        if waiting:
            act.afterwards.append(lambda: again.start(act.settings, waiting))
        return {"waiver": [number], "deliveries": waiting}

    return decided


def deliver_again(act: Act, given: Given) -> Changed:
    """Put landed files through the gate once more."""
    numbers = _numbers(given["ids"], "Delivery")
    for number in numbers:
        if reading.delivery(act.connection, number) is None:
            raise DecisionError(f"There is no delivery {number}.", reason=Refusal.UNKNOWN)
    again.record(act.connection, act.actor, numbers)
    act.afterwards.append(lambda: again.start(act.settings, numbers))
    return {"deliveries": numbers}


def roll_back(act: Act, given: Given) -> Changed:
    """Take a publication back; what is derived from it follows."""
    number = _number(given["id"], "Publication")
    try:
        done = rollbacks.decide(act.connection, act.actor, number, given["reason"])
    except PublishError as error:
        raise DecisionError(error.message, remedy=error.remedy, reason=Refusal.BUILT_UPON) from error
    act.afterwards.append(lambda: again.start_deriving(act.settings))
    return {"publication": [done.publication_id], "takenBack": [number]}


def ask_override(act: Act, given: Given) -> Changed:
    """Ask for a value in place of a delivered one."""
    exception_id = _exception(act, given)
    kind, names = _subject(given["subject"])
    request = overrides.Request(
        kind,
        names,
        given["value"],
        given["beginDate"],
        given["endDate"],
        given["reasonCode"],
        given["reason"],
        given.get("currencyCode"),
        given.get("quoteUnitCode"),
        exception_id,
    )
    return {"override": [overrides.ask(act.connection, act.policy, act.actor, request).override_id]}


def decide_override(what: Deciding) -> Callable[[Act, Given], Changed]:
    """Decide on an override; NAVs follow an approval and an end."""

    def decided(act: Act, given: Given) -> Changed:
        number, comment = _number(given["id"], "Override"), given.get("comment") or ""
        if deciding.decide_override(act.connection, act.actor, number, what, comment, given.get("lastDate")):
            act.afterwards.append(lambda: again.start_deriving(act.settings))
        return {"override": [number]}

    return decided


def _subject(given: Given) -> tuple[str, dict[str, str]]:
    """The kind and the names of what is overridden, from the one way in which it is named."""
    ways = {name: value for name, value in given.items() if value is not None}
    if len(ways) != 1 or len(ways) != len(given):
        raise BadUserInputError("`subject` names exactly one thing.", remedy="Give isin, instrumentCode or pair.")
    pair = ways.get("pair")
    if pair is not None:
        return "fx_rate", {
            "base_currency_code": pair["baseCurrencyCode"],
            "quote_currency_code": pair["quoteCurrencyCode"],
        }
    return "price", {"isin": ways["isin"]} if "isin" in ways else {"instrument_code": ways["instrumentCode"]}


def _exception(act: Act, given: Given) -> int | None:
    """The finding that is answered, if there is one."""
    if given.get("exceptionId") is None:
        return None
    return exceptions.get(act.connection, _number(given["exceptionId"], "QualityException")).exception_id


def _numbers(ids: Sequence[str], entity: str) -> list[int]:
    """The numbers in ids, each once, in their order."""
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise BadUserInputError(f"1 to {MOST_AT_ONCE} at once, not {len(ids)}.", remedy="Do it in parts.")
    return list(dict.fromkeys(_number(one, entity) for one in ids))


def _number(one: str, entity: str) -> int:
    return int(read_id(one, entity, ["bigint"])[0] or "")
