"""For each shipped suite: rows that pass, rows that fail and the rules that they fail.

A row is the suite's good row with changes; every combination of rules that it fails is written out, so
that a rule that fires too often is seen as well as one that does not fire.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fulcrum.contracts.model import FeedContract, Identifier
from tests.factories.world import DAY, ISINS, LEI, PRICES, made_up_isin

Row = dict[str, Any]
FUTURE = dt.date(2090, 1, 1)


@dataclass(frozen=True)
class Bad:
    """Changes to one good row, and the row rules that then fail for it."""

    changes: Mapping[str, Any]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class SetCase:
    """A delivery that fails (or, `status`, does otherwise by) a set rule."""

    rule: str
    rows: Callable[[], list[Row]]
    metadata: Mapping[str, str] = field(default_factory=dict)
    status: str = "failed"
    rows_refused: int = 0


@dataclass(frozen=True)
class Cases:
    """`good(n)` is the n-th good row (`n` from 0); `count` of them make a good delivery."""

    target: str
    good: Callable[[int], Row]
    count: int
    bad: tuple[Bad, ...]
    sets: tuple[SetCase, ...] = ()
    contract: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    def delivery(self) -> list[Row]:
        """A good delivery."""
        return [self.good(number) for number in range(self.count)]


def contract_of(cases: Cases, **changes: Any) -> FeedContract:
    """A contract that a test feed of this target could have."""
    values: dict[str, Any] = {
        "feed": "house_prices" if cases.target == "core.price" else "house_test",
        "title": "Test",
        "owner": "tests",
        "source": "TEST",
        "target": cases.target,
        "fields": (),
        "identifiers": (Identifier(scheme="ISIN", columns=("isin",)),),
    }
    return FeedContract(**(values | dict(cases.contract) | changes))


def _holding(number: int) -> Row:
    price = PRICES[number % 12]
    return {
        "portfolio_code": "P1", "business_date": DAY, "isin": ISINS[number % 12], "position_code": str(number),
        "quantity": Decimal(10), "price": price, "market_value": 10 * price, "currency_code": "USD",
        "weight_pct": Decimal("8.33"), "cusip": "037833100", "sedol": "0263494",
    }  # fmt: skip


def _price(number: int) -> Row:
    return {
        "isin": ISINS[number % 12], "business_date": DAY, "price_type_code": "CLOSE", "source_code": "TEST",
        "price": PRICES[number % 12], "currency_code": "USD", "high_price": 25, "low_price": 9, "volume": 5,
    }  # fmt: skip


def _client(number: int) -> Row:
    return {
        "client_code": f"C{number}", "business_date": DAY, "client_name": f"{chr(65 + number)} Name",
        "client_kind_code": "PRODUCT", "risk_class_code": "C3", "risk_class_until_date": DAY,
        "kyc_status_code": "APPROVED", "domicile_country_code": "CH", "birth_date": dt.date(1980, 1, 1),
        "email": f"a{number}@b.example", "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _instrument(number: int) -> Row:
    return {
        "instrument_code": f"N{number}", "business_date": DAY, "isin": made_up_isin(100 + number),
        "cusip": "037833100", "lei": LEI, "instrument_name": "Share", "asset_class_code": "DEBT",
        "cfi_code": "ESVUFR", "currency_code": "USD", "country_code": "US", "quote_unit_code": "UNIT",
        "contract_size": 1, "coupon_pct": 1, "maturity_date": DAY, "issuer_code": "I1",
        "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _fx(number: int) -> Row:
    pairs = (("USD", "JPY", "150"), ("EUR", "USD", "1.1"), ("EUR", "CHF", "0.9"), ("EUR", "GBP", "0.8"))
    base, quote, rate = pairs[number % 4]
    return {
        "base_currency_code": base, "quote_currency_code": quote, "rate": Decimal(rate), "business_date": DAY,
        "source_code": "TEST",
    }  # fmt: skip


def _transaction(number: int) -> Row:
    return {
        "portfolio_code": "P1", "transaction_code": f"T{number}", "business_date": DAY, "isin": ISINS[0],
        "transaction_kind_code": "BUY", "settlement_date": DAY, "quantity": 1, "price": 1, "currency_code": "USD",
    }  # fmt: skip


NO_DATE = {"business_date": FUTURE}
PERIOD = {"valid_from": DAY, "valid_to": DAY}


def _one(row: Callable[[int], Row], **changes: Any) -> Callable[[], list[Row]]:
    return lambda: [row(0) | changes]


def _none() -> list[Row]:
    return []


def _counted(name: str, row: Callable[[int], Row], total: str | None = None) -> tuple[SetCase, ...]:
    """The set rules that every suite has."""
    found = [SetCase(f"{name}.rows_present", _none), SetCase(f"{name}.control_rows", _one(row), {"control_rows": "2"})]
    if total:
        wrong = {"control_column": total, "control_total": "123456"}
        found.append(SetCase(f"{name}.control_total", _one(row), wrong))
        found.append(SetCase(f"{name}.control_total", _one(row), wrong, "not_run", rows_refused=1))
    return tuple(found)


CASES: dict[str, Cases] = {
    "core/holding": Cases(
        "core.holding",
        _holding,
        12,
        (
            Bad({"isin": ISINS[0], "position_code": "0", "quantity": 11, "market_value": 110}, ("holding.line_once",)),
            Bad({"portfolio_code": "P9"}, ("holding.portfolio_known",)),
            Bad({"isin": made_up_isin(999)}, ("holding.instrument_known",)),
            Bad({"isin": ISINS[0][:-1] + "X"}, ("holding.instrument_known", "holding.isin_valid")),
            Bad({"cusip": "BREADUMMY"}, ("holding.cusip_valid",)),
            Bad({"sedol": "0263495"}, ("holding.sedol_valid",)),
            Bad(NO_DATE, ("holding.date_plausible",)),
            Bad({"quantity": None, "market_value": None}, ("holding.amount_present", "holding.quantity_present")),
            Bad({"quantity": 0, "market_value": 0}, ("holding.quantity_not_zero",)),
            Bad({"quantity": 10**14, "market_value": 10**13}, ("holding.quantity_magnitude", "holding.value_agrees")),
            Bad({"market_value": 10**14}, ("holding.value_agrees", "holding.value_magnitude")),
            Bad({"price": -1, "market_value": -10}, ("holding.price_not_negative", "holding.sign_agrees")),
            Bad({"currency_code": "GBX"}, ("holding.currency_listed",)),
            Bad({"currency_code": None}, ("holding.currency_present",)),
            Bad({"currency_code": None, "price": None}, ("holding.currency_present",)),
            Bad({"market_value": 999}, ("holding.value_agrees",)),
            Bad({"quantity": -10, "market_value": -100, "price": 10}, ("holding.not_short",)),
            Bad(
                {"quantity": -10, "market_value": 100, "price": -10},
                (
                    "holding.not_short",
                    "holding.price_not_negative",
                    "holding.sign_agrees",
                ),
            ),
        ),
        (
            *_counted("holding", _holding, "market_value"),
            SetCase("holding.rows_against_previous", lambda: [_holding(n) for n in range(5)]),
            SetCase("holding.rows_shrank", lambda: [_holding(n) for n in range(9)]),
            SetCase("holding.weights_sum", _one(_holding, weight_pct=50)),
            SetCase("holding.arrived_in_time", _one(_holding)),
            SetCase("holding.arrived_in_time", _one(_holding, business_date=dt.date.today()), status="passed"),  # noqa: DTZ011
            SetCase("holding.refused_share", _one(_holding, portfolio_code="P9")),
        ),
    ),
    "core/price": Cases(
        "core.price",
        _price,
        12,
        (
            Bad({"isin": ISINS[0], "price": Decimal("10.5"), "price_type_code": "BID"}, ("price.line_once",)),
            Bad({"isin": ISINS[0], "price": Decimal("10.6"), "price_type_code": "BID"}, ("price.line_once",)),
            Bad({"isin": made_up_isin(999)}, ("price.instrument_known",)),
            Bad({"isin": ISINS[0][:-1] + "X"}, ("price.instrument_known", "price.isin_valid")),
            Bad({"business_date": FUTURE, "price_type_code": "NAV"}, ("price.date_plausible",)),
            Bad({"isin": ISINS[1], "price": 0, "price_type_code": "NAV", "low_price": 0}, ("price.positive",)),
            Bad(
                {"isin": ISINS[2], "price": 10**10, "price_type_code": "MID"},
                ("price.magnitude", "price.day_of_one_unit"),
            ),
            Bad(
                {"isin": ISINS[3], "price_type_code": "MID", "currency_code": "GBX"},
                ("price.currency_agrees", "price.currency_listed"),
            ),
            Bad({"isin": ISINS[4], "price_type_code": "MID", "currency_code": "EUR"}, ("price.currency_agrees",)),
            Bad({"isin": ISINS[5], "price_type_code": "MID", "high_price": 0}, ("price.high_not_below_low",)),
            Bad({"isin": ISINS[6], "price_type_code": "MID", "volume": -1}, ("price.volume_not_negative",)),
            Bad(
                {"isin": ISINS[7], "price_type_code": "MID", "source_code": "OVERRIDE"}, ("price.source_not_the_desk",)
            ),
        ),
        (
            *_counted("price", _price, "price"),
            SetCase("price.held_are_priced", lambda: [_price(n) for n in range(11)]),
            SetCase("price.rows_against_previous", _one(_price)),
            SetCase("price.arrived_in_time", _one(_price)),
            SetCase("price.refused_share", _one(_price, price=0)),
        ),
    ),
    "core/client": Cases(
        "core.client",
        _client,
        3,
        (
            Bad({"client_code": "C0", "client_name": "Other"}, ("client.line_once",)),
            Bad({"client_code": ""}, ("client.code_present",)),
            Bad({"client_name": None}, ("client.name_present",)),
            Bad({"client_kind_code": "DOG"}, ("client.kind_listed",)),
            Bad({"risk_class_code": "C6"}, ("client.risk_class_listed",)),
            Bad({"risk_class_code": None}, ("client.risk_class_present",)),
            Bad({"risk_class_until_date": DAY - dt.timedelta(days=1)}, ("client.risk_class_current",)),
            Bad({"kyc_status_code": "MAYBE"}, ("client.kyc_status_listed",)),
            Bad({"kyc_status_code": None}, ("client.kyc_status_present",)),
            Bad({"kyc_status_code": "EXPIRED"}, ("client.kyc_current",)),
            Bad({"birth_date": dt.date(1899, 1, 1)}, ("client.birth_date_sane",)),
            Bad({"domicile_country_code": "XX"}, ("client.domicile_country_listed",)),
            Bad({"domicile_country_code": None}, ("client.domicile_present",)),
            Bad({"client_kind_code": "INDIVIDUAL", "birth_date": None}, ("client.kyc_complete",)),
            Bad({"email": "nobody"}, ("client.email_shape",)),
            Bad(PERIOD, ("client.period_ordered",)),
            Bad(NO_DATE | {"risk_class_until_date": FUTURE}, ("client.date_plausible",)),
            Bad({"client_name": "Jon Smith", "birth_date": dt.date(1990, 1, 1)}, ("client.not_suspected_twice",)),
            Bad({"client_name": " john SMITH", "birth_date": dt.date(1990, 1, 1)}, ("client.not_suspected_twice",)),
        ),
        (*_counted("client", _client), SetCase("client.refused_share", _one(_client, client_code=""))),
    ),
    "core/instrument": Cases(
        "core.instrument",
        _instrument,
        3,
        (
            Bad({"instrument_code": "N0", "coupon_pct": 2}, ("instrument.line_once",)),
            Bad({"isin": "US0378331006"}, ("instrument.isin_valid",)),
            Bad({"cusip": "BREADUMMY"}, ("instrument.cusip_valid",)),
            Bad({"lei": LEI[:-1] + "5"}, ("instrument.lei_valid",)),
            Bad({"instrument_name": None}, ("instrument.name_present",)),
            Bad({"asset_class_code": "ART"}, ("instrument.asset_class_listed",)),
            Bad({"cfi_code": "ES"}, ("instrument.cfi_shape",)),
            Bad({"currency_code": "GBX"}, ("instrument.currency_listed",)),
            Bad({"currency_code": None}, ("instrument.currency_present",)),
            Bad({"country_code": "XX"}, ("instrument.country_listed",)),
            Bad({"quote_unit_code": "PENCE"}, ("instrument.quote_unit_listed",)),
            Bad({"contract_size": 0}, ("instrument.contract_size_sane",)),
            Bad({"coupon_pct": 425}, ("instrument.coupon_sane",)),
            Bad({"maturity_date": None}, ("instrument.debt_matures",)),
            Bad({"issuer_code": "I9"}, ("instrument.issuer_known",)),
            Bad(PERIOD, ("instrument.period_ordered",)),
        ),
        (*_counted("instrument", _instrument), SetCase("instrument.refused_share", _one(_instrument, contract_size=0))),
    ),
    "core/fx_rate": Cases(
        "core.fx_rate",
        _fx,
        4,
        (
            Bad(
                {"base_currency_code": "EUR", "quote_currency_code": "USD", "rate": Decimal("1.2")},
                ("fx_rate.line_once",),
            ),
            Bad({"base_currency_code": "EUR", "quote_currency_code": "SEK", "rate": 0}, ("fx_rate.positive",)),
            Bad({"base_currency_code": "EUX", "quote_currency_code": "SEK"}, ("fx_rate.base_listed",)),
            Bad({"base_currency_code": "EUR", "quote_currency_code": "RMB"}, ("fx_rate.quote_listed",)),
            Bad({"base_currency_code": "SEK", "quote_currency_code": "SEK"}, ("fx_rate.two_currencies",)),
            Bad(
                {"base_currency_code": "EUR", "quote_currency_code": "NOK", "business_date": FUTURE},
                ("fx_rate.date_plausible",),
            ),
            Bad(
                {"base_currency_code": "EUR", "quote_currency_code": "CZK", "source_code": "OVERRIDE"},
                ("fx_rate.source_not_the_desk",),
            ),
        ),
        (
            *_counted("fx_rate", _fx),
            SetCase("fx_rate.currencies_kept", _one(_fx)),
            SetCase("fx_rate.refused_share", _one(_fx, rate=0)),
        ),
    ),
    "core/transaction": Cases(
        "core.transaction",
        _transaction,
        3,
        (
            Bad({"transaction_code": "T0", "quantity": 2}, ("transaction.line_once",)),
            Bad({"transaction_code": ""}, ("transaction.code_present",)),
            Bad({"portfolio_code": "P9"}, ("transaction.portfolio_known",)),
            Bad({"isin": made_up_isin(999)}, ("transaction.instrument_known",)),
            Bad({"transaction_kind_code": "GIFT"}, ("transaction.kind_listed",)),
            Bad({"currency_code": "GBX"}, ("transaction.currency_listed",)),
            Bad(NO_DATE | {"settlement_date": FUTURE}, ("transaction.date_plausible",)),
            Bad({"settlement_date": DAY - dt.timedelta(days=1)}, ("transaction.settles_after_trade",)),
            Bad({"settlement_date": DAY + dt.timedelta(days=31)}, ("transaction.settles_soon",)),
            Bad({"quantity": None}, ("transaction.trade_has_quantity",)),
            Bad({"price": -1}, ("transaction.price_not_negative",)),
        ),
        (
            *_counted("transaction", _transaction, "quantity"),
            SetCase("transaction.refused_share", _one(_transaction, quantity=0)),
        ),
    ),
}
