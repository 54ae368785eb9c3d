"""Feeds: kinds of files, as the warehouse knows them by what has arrived.

What a feed is for, who owns it and how its files look is said by its contract, which is no data of
the warehouse; a feed of which no file ever arrived is not here.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, plain, relation
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.scalars import BigInt
from fulcrum.graph.sources import Derived
from schemas.entities.trust import Trust, trust_of_delivery

if TYPE_CHECKING:
    from schemas.entities.publication import Delivery, Publication

_FEEDS = """
select d.*, p.publication_id, p.business_date_to, null::bigint as delivery_id
from (
  select feed as feed_name, max(delivery_id) as last_delivery_id, max(landed_at) as last_landed_at,
    count(*) as deliveries
  from governance.delivery where publication_id is null or publication_id <= {version} group by feed
) d
left join lateral (
  select max(q.publication_id) as publication_id, max(q.business_date_to) as business_date_to
  from governance.publication q where q.feed = d.feed_name and q.publication_id <= {version} and q.kind = 'delivery'
) p on true
"""
_OUTCOMES = """
select d.outcome, count(*) as deliveries, max(d.landed_at) as last_landed_at from governance.delivery d
where d.feed = {feed_name} and (d.publication_id is null or d.publication_id <= {version})
group by d.outcome order by d.outcome
"""
_RULES = """
select r.rule_id, r.severity, r.dimension, r.owner, count(*) as deliveries, sum(r.rows_failed) as rows_failed,
  max(v.finished_at) as last_failed_at
from governance.delivery d
join quality.validation v on v.delivery_id = d.delivery_id
join quality.validation_result r on r.validation_id = v.validation_id and r.status = 'failed'
where d.feed = {feed_name} and (d.publication_id is null or d.publication_id <= {version})
group by r.rule_id, r.severity, r.dimension, r.owner order by deliveries desc, r.rule_id
"""


@plain
class FeedOutcome:
    """How many files of a feed ended in one way."""

    outcome: str = column("outcome", "landed, published, restated, no_op, blocked, refused or failed.")
    deliveries: int = column("deliveries", "How many files.")
    last_landed_at: dt.datetime = column("last_landed_at", "When the last of them arrived.")


@plain
class FeedFinding:
    """A rule that files of a feed broke, and how often."""

    rule: str = column("rule_id", "The rule.")
    severity: str = column("severity", "critical, warning or info.")
    dimension: str = column("dimension", "completeness, accuracy, timeliness, uniqueness, conformity ...")
    owner: str = column("owner", "Who answers for it.")
    deliveries: int = column("deliveries", "How many files broke it.")
    rows_failed: BigInt | None = column("rows_failed", "How many rows, where the rule counts rows.")
    last_failed_at: dt.datetime = column("last_failed_at", "When it was last broken.")


@entity(
    Derived(
        order=("feed_name",),
        sql=_FEEDS,
        columns={
            "feed_name": "text",
            "last_delivery_id": "bigint",
            "last_landed_at": "timestamptz",
            "deliveries": "bigint",
            "publication_id": "bigint?",
            "business_date_to": "date?",
            "delivery_id": "bigint?",
        },
    )
)
class Feed(Node):
    """One kind of file from one source; deliveries count as they stand now."""

    name: str = column("feed_name", "Its name, which is that of its contract.", is_filterable=True)
    last_landed_at: dt.datetime = column("last_landed_at", "When its last file arrived.", is_sortable=True)
    last_business_date: dt.date | None = column(
        "business_date_to", "Newest business date that it has published.", is_filterable=True, is_sortable=True
    )
    staleness_days: int | None = column(
        description="Days between the business date and the newest that it has published; negative: it is ahead.",
        sql="{as_of} - {business_date_to}",
    )
    delivery_count: int = column("deliveries", "Files that have arrived.")
    outcomes: list[FeedOutcome] = relation("Its files by how they ended.", rows=_OUTCOMES)
    findings: list[FeedFinding] = relation("Rules that its files broke, most frequent first.", rows=_RULES)
    last_delivery: Delivery | None = relation("Its last file.", on={"delivery_id": "last_delivery_id"})
    last_publication: Publication | None = relation("What it last published.", on={"publication_id": "publication_id"})
    deliveries: Connection[Delivery] = relation("Its files, latest first.", on={"feed": "feed_name"}, at=At.ANY)
    publications: Connection[Publication] = relation(
        "What it published, latest first.", on={"feed": "feed_name"}, at=At.ANY
    )
    trust: Trust | None = trust_of_delivery()
