"""Publications and deliveries: what became known when, and from which file."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fulcrum.entitlements.rights import Permission
from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.scalars import BigInt
from fulcrum.graph.sources import Log
from fulcrum.warehouse.models import governance
from schemas.entities.trust import Trust, trust_of_delivery, trust_of_publication

if TYPE_CHECKING:
    from schemas.entities.client import Client
    from schemas.entities.desk import QuarantinedRow, Validation
    from schemas.entities.instrument import Instrument
    from schemas.entities.portfolio import Portfolio


_SUPERSEDED = (
    "select x.publication_id from governance.publication x, jsonb_array_elements_text({supersedes}) s (n)"
    " where x.publication_id = s.n::bigint"
)
_DATED = " and x.business_date between {business_date_from} and {business_date_to}"


def _touched(key: str, *tables: str) -> str:
    """The keys of rows that a publication made or ended in the one table that is its target."""
    return " union ".join(
        f"select x.{key} from {table} x where {{target}} = '{target}'"
        f" and (x.published_in = {{publication_id}} or x.superseded_in = {{publication_id}})"
        + ("" if table.endswith("_version") else _DATED)
        for table, target in ((table, table.removesuffix("_version")) for table in tables)
    )


_CLIENTS = _touched("client_id", "core.client_version", "core.account_version")
_PORTFOLIOS = _touched(
    "portfolio_id",
    "core.portfolio_version",
    "core.share_class_version",
    "core.holding",
    "core.transaction",
    "mart.position_valuation",
    "mart.portfolio_nav",
)
_INSTRUMENTS = _touched("instrument_id", "core.instrument_version", "core.price", "core.benchmark_weight")


@entity(
    Log(
        governance.Publication,
        key="publication_id",
        known="{publication_id} <= {version}",
        order=("-publication_id",),
    )
)
class Publication(Node):
    """One atomic, gated, numbered change of the warehouse."""

    number: int = column("publication_id", "Its number: the data version of answers.", is_filterable=True)
    known_at: dt.datetime = column("known_at", "When Fulcrum knew it.", is_filterable=True)
    kind: str = column("kind", "delivery, derivation or rollback.", is_filterable=True, is_dimension=True)
    feed: str = column("feed", is_filterable=True, is_dimension=True)
    target: str = column("target", is_filterable=True, is_dimension=True)
    business_date_from: dt.date | None = column("business_date_from", "First business date it touched.")
    business_date_to: dt.date | None = column(
        "business_date_to", "Last business date it touched.", is_filterable=True, is_dimension=True
    )
    verdict: str = column("verdict", is_filterable=True, is_dimension=True)
    rows_published: BigInt = column("rows_published", "Rows that became known.", is_aggregatable=True)
    rows_superseded: BigInt = column("rows_superseded", "Rows that it replaced or ended.", is_aggregatable=True)
    digest: str = column("digest")
    is_restatement: bool = column(
        description="Whether it replaced or ended rows of earlier publications.", sql="{supersedes} <> '[]'"
    )
    delivery: Delivery | None = relation("The file it came from.", on={"delivery_id": "delivery_id"}, at=At.ANY)
    supersedes: Connection[Publication] = relation(
        "Publications whose rows it replaced or ended.", among={"publication_id": _SUPERSEDED}
    )
    clients: Connection[Client] = relation("Clients of whom it stated something.", among={"client_id": _CLIENTS})
    portfolios: Connection[Portfolio] = relation(
        "Portfolios of which it stated something: attributes, positions, transactions, valuations.",
        among={"portfolio_id": _PORTFOLIOS},
    )
    instruments: Connection[Instrument] = relation(
        "Instruments of which it stated something: attributes, prices, weights in benchmarks.",
        among={"instrument_id": _INSTRUMENTS},
    )
    trust: Trust = trust_of_publication()


@entity(
    Log(
        governance.Delivery,
        key="delivery_id",
        known="({publication_id} is null or {publication_id} <= {version})",
        order=("-delivery_id",),
    )
)
class Delivery(Node):
    """One file of a feed that arrived, as it stands now; deliveries of later publications are left out."""

    feed: str = column("feed", "Its feed.", is_filterable=True, is_dimension=True)
    file_name: str = column("file_name", "Its name as it arrived.", is_filterable=True)
    sha256: str = column("sha256", "SHA-256 of its bytes.", is_filterable=True)
    size_bytes: BigInt = column("size_bytes", "Its size.", is_aggregatable=True)
    landed_at: dt.datetime = column("landed_at", "When it arrived.")
    business_date_from: dt.date | None = column("business_date_from", "First business date in it.")
    business_date_to: dt.date | None = column(
        "business_date_to", "Last business date in it.", is_filterable=True, is_dimension=True
    )
    outcome: str = column(
        "outcome",
        "landed, published, restated, no_op, blocked, refused or failed.",
        is_filterable=True,
        is_dimension=True,
    )
    rows_in: BigInt | None = column("rows_in", "Rows that were read.", is_aggregatable=True)
    rows_quarantined: BigInt | None = column("rows_quarantined", "Rows that were refused.", is_aggregatable=True)
    rows_published: BigInt | None = column("rows_published", "Rows that became known.", is_aggregatable=True)
    rows_superseded: BigInt | None = column(
        "rows_superseded", "Rows that were replaced or ended.", is_aggregatable=True
    )
    messages: list[str] = column(
        description="What was said about it; it may quote refused rows.",
        sql="array(select jsonb_array_elements_text({messages}))",
        needs=Permission.QUALITY,
    )
    publication: Publication | None = relation("What it published.", on={"publication_id": "publication_id"})
    validations: Connection[Validation] = relation(
        "Runs of the gate on it, latest first.", on={"delivery_id": "delivery_id"}, at=At.ANY
    )
    quarantined_rows: Connection[QuarantinedRow] = relation(
        "Rows of it that were refused.", on={"delivery_id": "delivery_id"}, at=At.ANY
    )
    trust: Trust | None = trust_of_delivery()
