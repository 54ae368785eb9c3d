"""Exact numbers of valuations: quote units, ages, rates, cash, and what stays empty and why."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

DAY = dt.date(2026, 1, 21)


def ago(days: int) -> dt.date:
    return DAY - dt.timedelta(days=days)


def value_one(
    desk: Any,
    *,
    instrument: dict[str, Any] | None = None,
    holding: dict[str, Any] | None = None,
    price: dict[str, Any] | None = None,
    base: str = "USD",
    rates: dict[str, str] | None = None,
    price_age: int = 0,
    rate_age: int = 0,
) -> dict[str, Any]:
    """Value 100 of one instrument in one portfolio."""
    desk.portfolio("P", base)
    desk.instrument("X", **(instrument or {}))
    if price is not None:
        desk.prices(ago(price_age), [{"instrument": "X"} | price])
    if rates:
        desk.rates(ago(rate_age), rates)
    desk.holdings("P", DAY, [{"instrument": "X", "quantity": "100"} | (holding or {})])
    desk.derive()
    found: dict[str, Any] = desk.valuation("P", "X", DAY)
    return found


def outcome(row: dict[str, Any]) -> tuple[str, Decimal | None, Decimal | None]:
    return row["valuation_status_code"], row["market_value_local"], row["market_value_base"]


def test_same_currency_is_quantity_times_price_exactly(desk: Any) -> None:
    row = value_one(desk, price={"price": "12.3456789"}, holding={"quantity": "0.1000001"})
    assert outcome(row) == ("VALUED", Decimal("1.23456912456789"), Decimal("1.23456912456789"))
    assert (row["fx_rate"], row["fx_path"], row["fx_date"], row["fx_publication_ids"]) == (1, "USD", None, None)


@pytest.mark.parametrize(
    ("instrument", "price"),
    [
        ({"currency": "GBP", "quote_unit_code": "MINOR"}, {"price": "1234.5"}),
        ({"currency": "GBP"}, {"price": "1234.5", "quote_unit_code": "MINOR", "currency_code": "GBP"}),
        ({"currency": "GBX"}, {"price": "1234.5"}),
        ({"currency": "GBP"}, {"price": "1234.5", "currency_code": "GBp"}),
        ({"currency": "GBP", "quote_unit_code": "MINOR"}, {"price": "1234.5", "currency_code": "GBX"}),
    ],
    ids=["instrument-in-pence", "price-in-pence", "instrument-GBX", "price-GBp", "both-say-it-once"],
)
def test_pence_are_hundredths(desk: Any, instrument: dict[str, Any], price: dict[str, Any]) -> None:
    row = value_one(desk, instrument=instrument, price=price, base="GBP")
    assert outcome(row) == ("VALUED", Decimal("1234.5"), Decimal("1234.5"))
    assert (row["price"], row["quote_factor"], row["price_currency_code"]) == (
        Decimal("1234.5"),
        Decimal("0.01"),
        "GBP",
    )


def test_price_in_pounds_overrides_an_instrument_in_pence(desk: Any) -> None:
    row = value_one(
        desk,
        instrument={"currency": "GBP", "quote_unit_code": "MINOR"},
        price={"price": "12.345", "quote_unit_code": "UNIT"},
        base="GBP",
    )
    assert outcome(row) == ("VALUED", Decimal("1234.5"), Decimal("1234.5"))


def test_bonds_are_quoted_per_100_nominal(desk: Any) -> None:
    row = value_one(
        desk, instrument={"quote_unit_code": "PER_100"}, price={"price": "98.75"}, holding={"quantity": "250000"}
    )
    assert outcome(row) == ("VALUED", Decimal(246875), Decimal(246875))


def test_contract_size_multiplies(desk: Any) -> None:
    row = value_one(desk, instrument={"asset_class_code": "OPTION", "contract_size": 100}, price={"price": "2.5"})
    assert outcome(row) == ("VALUED", Decimal(25000), Decimal(25000))


def test_futures_add_nothing_because_they_are_settled_daily(desk: Any) -> None:
    row = value_one(desk, instrument={"asset_class_code": "FUTURE", "contract_size": 50}, price={"price": "2710.80"})
    assert outcome(row) == ("VALUED", Decimal(0), Decimal(0))
    assert (row["price"], row["quote_factor"], row["contract_size"]) == (Decimal("2710.80"), 0, 50)


def test_short_positions_are_negative(desk: Any) -> None:
    row = value_one(desk, price={"price": "10"}, holding={"quantity": "-3"})
    assert outcome(row) == ("VALUED", Decimal(-30), Decimal(-30))


def test_direct_rate(desk: Any) -> None:
    row = value_one(desk, instrument={"currency": "EUR"}, price={"price": "10"}, rates={"EUR/USD": "1.0834"})
    assert outcome(row) == ("VALUED", Decimal(1000), Decimal("1083.4"))
    assert (row["fx_path"], row["fx_date"], len(row["fx_publication_ids"])) == ("EUR>USD", DAY, 1)


def test_inverse_rate_is_rounded_once_to_20_decimals(desk: Any) -> None:
    row = value_one(desk, price={"price": "10"}, base="EUR", rates={"EUR/USD": "1.0834"})
    assert row["fx_rate"] == Decimal("0.92302012183865608270")
    assert outcome(row) == ("VALUED", Decimal(1000), Decimal("923.02012183865608270"))
    assert row["fx_path"] == "USD>EUR"


def test_cross_through_eur_divides_once(desk: Any) -> None:
    row = value_one(
        desk,
        instrument={"currency": "GBP"},
        price={"price": "10"},
        rates={"EUR/USD": "1.0834", "EUR/GBP": "0.8571"},
    )
    assert row["fx_rate"] == Decimal("1.26402986816007467040")
    assert row["market_value_base"] == Decimal("1264.02986816007467040")
    assert (row["fx_path"], len(row["fx_publication_ids"])) == ("GBP>EUR>USD", 2)


def test_cross_through_usd_when_there_is_no_eur(desk: Any) -> None:
    row = value_one(
        desk,
        instrument={"currency": "TWD"},
        price={"price": "10"},
        base="CHF",
        rates={"USD/TWD": "32", "USD/CHF": "0.8"},
    )
    assert (row["fx_rate"], row["fx_path"]) == (Decimal("0.025"), "TWD>USD>CHF")


def test_own_pair_is_preferred_to_a_cross(desk: Any) -> None:
    row = value_one(
        desk,
        instrument={"currency": "GBP"},
        price={"price": "1"},
        rates={"EUR/USD": "1.0", "EUR/GBP": "0.5", "GBP/USD": "1.25"},
    )
    assert (row["fx_rate"], row["fx_path"]) == (Decimal("1.25"), "GBP>USD")


def test_fresh_cross_is_preferred_to_a_stale_pair_of_its_own(desk: Any) -> None:
    desk.rates(ago(6), {"GBP/USD": "1.25"})
    row = value_one(
        desk, instrument={"currency": "GBP"}, price={"price": "1"}, rates={"EUR/USD": "1.0", "EUR/GBP": "0.5"}
    )
    assert (row["fx_rate"], row["fx_path"], row["fx_date"]) == (Decimal(2), "GBP>EUR>USD", DAY)


def test_fx_date_is_that_of_the_oldest_leg(desk: Any) -> None:
    desk.rates(ago(2), {"EUR/GBP": "0.5"})
    row = value_one(desk, instrument={"currency": "GBP"}, price={"price": "1"}, rates={"EUR/USD": "1.0"})
    assert (row["fx_date"], row["valuation_status_code"]) == (ago(2), "VALUED")


@pytest.mark.parametrize(
    ("age", "status", "value"),
    [
        (4, "VALUED", Decimal(1000)),
        (5, "VALUED_STALE_PRICE", Decimal(1000)),
        (10, "VALUED_STALE_PRICE", Decimal(1000)),
        (11, "PRICE_TOO_OLD", None),
        (40, "PRICE_TOO_OLD", None),
        (41, "PRICE_MISSING", None),
    ],
)
def test_price_ages(desk: Any, age: int, status: str, value: Decimal | None) -> None:
    row = value_one(desk, price={"price": "10"}, price_age=age)
    assert outcome(row) == (status, value, value)
    assert row["price_date"] == (ago(age) if age <= 40 else None)


@pytest.mark.parametrize(
    ("age", "status", "value"),
    [
        (4, "VALUED", Decimal(2000)),
        (5, "VALUED_STALE_FX", Decimal(2000)),
        (11, "FX_TOO_OLD", None),
        (41, "FX_MISSING", None),
    ],
)
def test_rate_ages(desk: Any, age: int, status: str, value: Decimal | None) -> None:
    row = value_one(desk, instrument={"currency": "EUR"}, price={"price": "10"}, rates={"EUR/USD": "2"}, rate_age=age)
    assert outcome(row) == (status, Decimal(1000), value)


def test_later_prices_and_rates_are_never_used(desk: Any) -> None:
    row = value_one(
        desk,
        instrument={"currency": "EUR"},
        price={"price": "10"},
        price_age=-1,
        rates={"EUR/USD": "2"},
        rate_age=-1,
    )
    assert outcome(row) == ("PRICE_MISSING", None, None)


def test_missing_rate_keeps_the_local_value_and_says_so(desk: Any) -> None:
    row = value_one(desk, instrument={"currency": "EUR"}, price={"price": "10"}, rates={"GBP/USD": "2"})
    assert outcome(row) == ("FX_MISSING", Decimal(1000), None)


def test_provisional_instrument_without_currency_has_no_value(desk: Any) -> None:
    row = value_one(desk, instrument={"currency": None, "is_provisional": True}, price={"price": "10"})
    assert (row["valuation_status_code"], row["market_value_base"]) == ("CURRENCY_UNKNOWN", None)


def test_the_price_says_the_currency_that_the_instrument_lacks(desk: Any) -> None:
    row = value_one(desk, instrument={"currency": None}, price={"price": "10", "currency_code": "USD"})
    assert outcome(row) == ("VALUED", Decimal(1000), Decimal(1000))


def test_portfolio_without_base_currency_has_no_value(desk: Any) -> None:
    row = value_one(desk, price={"price": "10"}, base=None)  # type: ignore[arg-type]
    assert outcome(row) == ("CURRENCY_UNKNOWN", Decimal(1000), None)


def test_quantity_missing(desk: Any) -> None:
    row = value_one(desk, price={"price": "10"}, holding={"quantity": None})
    assert outcome(row) == ("QUANTITY_MISSING", None, None)


def test_cash_is_worth_one_in_its_own_currency(desk: Any) -> None:
    row = value_one(
        desk,
        instrument={"currency": "GBP", "asset_class_code": "CASH"},
        holding={"quantity": "250", "price": "131.29", "currency_code": "USD"},
        price={"price": "131.29"},
        rates={"GBP/USD": "1.3"},
    )
    assert outcome(row) == ("VALUED", Decimal(250), Decimal(325))
    assert (row["price"], row["price_type_code"], row["price_publication_id"]) == (1, "CASH", None)


def test_cash_of_an_instrument_without_currency_is_in_the_markets_currency(desk: Any) -> None:
    row = value_one(
        desk,
        instrument={"currency": None, "asset_class_code": "CASH"},
        holding={"currency_code": "USD", "quote_currency_code": "GBP"},
        rates={"GBP/USD": "1.3"},
    )
    assert (row["price_currency_code"], row["market_value_base"]) == ("GBP", Decimal(130))


def test_reported_price_is_the_last_resort_and_flagged(desk: Any) -> None:
    row = value_one(desk, holding={"price": "11", "currency_code": "EUR"}, rates={"EUR/USD": "2"})
    assert outcome(row) == ("VALUED_REPORTED_PRICE", Decimal(1100), Decimal(2200))
    assert (row["price_type_code"], row["price_source_code"], row["price_date"]) == ("REPORTED", "HOLDING", DAY)
    assert row["price_publication_id"] == row["holding_publication_id"]


def test_reported_price_of_a_bond_is_per_100(desk: Any) -> None:
    row = value_one(desk, instrument={"quote_unit_code": "PER_100"}, holding={"price": "98.75", "currency_code": "USD"})
    assert outcome(row) == ("VALUED_REPORTED_PRICE", Decimal("98.75"), Decimal("98.75"))


@pytest.mark.parametrize(("currency", "value"), [("GBP", 1100), ("GBX", 11), (None, 11)])
def test_reported_price_of_an_instrument_in_pence_is_in_the_currency_that_it_states(
    desk: Any, currency: str | None, value: int
) -> None:
    row = value_one(
        desk,
        instrument={"currency": "GBP", "quote_unit_code": "MINOR"},
        holding={"price": "11", "currency_code": currency},
        base="GBP",
    )
    assert outcome(row) == ("VALUED_REPORTED_PRICE", Decimal(value), Decimal(value))


def test_usable_market_price_wins_over_the_reported_one(desk: Any) -> None:
    row = value_one(desk, holding={"price": "11", "currency_code": "USD"}, price={"price": "10"}, price_age=9)
    assert outcome(row) == ("VALUED_STALE_PRICE", Decimal(1000), Decimal(1000))


def test_price_of_the_day_wins_over_an_older_one_of_a_better_type(desk: Any) -> None:
    desk.instrument("X")
    desk.prices(ago(1), [{"instrument": "X", "price": "9"}])
    desk.prices(DAY, [{"instrument": "X", "price": "8", "price_type_code": "MID"}])
    desk.portfolio("P")
    desk.holdings("P", DAY, [{"instrument": "X", "quantity": "1"}])
    desk.derive()
    row = desk.valuation("P", "X", DAY)
    assert (row["price"], row["price_type_code"]) == (8, "MID")


def test_of_one_day_the_better_type_wins(desk: Any) -> None:
    desk.instrument("X")
    kinds = {"ADJUSTED_CLOSE": "7", "CLOSE": "9", "ASK": "10"}
    desk.prices(DAY, [{"instrument": "X", "price": price, "price_type_code": kind} for kind, price in kinds.items()])
    desk.portfolio("P")
    desk.holdings("P", DAY, [{"instrument": "X", "quantity": "1"}])
    desk.derive()
    assert desk.valuation("P", "X", DAY)["price"] == 9


def test_types_outside_the_ranking_are_never_used(desk: Any) -> None:
    row = value_one(desk, price={"price": "10", "price_type_code": "ASK"})
    assert row["valuation_status_code"] == "PRICE_MISSING"


def test_nav_sums_what_is_valued_and_says_what_is_missing(desk: Any) -> None:
    desk.portfolio("P")
    for code in ("A", "B", "C"):
        desk.instrument(code)
    desk.prices(DAY, [{"instrument": "A", "price": "10"}])
    desk.prices(ago(6), [{"instrument": "B", "price": "20"}])
    desk.holdings(
        "P",
        DAY,
        [
            {"instrument": code, "quantity": "1", "market_value": "33.33", "currency_code": "USD"}
            for code in ("A", "B", "C")
        ],
    )
    report = desk.derive()
    nav = desk.nav("P", DAY)
    assert (nav["nav_base"], nav["base_currency_code"]) == (Decimal(30), "USD")
    assert (nav["positions"], nav["positions_valued"], nav["positions_flagged"]) == (3, 2, 1)
    assert (nav["is_complete"], nav["oldest_price_date"]) == (False, ago(6))
    assert (nav["reported_value"], nav["reported_currency_code"]) == (Decimal("99.99"), "USD")
    assert nav["valuation_publication_id"] == nav["published_in"] == report.publication_ids[0]


def test_reported_value_needs_one_currency(desk: Any) -> None:
    desk.portfolio("P")
    desk.instrument("A")
    desk.instrument("B")
    desk.holdings(
        "P",
        DAY,
        [
            {"instrument": "A", "quantity": "1", "market_value": "1", "currency_code": "USD"},
            {"instrument": "B", "quantity": "1", "market_value": "1", "currency_code": "EUR"},
        ],
    )
    desk.derive()
    nav = desk.nav("P", DAY)
    assert (nav["reported_value"], nav["nav_base"], nav["positions_valued"]) == (None, None, 0)
