"""Random markets, deliveries and restatements: valuations equal a naive model in plain Decimals."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

START = dt.date(2026, 1, 20)  # the days span two months, so two partitions
DAYS = [START + dt.timedelta(days) for days in (0, 1, 3, 7, 12, 13, 25, 44, 60)]
INSTRUMENTS: dict[str, dict[str, Any]] = {
    "USD-SHARE": {"currency": "USD"},
    "GBP-PENCE": {"currency": "GBP", "quote_unit_code": "MINOR"},
    "EUR-BOND": {"currency": "EUR", "quote_unit_code": "PER_100"},
    "GBX-SHARE": {"currency": "GBX"},
    "CHF-CASH": {"currency": "CHF", "asset_class_code": "CASH"},
    "USD-FUTURE": {"currency": "USD", "asset_class_code": "FUTURE", "contract_size": 50},
    "NO-CURRENCY": {"currency": None},
}
PORTFOLIOS = {"IN-USD": "USD", "IN-EUR": "EUR", "IN-NOTHING": None}
RANKING = ["CLOSE", "NAV", "MID", "BID", "ADJUSTED_CLOSE"]

amounts = st.decimals("-5000", "5000", places=3, allow_nan=False)
prices = st.decimals("0.0001", "5000", places=4, allow_nan=False)
days = st.sampled_from(DAYS)
codes = st.sampled_from(sorted(INSTRUMENTS))
price_rows = st.fixed_dictionaries(
    {"instrument": codes, "price": prices, "price_type_code": st.sampled_from(["CLOSE", "MID", "ASK"])},
    optional={"source_code": st.sampled_from(["ALPHA", "BETA"]), "currency_code": st.sampled_from(["USD", "GBp"])},
)
holding_rows = st.fixed_dictionaries(
    {"instrument": codes, "quantity": st.none() | amounts},
    optional={"price": prices, "currency_code": st.sampled_from(["USD", "EUR", "GBX"])},
)
pairs = st.sampled_from(["EUR/USD", "EUR/GBP", "USD/CHF", "GBP/USD", "CHF/EUR"])
events = st.one_of(
    st.tuples(st.just("prices"), days, st.lists(price_rows, min_size=1, max_size=5)),
    st.tuples(
        st.just("rates"), days, st.dictionaries(pairs, st.decimals("0.01", "99", places=4), min_size=1, max_size=4)
    ),
    st.tuples(
        st.just("holdings"),
        days,
        st.tuples(
            st.sampled_from(sorted(PORTFOLIOS)), st.lists(holding_rows, max_size=6, unique_by=lambda r: r["instrument"])
        ),
    ),
    st.tuples(st.just("derive"), days, st.none()),
)


class Naive:
    """The facts as they are now, and what follows from them, position by position."""

    def __init__(self) -> None:
        self.prices: dict[tuple[str, dt.date, str, str], dict[str, Any]] = {}
        self.rates: dict[tuple[str, str, dt.date], Decimal] = {}
        self.holdings: dict[tuple[str, dt.date, str], dict[str, Any]] = {}

    def price(self, code: str, day: dt.date) -> dict[str, Any] | None:
        found = [
            (tier((day - date).days), RANKING.index(kind), (day - date).days, source, row | {"date": date})
            for (instrument, date, kind, source), row in self.prices.items()
            if instrument == code and kind in RANKING and 0 <= (day - date).days <= 40
        ]
        if not found:
            return None
        best = min(found, key=lambda item: item[:4])
        return best[4] | {"tier": best[0]}

    def leg(self, one: str, two: str, day: dt.date) -> tuple[int, Decimal, Decimal] | None:
        found = []
        for (base, quote, date), rate in self.rates.items():
            age = (day - date).days
            if {base, quote} == {one, two} and 0 <= age <= 40:
                inverse = base != one
                parts = (Decimal(1), rate) if inverse else (rate, Decimal(1))
                found.append((tier(age), age, inverse, parts))
        if not found:
            return None
        best = min(found, key=lambda item: item[:3])
        return best[0], *best[3]

    def rate(self, one: str, two: str, day: dt.date) -> tuple[int, Decimal] | None:
        if one == two:
            return 0, Decimal(1)
        ways = []
        if own := self.leg(one, two, day):
            ways.append((own[0], 0, own[1], own[2]))
        for place, middle in enumerate(("EUR", "USD"), 1):
            first, second = self.leg(one, middle, day), self.leg(middle, two, day)
            if first and second:
                ways.append((max(first[0], second[0]), place, first[1] * second[1], first[2] * second[2]))
        if not ways:
            return None
        worst, _, numerator, denominator = min(ways, key=lambda way: way[:2])
        if denominator == 1:
            return worst, numerator
        return worst, (numerator / denominator).quantize(Decimal("1e-20"), ROUND_HALF_UP)

    def value(self, portfolio: str, day: dt.date, code: str) -> tuple[str, Decimal | None, Decimal | None]:
        holding, about, base = self.holdings[portfolio, day, code], INSTRUMENTS[code], PORTFOLIOS[portfolio]
        quote = self.price(code, day)
        unit, own = about.get("quote_unit_code", "UNIT"), about["currency"]
        size = Decimal(about.get("contract_size", 1))
        is_cash = about.get("asset_class_code") == "CASH"
        reported = False
        if is_cash:
            price, currency, age = Decimal(1), own, 0
        elif (quote is None or quote["tier"] == 3) and holding.get("price") is not None:
            price, currency, age, reported = holding["price"], holding.get("currency_code") or own, 0, True
            unit = "UNIT" if unit == "MINOR" and holding.get("currency_code") else unit
        elif quote is None:
            return ("PRICE_MISSING" if holding["quantity"] is not None else "QUANTITY_MISSING"), None, None
        else:
            price, currency, age = quote["price"], quote.get("currency_code") or own, quote["tier"]
        quantity = holding["quantity"]
        if quantity is None:
            return "QUANTITY_MISSING", None, None
        if age == 3:
            return "PRICE_TOO_OLD", None, None
        factor = Decimal("0.01") if unit == "MINOR" or currency in ("GBX", "GBp") else Decimal(1)
        factor *= Decimal("0.01") if unit == "PER_100" else Decimal(1)
        if about.get("asset_class_code") == "FUTURE":
            factor = Decimal(0)
        local = quantity * price * factor * size
        currency = "GBP" if currency in ("GBX", "GBp") else currency
        if currency is None or base is None:
            return "CURRENCY_UNKNOWN", local, None
        rate = self.rate(currency, base, day)
        if rate is None or rate[0] == 3:
            return ("FX_MISSING" if rate is None else "FX_TOO_OLD"), local, None
        status = "VALUED_STALE_PRICE" if age == 2 else "VALUED_STALE_FX" if rate[0] == 2 else "VALUED"
        if status == "VALUED" and reported:
            status = "VALUED_REPORTED_PRICE"
        return status, local, local * rate[1]


def tier(age: int) -> int:
    return 0 if age == 0 else 1 if age <= 4 else 2 if age <= 10 else 3


def apply(desk: Any, naive: Naive, event: tuple[str, dt.date, Any]) -> None:
    kind, day, content = event
    if kind == "derive":
        desk.derive()
    elif kind == "prices":
        rows = {(r["instrument"], r["price_type_code"], r.get("source_code", "VENDOR")): r for r in content}
        desk.prices(day, list(rows.values()))
        for (code, price_type, source), row in rows.items():
            naive.prices[code, day, price_type, source] = row
    elif kind == "rates":
        desk.rates(day, {pair: str(rate) for pair, rate in content.items()})
        naive.rates.update({(pair[:3], pair[4:], day): rate for pair, rate in content.items()})
    else:
        portfolio, rows = content
        desk.holdings(portfolio, day, rows)
        for key in [key for key in naive.holdings if key[:2] == (portfolio, day)]:
            del naive.holdings[key]
        naive.holdings.update({(portfolio, day, row["instrument"]): row for row in rows})


def forget_facts(desk: Any) -> None:
    for table in ("core.price", "core.fx_rate", "core.holding", "mart.position_valuation", "mart.portfolio_nav"):
        desk.connection.execute(f"delete from {table}")
    desk.connection.execute("delete from governance.derivation")
    desk.connection.commit()


@pytest.mark.slow
@hypothesis_settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes five minutes on a database
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(events, min_size=4, max_size=24))
def test_any_history_gives_what_the_naive_model_gives(desk: Any, history: list[Any]) -> None:
    if not desk.portfolios:
        for code, base in PORTFOLIOS.items():
            desk.portfolio(code, base)
        for code, attributes in INSTRUMENTS.items():
            desk.instrument(code, **attributes)
    forget_facts(desk)
    naive = Naive()
    with localcontext(Context(prec=80)):
        for event in history:
            apply(desk, naive, event)
        desk.derive()
        expected = {key: naive.value(*key) for key in naive.holdings}
    found = desk.read(
        "select portfolio_code, business_date, instrument_code, valuation_status_code, market_value_local,"
        " market_value_base from mart.position_valuation join core.portfolio using (portfolio_id)"
        " join core.instrument using (instrument_id) where superseded_in is null"
    )
    assert {
        (row["portfolio_code"], row["business_date"], row["instrument_code"]): (
            row["valuation_status_code"],
            row["market_value_local"],
            row["market_value_base"],
        )
        for row in found
    } == expected
    navs = desk.read("select * from mart.portfolio_nav where superseded_in is null")
    by_id = {number: code for code, number in desk.portfolios.items()}
    for nav in navs:
        mine = [v for k, v in expected.items() if k[:2] == (by_id[nav["portfolio_id"]], nav["business_date"])]
        with localcontext(Context(prec=80)):
            total = sum((base for _, _, base in mine if base is not None), Decimal(0))
        assert nav["positions"] == len(mine)
        assert (nav["nav_base"] or 0) == total
    assert len(navs) == len({key[:2] for key in expected})
    # what was derived step by step is what deriving everything at once gives, lineage included
    again = desk.derive(dates=DAYS, everything=True)
    assert again.rows_published == again.rows_superseded == 0
