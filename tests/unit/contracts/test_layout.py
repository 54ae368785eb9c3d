"""Headers held against contracts: what fits, what differs, and which feed is nearest."""

from __future__ import annotations

from fulcrum.contracts.catalog import contract_for, load_contracts
from fulcrum.contracts.layout import layout, nearest_feed
from fulcrum.settings import read_settings

HOLDINGS = contract_for(read_settings(), "house_holdings")
HEADER = ["portfolio_code", "isin", "quantity", "price", "market_value", "currency_code", "cost", "business_date"]


def test_case_blanks_and_order_of_headers_do_not_matter() -> None:
    found = layout(HOLDINGS, [" ISIN", "Quantity ", "\ufeffportfolio_code", "", ""])
    assert found.fits
    assert found.headers == ("isin", "quantity", "portfolio_code")


def test_a_lacking_an_unknown_and_a_repeated_column_are_named() -> None:
    found = layout(HOLDINGS, ["portfolio_code", "isin", "isin", "colour"])
    assert (found.missing, found.unknown, found.repeated) == (("quantity",), ("colour",), ("isin",))
    assert not found.fits
    assert found.difference == "lacks 'quantity'; does not know 'colour'; twice: 'isin'"


def test_an_alias_stands_for_its_column() -> None:
    contract = contract_for(read_settings(), "ark_holdings")
    for name in ("market value($)", "market value ($)"):
        assert "market value($)" in layout(contract, [name]).headers


def test_the_nearest_feed_is_the_one_that_fits() -> None:
    contracts = load_contracts(read_settings()).values()
    near = nearest_feed(HEADER, contracts)
    assert near is not None
    assert (near.feed, near.fits) == ("house_holdings", True)
    near = nearest_feed(["Ticker", "Date", "Close", "Turnover"], contracts)
    assert near is not None
    assert (near.feed, near.unknown) == ("eod_closes", ("Turnover",))


def test_a_header_that_shares_nothing_has_no_nearest_feed() -> None:
    assert nearest_feed(["colour", "taste", "smell"], [HOLDINGS]) is None
