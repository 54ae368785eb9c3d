"""Quality events: what the gate had to say of a file, other than that it passed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fulcrum.entitlements.rights import Permission
from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.relay import Node
from fulcrum.graph.scalars import BigInt
from fulcrum.graph.sources import Log
from fulcrum.warehouse.models import serving
from schemas.entities.trust import Trust, trust_of_delivery

if TYPE_CHECKING:
    from schemas.entities.publication import Delivery, Publication

_FAILED = (
    "select {what} from quality.validation_result f where f.validation_id = {{validation_id}}"
    " and f.status in ('failed', 'broken') order by f.rule_id"
)


@entity(
    Log(serving.QualityEvent, key="event_id", known="{data_version} <= {version}", order=("-event_id",)),
)
class QualityEvent(Node):
    """A file that was published with warnings, or not at all; numbers are in the order of the events."""

    number: int = column("event_id", "Its number, to resume from.", is_filterable=True)
    occurred_at: dt.datetime = column("occurred_at", "When it happened.", is_filterable=True)
    kind: str = column("kind", "warned, blocked, broken, refused or failed.", is_filterable=True, is_dimension=True)
    feed: str = column("feed", "Feed of the file.", is_filterable=True, is_dimension=True)
    business_date_from: dt.date | None = column("business_date_from", "First business date in the file.")
    business_date_to: dt.date | None = column(
        "business_date_to", "Last business date in the file.", is_filterable=True, is_dimension=True
    )
    rows_in: BigInt | None = column("rows_in", "Rows that were read.")
    rows_quarantined: BigInt | None = column("rows_quarantined", "Rows that were refused.")
    rule_ids: list[str] = column(
        description="Rules that failed or broke.", sql=f"array({_FAILED.format(what='f.rule_id')})"
    )
    messages: list[str] = column(
        description="What they said of the file; it may quote refused rows.",
        sql=f"array({_FAILED.format(what='f.message')})",
        needs=Permission.QUALITY,
    )
    delivery: Delivery | None = relation("The file.", on={"delivery_id": "delivery_id"}, at=At.ANY)
    publication: Publication | None = relation(
        "What it published, if anything.", on={"publication_id": "publication_id"}
    )
    trust: Trust | None = trust_of_delivery()
