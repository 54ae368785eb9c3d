"""Deciding on a waiver, as its page and its mutation do it, with what has to follow an approval.

The decision itself is `fulcrum.governance.desk.waivers`'s; who may decide is checked by who calls this.
"""

from __future__ import annotations

from enum import StrEnum

from fulcrum.entitlements.rights import Permission
from fulcrum.governance.desk import inbox, waivers
from fulcrum.graph.desk import again
from fulcrum.graph.desk.access import Connection


class WaiverDecision(StrEnum):
    """What may be done with a waiver that was asked for."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    END = "end"


NEEDED = {
    WaiverDecision.APPROVE: Permission.DECIDE,
    WaiverDecision.REFUSE: Permission.DECIDE,
    WaiverDecision.WITHDRAW: Permission.WORK,
    WaiverDecision.END: Permission.DECIDE,
}


def decide_waiver(connection: Connection, actor: str, number: int, decision: WaiverDecision, comment: str) -> list[int]:
    """Decide; the deliveries that an approval lets through, which are to be started when it is committed.

    Raises:
        DecisionError: the decision is not allowed.
    """
    match decision:
        case WaiverDecision.APPROVE:
            waiting = inbox.blocked_deliveries(
                connection, waivers.decide(connection, actor, number, "approved", comment)
            )
            again.record(connection, actor, waiting, waiver_id=number)
            return waiting
        case WaiverDecision.REFUSE:
            waivers.decide(connection, actor, number, "refused", comment)
        case WaiverDecision.WITHDRAW:
            waivers.withdraw(connection, actor, number)
        case WaiverDecision.END:
            waivers.end(connection, actor, number, comment)
    return []
