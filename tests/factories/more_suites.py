"""The cases of `suites.py` for the smaller tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tests.factories.suites import NO_DATE, PERIOD, Bad, Cases, Row, SetCase, _counted, _one
from tests.factories.world import DAY, ISINS, LEI, made_up_isin


def _identifier(number: int) -> Row:
    return {
        "isin": ISINS[number % 12], "scheme": "VENDOR", "value": f"V{number}", "business_date": DAY,
        "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _client_identifier(number: int) -> Row:
    return {
        "client_code": "C1", "scheme": "CRM", "value": f"V{number}", "business_date": DAY,
        "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _issuer(number: int) -> Row:
    return {
        "issuer_code": f"I{number}", "issuer_name": "Issuer", "lei": LEI, "country_code": "CH",
        "registration_status_code": "ISSUED", "business_date": DAY, "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _portfolio(number: int) -> Row:
    return {
        "portfolio_code": f"P{number}", "base_currency_code": "USD", "portfolio_kind_code": "FUND",
        "risk_level_code": "R2", "isin": made_up_isin(500), "lei": LEI, "client_code": "C1",
        "parent_portfolio_code": "P1", "business_date": DAY, "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _account(number: int) -> Row:
    return {
        "account_code": f"A{number}", "client_code": "C1", "currency_code": "USD", "account_kind_code": "CUSTODY",
        "account_status_code": "OPEN", "opened_date": DAY, "closed_date": None, "business_date": DAY,
        "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _share_class(number: int) -> Row:
    return {
        "share_class_code": f"S{number}", "portfolio_code": "P1", "isin": made_up_isin(500), "currency_code": "USD",
        "distribution_code": "ACC", "units_outstanding": 10, "business_date": DAY,
        "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _unit_holding(number: int) -> Row:
    return {
        "account_code": "A1", "share_class_code": "S1", "business_date": DAY - dt.timedelta(days=number),
        "units": 10, "currency_code": "USD",
    }  # fmt: skip


def _benchmark(number: int) -> Row:
    return {
        "benchmark_code": f"B{number}", "benchmark_name": "Index", "currency_code": "USD", "business_date": DAY,
        "valid_from": DAY, "valid_to": None,
    }  # fmt: skip


def _weight(number: int) -> Row:
    return {"benchmark_code": "B1", "isin": ISINS[number % 12], "business_date": DAY, "weight": Decimal("0.5")}


MORE_CASES: dict[str, Cases] = {
    "core/instrument_identifier": Cases(
        "core.instrument_identifier",
        _identifier,
        3,
        (
            Bad(
                {"isin": ISINS[0], "value": "V0", "valid_to": dt.date(2027, 1, 1)}, ("instrument_identifier.line_once",)
            ),
            Bad({"value": ""}, ("instrument_identifier.complete",)),
            Bad({"scheme": "SEDOL", "value": "0263495"}, ("instrument_identifier.value_valid",)),
            Bad({"isin": made_up_isin(999)}, ("instrument_identifier.instrument_known",)),
            Bad(PERIOD, ("instrument_identifier.period_ordered",)),
        ),
        (
            *_counted("instrument_identifier", _identifier),
            SetCase("instrument_identifier.refused_share", _one(_identifier, value="")),
        ),
    ),
    "core/client_identifier": Cases(
        "core.client_identifier",
        _client_identifier,
        3,
        (
            Bad({"value": "V0", "valid_to": dt.date(2027, 1, 1)}, ("client_identifier.line_once",)),
            Bad({"value": ""}, ("client_identifier.complete",)),
            Bad({"scheme": "LEI", "value": LEI[:-1] + "5"}, ("client_identifier.lei_valid",)),
            Bad({"scheme": "NATIONAL_ID@CH", "value": "756.9217.0769.84"}, ("client_identifier.national_id_valid",)),
            Bad({"client_code": "C9"}, ("client_identifier.client_known",)),
            Bad(PERIOD, ("client_identifier.period_ordered",)),
        ),
        (
            SetCase("client_identifier.rows_present", list),
            SetCase("client_identifier.refused_share", _one(_client_identifier, value="")),
        ),
    ),
    "core/issuer": Cases(
        "core.issuer",
        _issuer,
        3,
        (
            Bad({"issuer_code": "I0", "issuer_name": "Other"}, ("issuer.line_once",)),
            Bad({"issuer_code": ""}, ("issuer.code_present",)),
            Bad({"lei": LEI[:-1] + "5"}, ("issuer.lei_valid",)),
            Bad({"issuer_name": None}, ("issuer.name_present",)),
            Bad({"country_code": "XX"}, ("issuer.country_listed",)),
            Bad({"registration_status_code": "LAPSED"}, ("issuer.registration_current",)),
            Bad(PERIOD, ("issuer.period_ordered",)),
        ),
        (*_counted("issuer", _issuer), SetCase("issuer.refused_share", _one(_issuer, issuer_code=""))),
    ),
    "core/portfolio": Cases(
        "core.portfolio",
        _portfolio,
        1,
        (
            Bad({"portfolio_code": "P0", "risk_level_code": "R3"}, ("portfolio.line_once",)),
            Bad({"portfolio_code": ""}, ("portfolio.code_present",)),
            Bad({"base_currency_code": "GBX"}, ("portfolio.base_currency_listed",)),
            Bad({"base_currency_code": None}, ("portfolio.base_currency_present",)),
            Bad({"portfolio_kind_code": "CLUB"}, ("portfolio.kind_listed",)),
            Bad({"risk_level_code": "R6"}, ("portfolio.risk_level_listed",)),
            Bad({"isin": "US0378331006"}, ("portfolio.isin_valid",)),
            Bad({"lei": LEI[:-1] + "5"}, ("portfolio.lei_valid",)),
            Bad({"client_code": "C9"}, ("portfolio.client_known",)),
            Bad({"portfolio_code": "P77", "parent_portfolio_code": "P77"}, ("portfolio.not_its_own_parent",)),
            Bad(PERIOD, ("portfolio.period_ordered",)),
        ),
        (*_counted("portfolio", _portfolio), SetCase("portfolio.refused_share", _one(_portfolio, client_code="C9"))),
    ),
    "core/account": Cases(
        "core.account",
        _account,
        3,
        (
            Bad({"account_code": "A0", "account_kind_code": "ADVISORY"}, ("account.line_once",)),
            Bad({"account_code": ""}, ("account.code_present",)),
            Bad({"client_code": "C9"}, ("account.client_known",)),
            Bad({"currency_code": "GBX"}, ("account.currency_listed",)),
            Bad({"account_kind_code": "PIGGY"}, ("account.kind_listed",)),
            Bad({"account_status_code": "LOST"}, ("account.status_listed",)),
            Bad({"closed_date": DAY - dt.timedelta(days=1)}, ("account.closed_after_opened",)),
            Bad({"account_status_code": "CLOSED"}, ("account.closed_has_date",)),
            Bad(PERIOD, ("account.period_ordered",)),
        ),
        (*_counted("account", _account), SetCase("account.refused_share", _one(_account, client_code="C9"))),
    ),
    "core/share_class": Cases(
        "core.share_class",
        _share_class,
        3,
        (
            Bad({"share_class_code": "S0", "units_outstanding": 11}, ("share_class.line_once",)),
            Bad({"share_class_code": ""}, ("share_class.code_present",)),
            Bad({"portfolio_code": "P9"}, ("share_class.portfolio_known",)),
            Bad({"isin": "US0378331006"}, ("share_class.isin_valid",)),
            Bad({"currency_code": "GBX"}, ("share_class.currency_listed",)),
            Bad({"distribution_code": "BOTH"}, ("share_class.distribution_listed",)),
            Bad({"units_outstanding": -1}, ("share_class.units_not_negative",)),
            Bad(PERIOD, ("share_class.period_ordered",)),
        ),
        (
            *_counted("share_class", _share_class),
            SetCase("share_class.refused_share", _one(_share_class, portfolio_code="P9")),
        ),
    ),
    "core/unit_holding": Cases(
        "core.unit_holding",
        _unit_holding,
        3,
        (
            Bad({"business_date": DAY, "units": 11}, ("unit_holding.line_once",)),
            Bad({"account_code": "A9"}, ("unit_holding.account_known",)),
            Bad({"share_class_code": "S9"}, ("unit_holding.share_class_known",)),
            Bad({"units": -1}, ("unit_holding.units_not_negative",)),
            Bad({"currency_code": "GBX"}, ("unit_holding.currency_listed",)),
            Bad(NO_DATE, ("unit_holding.date_plausible",)),
        ),
        (
            *_counted("unit_holding", _unit_holding, "units"),
            SetCase("unit_holding.units_within_issue", _one(_unit_holding, units=1001)),
            SetCase("unit_holding.refused_share", _one(_unit_holding, units=-1)),
        ),
    ),
    "core/benchmark": Cases(
        "core.benchmark",
        _benchmark,
        3,
        (
            Bad({"benchmark_code": "B0", "benchmark_name": "Other"}, ("benchmark.line_once",)),
            Bad({"benchmark_code": ""}, ("benchmark.code_present",)),
            Bad({"benchmark_name": None}, ("benchmark.name_present",)),
            Bad({"currency_code": "GBX"}, ("benchmark.currency_listed",)),
            Bad(PERIOD, ("benchmark.period_ordered",)),
        ),
        (
            *_counted("benchmark", _benchmark),
            SetCase("benchmark.refused_share", _one(_benchmark, benchmark_code="")),
        ),
    ),
    "core/benchmark_weight": Cases(
        "core.benchmark_weight",
        _weight,
        2,
        (
            Bad({"isin": ISINS[0], "weight": Decimal("0.4")}, ("benchmark_weight.line_once",)),
            Bad({"benchmark_code": "B9"}, ("benchmark_weight.benchmark_known",)),
            Bad({"isin": made_up_isin(999)}, ("benchmark_weight.instrument_known",)),
            Bad({"isin": ISINS[3][:-1] + "X"}, ("benchmark_weight.instrument_known", "benchmark_weight.isin_valid")),
            Bad({"weight": 50}, ("benchmark_weight.fraction",)),
            Bad(NO_DATE, ("benchmark_weight.date_plausible",)),
        ),
        (
            *_counted("benchmark_weight", _weight, "weight"),
            SetCase("benchmark_weight.weights_sum", _one(_weight)),
            SetCase("benchmark_weight.refused_share", _one(_weight, weight=50)),
        ),
    ),
}
