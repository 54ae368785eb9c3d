"""The root of the API: how to find one entity, and the lists of all."""

from __future__ import annotations

import strawberry

from fulcrum.graph.declare import Argument, At, lookup, node_lookup, nodes_lookup, relation
from fulcrum.graph.relay import Connection, Node
from schemas.entities.account import Account
from schemas.entities.benchmark import Benchmark
from schemas.entities.changes import BETWEEN, SINCE, Changes
from schemas.entities.client import Client
from schemas.entities.desk import Override, QualityException, QuarantinedRow, Validation, Waiver
from schemas.entities.feed import Feed
from schemas.entities.holding import Holding
from schemas.entities.identifiers import (
    CLIENT_BY,
    CLIENT_READS,
    INSTRUMENT_BY,
    INSTRUMENT_READS,
    ISSUER_BY,
    ISSUER_READS,
    PORTFOLIO_BY,
    PORTFOLIO_READS,
    SHARE_CLASS_BY,
    SHARE_CLASS_READS,
    ClientBy,
    InstrumentBy,
    IssuerBy,
    PortfolioBy,
    ShareClassBy,
)
from schemas.entities.instrument import Instrument
from schemas.entities.issuer import Issuer
from schemas.entities.nav import Nav
from schemas.entities.portfolio import Portfolio
from schemas.entities.price import FxRate, Price
from schemas.entities.publication import Delivery, Publication
from schemas.entities.quality_event import QualityEvent
from schemas.entities.reconciliation import ReconciliationBreak, ReconciliationRun
from schemas.entities.share_class import ShareClass
from schemas.entities.transaction import Transaction
from schemas.entities.unit_holding import UnitHolding
from schemas.entities.valuation import Valuation


@strawberry.type(description="One operation has one business date (`asOf`) and one knowledge time (`knownAt`).")
class Query:
    """The root."""

    node: Node | None = node_lookup("Any object by its id.")
    nodes: list[Node | None] = nodes_lookup("Any objects by their ids, in that order; null where there is none.")

    client: Client | None = lookup("One client.", argument=ClientBy, short=("code",), reads=CLIENT_READS, **CLIENT_BY)
    account: Account | None = lookup("One account.", code="{account_code} = {value}")
    portfolio: Portfolio | None = lookup(
        "One portfolio; of several with one LEI the first.",
        argument=PortfolioBy,
        short=("code",),
        reads=PORTFOLIO_READS,
        **PORTFOLIO_BY,
    )
    share_class: ShareClass | None = lookup(
        "One share class.", argument=ShareClassBy, short=("code",), reads=SHARE_CLASS_READS, **SHARE_CLASS_BY
    )
    instrument: Instrument | None = lookup(
        "One instrument.", argument=InstrumentBy, short=(), reads=INSTRUMENT_READS, **INSTRUMENT_BY
    )
    issuer: Issuer | None = lookup("One issuer.", argument=IssuerBy, short=("code",), reads=ISSUER_READS, **ISSUER_BY)
    benchmark: Benchmark | None = lookup("One benchmark.", code="{benchmark_code} = {value}")
    feed: Feed | None = lookup("One feed.", name="{feed_name} = {value}")
    fx_rate: FxRate | None = relation(
        "The last rate up to the business date, as stated by a source; on one day, the first by source.",
        on={"base_currency_code": "{argument_base}", "quote_currency_code": "{argument_quote}"},
        at=At.LATEST,
        arguments={
            "base": Argument(str, "ISO 4217, of which one unit is worth `rate`."),
            "quote": Argument(str, "ISO 4217, in which `rate` is stated."),
        },
    )
    changes: Changes = relation("What became known since an earlier state of knowledge.", rows=BETWEEN, arguments=SINCE)
    publication: Publication | None = lookup("One publication.", number="{publication_id} = {value}")
    quality_event: QualityEvent | None = lookup("One quality event.", number="{event_id} = {value}")

    clients: Connection[Client] = relation("Clients, by code.")
    accounts: Connection[Account] = relation("Accounts, by code.")
    portfolios: Connection[Portfolio] = relation("Portfolios, by code.")
    share_classes: Connection[ShareClass] = relation("Share classes, by code.")
    instruments: Connection[Instrument] = relation("Instruments, by code.")
    issuers: Connection[Issuer] = relation("Issuers, by code.")
    benchmarks: Connection[Benchmark] = relation("Benchmarks, by code.")
    feeds: Connection[Feed] = relation("Feeds of which a file ever arrived, by name.")
    holdings: Connection[Holding] = relation("Holdings of all portfolios on the business date.")
    transactions: Connection[Transaction] = relation("Transactions of the business date.")
    unit_holdings: Connection[UnitHolding] = relation("Units in all accounts on the business date.")
    valuations: Connection[Valuation] = relation("Valued positions of all portfolios on the business date.")
    navs: Connection[Nav] = relation("Net asset values of all portfolios on the business date.")
    prices: Connection[Price] = relation("Prices of the business date.")
    fx_rates: Connection[FxRate] = relation("Exchange rates of the business date.")
    publications: Connection[Publication] = relation("Publications, latest first.")
    deliveries: Connection[Delivery] = relation("Files that arrived, latest first.")
    validations: Connection[Validation] = relation("Runs of the gate, latest first.")
    quarantined_rows: Connection[QuarantinedRow] = relation("Refused rows, latest first.")
    exceptions: Connection[QualityException] = relation("Findings of the quality desk, latest first.")
    waivers: Connection[Waiver] = relation("Waivers, latest first.")
    overrides: Connection[Override] = relation("Overrides of values, latest first.")
    reconciliation_runs: Connection[ReconciliationRun] = relation("Comparisons of two sources, latest first.")
    reconciliation_breaks: Connection[ReconciliationBreak] = relation("Where two sources differ, latest first.")
    quality_events: Connection[QualityEvent] = relation("What the gate said of files, latest first.")
