"""Every number leads to the file and the row that told its inputs."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from fulcrum.cli.main import app
from fulcrum.errors import QueryError
from fulcrum.governance.explain import explain_holding, explain_nav, explain_price, explain_valuation
from fulcrum.ingest.landing import land
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from tests.factories.market import Market

DAY = dt.date(2026, 1, 21)
HOLDINGS = "portfolio,isin,quantity\r\nP,US0378331005,100\r\nP,GB0002374006,50\r\n"
PRICES = "isin;price\nGB0002374006;1234,5\n"


@pytest.fixture
def house(connection: psycopg.Connection[Any], settings: Settings, tmp_path: Path) -> Market:
    """P (USD) holds a share in pence, priced by one file, converted through EUR by another."""
    market = Market(connection)
    market.portfolio("P")
    market.instrument("US0378331005")
    market.instrument("GB0002374006", "GBP", quote_unit_code="MINOR")
    market.prices(
        DAY,
        [{"instrument": "GB0002374006", "price": "1234.5"}],
        delivery_id=delivered(market, settings, tmp_path, "house_prices", "prices.csv", PRICES),
        feed="house_prices",
    )
    market.rates(DAY, {"EUR/USD": "1.0834"})
    market.rates(DAY - dt.timedelta(2), {"EUR/GBP": "0.8571"})
    market.holdings(
        "P",
        DAY,
        [
            {"instrument": "US0378331005", "quantity": "100", "source_row": 2},
            {"instrument": "GB0002374006", "quantity": "50", "source_row": 3},
        ],
        delivery_id=delivered(market, settings, tmp_path, "house_holdings", "holdings.csv", HOLDINGS),
        feed="house_holdings",
    )
    derive(settings)
    return market


def delivered(market: Market, settings: Settings, folder: Path, feed: str, name: str, text: str) -> int:
    path = folder / name
    path.write_bytes(text.encode())
    landed = land(settings, path)
    return market.delivery(feed, name, landed.sha256)


def test_valuation_leads_to_holding_price_and_each_rate(house: Market, settings: Settings) -> None:
    found = explain_valuation(house.connection, portfolio="P", isin="GB0002374006", date=DAY, settings=settings)
    assert (found.status, found.unit) == ("VALUED", "USD")
    assert found.value == Decimal("617.25") * Decimal("1.2640298681600746704")
    assert found.formula == (
        "50 x 1234.5 x 0.01 x 1 = 617.25 GBP; x 1.2640298681600746704 = 780.2224361218060903044 USD"
    )
    by_name = {each.name: each for each in found.inputs}
    holding, price = by_name["quantity"].source, by_name["price"].source
    assert holding is not None
    assert price is not None
    assert (holding.feed, holding.file_name, holding.source_row) == ("house_holdings", "holdings.csv", 3)
    assert (holding.place, holding.text) == ("line 3", "P,GB0002374006,50")
    assert holding.sha256 is not None
    assert len(holding.sha256) == 64
    assert (price.file_name, price.place, price.text) == ("prices.csv", "line 2", "GB0002374006;1234,5")
    assert by_name["price"].note == "CLOSE of VENDOR of 2026-01-21, 0 days old"
    assert by_name["fx_rate"].note == "by GBP>EUR>USD, oldest leg of 2026-01-19"
    first, second = by_name["rate GBP>EUR"], by_name["rate EUR>USD"]
    assert (first.value, first.unit) == (Decimal("0.8571"), "GBP per EUR")
    assert first.note == "inverse, of ECB of 2026-01-19"
    assert (second.value, second.note) == (Decimal("1.0834"), "direct, of ECB of 2026-01-21")


def test_rate_of_the_ecb_leads_to_line_and_column(
    connection: psycopg.Connection[Any], settings: Settings, tmp_path: Path
) -> None:
    market = Market(connection)
    market.portfolio("P")
    market.instrument("X", "EUR")
    market.prices(DAY, [{"instrument": "X", "price": "1"}])
    text = "Date,USD,JPY,\n2026-01-21,1.0834,163.27,\n"
    delivery = delivered(market, settings, tmp_path, "ecb_fx_rates", "eurofxref.csv", text)
    rate = {"base_currency_code": "EUR", "quote_currency_code": "USD", "business_date": DAY, "source_code": "ECB"}
    market.publish(
        "core.fx_rate",
        tuple(rate),
        [rate | {"rate": "1.0834", "source_row": 202}],
        delivery_id=delivery,
        feed="ecb_fx_rates",
    )
    market.holdings("P", DAY, [{"instrument": "X", "quantity": "1"}])
    derive(settings)
    found = explain_valuation(connection, portfolio="P", isin="X", date=DAY, settings=settings)
    source = found.inputs[-1].source
    assert source is not None
    assert (source.place, source.text) == ("line 2, column 2", "2026-01-21,1.0834,163.27,")


def test_missing_value_says_what_is_missing(house: Market, settings: Settings) -> None:
    found = explain_valuation(house.connection, portfolio="P", isin="US0378331005", date=DAY, settings=settings)
    assert (found.status, found.value) == ("PRICE_MISSING", None)
    assert "no price of an allowed type" in found.meaning
    assert found.inputs[0].source is not None


def test_the_past_is_explained_as_it_was_known(house: Market, settings: Settings) -> None:
    (before,) = house.connection.execute("select max(known_at) from governance.publication").fetchone() or (None,)
    house.prices(DAY, [{"instrument": "GB0002374006", "price": "2000"}])
    derive(settings)
    now = explain_valuation(house.connection, portfolio="P", isin="GB0002374006", date=DAY)
    then = explain_valuation(house.connection, portfolio="P", isin="GB0002374006", date=DAY, known_at=before)
    assert [each.value for each in (now.inputs[1], then.inputs[1])] == [2000, Decimal("1234.5")]
    assert then.known_as_of < now.known_as_of


def test_nav_lists_its_positions_and_what_has_no_value_first(house: Market) -> None:
    found = explain_nav(house.connection, portfolio="P", date=DAY)
    assert found.status == "INCOMPLETE"
    assert [(each.name, each.note) for each in found.inputs] == [
        ("US0378331005", "PRICE_MISSING"),
        ("GB0002374006", "VALUED"),
    ]
    assert found.value == found.inputs[1].value


def test_holding_and_price_show_their_lines(house: Market, settings: Settings) -> None:
    holding = explain_holding(house.connection, portfolio="P", isin="US0378331005", date=DAY, settings=settings)
    source = holding.inputs[0].source
    assert source is not None
    assert (holding.value, source.text) == (Decimal(100), "P,US0378331005,100")
    price = explain_price(house.connection, isin="GB0002374006", date=DAY, settings=settings)
    assert (price.value, price.inputs[0].name) == (Decimal("1234.5"), "CLOSE of VENDOR")


def test_landed_file_that_is_gone_leaves_the_place(house: Market, settings: Settings) -> None:
    for path in settings.landing.rglob("*"):
        if path.is_file():
            path.unlink()
    found = explain_holding(house.connection, portfolio="P", isin="US0378331005", date=DAY, settings=settings)
    source = found.inputs[0].source
    assert source is not None
    assert (source.place, source.text) == ("line 2", None)


@pytest.mark.parametrize(
    ("portfolio", "isin", "message"),
    [
        ("Z", "US0378331005", "no portfolio 'Z'"),
        ("P", "XX0000000000", "no instrument 'XX0000000000'"),
        ("P", "US0378331005' or '1'='1", "no instrument"),
    ],
)
def test_unknown_names_are_told(house: Market, portfolio: str, isin: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        explain_valuation(house.connection, portfolio=portfolio, isin=isin, date=DAY)


def test_date_without_valuation_is_told(house: Market) -> None:
    with pytest.raises(QueryError, match="no position valuation of P, GB0002374006 on 2026-01-20"):
        explain_valuation(house.connection, portfolio="P", isin="GB0002374006", date=dt.date(2026, 1, 20))


def test_command_prints_json_and_a_tree(house: Market, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert house.portfolios
    assert settings.database_url is not None
    monkeypatch.setenv("FULCRUM_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("FULCRUM_HOME", str(settings.home))
    arguments = ["explain", "valuation", "-p", "P", "--isin", "GB0002374006", "-d", "2026-01-21"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["subject"], answer["inputs"][0]["source"]["text"]) == ("valuation", "P,GB0002374006,50")
    assert answer["inputs"][1]["value"] == "1234.5"
    tree = CliRunner().invoke(app, arguments)
    assert "prices.csv, line 2, sha256" in tree.stdout
    unknown = CliRunner().invoke(app, ["explain", "nav", "-p", "Z", "-d", "2026-01-21"])
    assert unknown.exit_code == 1
