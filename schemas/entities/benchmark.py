"""Benchmarks and the weights of instruments in them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Fact, Versioned
from fulcrum.warehouse.models import portfolios
from schemas.entities.explanation import Explanation, explained, own_row
from schemas.entities.trust import Trust, trust_of_entity, trust_of_fact, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.instrument import Instrument
    from schemas.entities.portfolio import Portfolio

_OURS = {"benchmark_id": "benchmark_id"}


@entity(Versioned(portfolios.Benchmark, portfolios.BenchmarkVersion))
class Benchmark(Node):
    """An index or blend that a portfolio is measured against."""

    code: str = column("benchmark_code", "The house's code.", is_filterable=True)
    name: str | None = column("benchmark_name", "What it is called.", is_sortable=True)
    currency_code: str | None = column("currency_code", "ISO 4217.", is_filterable=True)
    administrator_name: str | None = column("administrator_name", "Who calculates it.")
    weights: Connection[BenchmarkWeight] = relation("What it consists of on the business date.", on=_OURS)
    portfolios: Connection[Portfolio] = relation("Portfolios that are measured against it.", on=_OURS)
    history: Connection[BenchmarkVersion] = relation(
        "All that was ever stated about it, as known, latest first.", on=_OURS, at=At.ANY
    )
    trust: Trust = trust_of_entity()


@versions_of(Benchmark)
class BenchmarkVersion(Version):
    """What was stated of a benchmark for a period."""

    benchmark: Benchmark | None = relation("What it is about.", on=_OURS)
    trust: Trust = trust_of_version()


@entity(Fact(portfolios.BenchmarkWeight))
class BenchmarkWeight(Node):
    """Weight of an instrument in a benchmark on a date."""

    business_date: dt.date = column("business_date", "End of this day.", is_filterable=True)
    weight: Decimal = column("weight", "Fraction of 1.", is_filterable=True, is_sortable=True)
    benchmark: Benchmark | None = relation("Of which benchmark.", on=_OURS)
    instrument: Instrument | None = relation("Of what.", on={"instrument_id": "instrument_id"})
    history: Connection[BenchmarkWeightVersion] = relation(
        "What was known of it when, latest first.",
        on={**_OURS, "instrument_id": "instrument_id", "business_date": "business_date"},
        at=At.ANY,
    )
    trust: Trust = trust_of_fact()
    explain: Explanation = explained(
        "'as delivered: ' || {weight}",
        own_row(
            "weight", table="core.benchmark_weight", label="'fraction of 1'", value="{weight}", currency="null::text"
        ),
    )


@versions_of(BenchmarkWeight)
class BenchmarkWeightVersion(Version):
    """What was known of a weight from one publication until another."""

    trust: Trust = trust_of_version()
