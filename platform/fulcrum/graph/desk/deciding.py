"""Deciding on waivers and overrides, as pages and mutations do it, with what has to follow.

The decisions themselves are `fulcrum.governance.desk`'s; who may decide is checked by who calls this.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from fulcrum.entitlements.rights import Permission
from fulcrum.governance.desk import inbox, overrides, waivers
from fulcrum.graph.desk import again
from fulcrum.graph.desk.access import Connection


class Deciding(StrEnum):
    """What may be done with what was asked for."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    END = "end"


NEEDED = {
    Deciding.APPROVE: Permission.DECIDE,
    Deciding.REFUSE: Permission.DECIDE,
    Deciding.WITHDRAW: Permission.WORK,
    Deciding.END: Permission.DECIDE,
}


def decide_waiver(connection: Connection, actor: str, number: int, what: Deciding, comment: str) -> list[int]:
    """Decide; the deliveries that an approval lets through, which are to be started when it is committed.

    Raises:
        DecisionError: the decision is not allowed.
    """
    match what:
        case Deciding.APPROVE:
            waiting = inbox.blocked_deliveries(
                connection, waivers.decide(connection, actor, number, "approved", comment)
            )
            again.record(connection, actor, waiting, waiver_id=number)
            return waiting
        case Deciding.REFUSE:
            waivers.decide(connection, actor, number, "refused", comment)
        case Deciding.WITHDRAW:
            waivers.withdraw(connection, actor, number)
        case Deciding.END:
            waivers.end(connection, actor, number, comment)
    return []


def decide_override(
    connection: Connection, actor: str, number: int, what: Deciding, comment: str, last_date: dt.date | None = None
) -> bool:
    """Decide; whether deriving is to be started when it is committed. `last_date` is of an end; None: altogether.

    Raises:
        DecisionError: the decision is not allowed.
    """
    match what:
        case Deciding.APPROVE:
            overrides.decide(connection, actor, number, "approved", comment)
        case Deciding.REFUSE:
            overrides.decide(connection, actor, number, "refused", comment)
        case Deciding.WITHDRAW:
            overrides.withdraw(connection, actor, number)
        case Deciding.END:
            overrides.end(connection, actor, number, comment, last_date)
    return what in (Deciding.APPROVE, Deciding.END)
