"""What a publication makes visible, supersedes, refuses and leaves alone."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from fulcrum.contracts.model import Identifier
from fulcrum.errors import ContractError, PublishError
from fulcrum.warehouse.publications import latest_publication, publication_at
from fulcrum.warehouse.publish import publish
from tests.factories.publishing import (
    CLIENTS,
    D1,
    D2,
    D3,
    HOLDINGS,
    INSTRUMENTS,
    PORTFOLIOS,
    PRICES,
    contract,
    deliver,
    holding,
    holdings_at,
)
from tests.factories.staging import stage_rows

Connection = psycopg.Connection[Any]

APPLE, MICROSOFT, SAP = "US0378331005", "US5949181045", "DE0007164600"


def one(connection: Connection, statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def test_a_first_delivery_is_published_whole(connection: Connection) -> None:
    published = deliver(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P2", SAP, 2, D3)])
    assert (published.outcome, published.rows_published, published.rows_superseded) == ("published", 2, 0)
    assert published.dates == [D1, D3]
    assert holdings_at(connection) == {("P1", D1, APPLE): "1", ("P2", D3, SAP): "2"}


def test_equal_rows_change_nothing_and_make_no_publication(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, "1.50")])
    again = deliver(connection, HOLDINGS, [holding("P1", APPLE, "1.5")])
    assert (again.outcome, again.publication_id, again.rows_published) == ("no_op", None, 0)
    assert latest_publication(connection) == 1


def test_a_restatement_touches_only_what_differs_and_the_old_state_stays_readable(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P1", MICROSOFT, 2), holding("P2", SAP, 3)])
    restated = deliver(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P1", SAP, 9)])
    assert (restated.outcome, restated.rows_published, restated.rows_superseded) == ("restated", 1, 1)
    assert holdings_at(connection, 1) == {("P1", D1, APPLE): "1", ("P1", D1, MICROSOFT): "2", ("P2", D1, SAP): "3"}
    assert holdings_at(connection, 2) == {("P1", D1, APPLE): "1", ("P1", D1, SAP): "9", ("P2", D1, SAP): "3"}
    assert one(connection, "select supersedes from governance.publication where publication_id = 2") == [1]


def test_a_delta_leaves_what_it_does_not_mention(connection: Connection) -> None:
    price = {"business_date": D1, "price_type_code": "CLOSE", "price": "10"}
    deliver(connection, PRICES, [price | {"isin": APPLE}, price | {"isin": SAP}])
    changed = deliver(connection, PRICES, [price | {"isin": SAP, "price": "11"}])
    assert (changed.outcome, changed.rows_published, changed.rows_superseded) == ("restated", 1, 1)
    assert one(connection, "select count(*) from core.price where superseded_in is null") == 2


def test_a_snapshot_of_one_source_leaves_another_sources_prices(connection: Connection) -> None:
    price = {"isin": APPLE, "business_date": D1, "price_type_code": "CLOSE", "price": "10"}
    snapshot = PRICES.model_copy(update={"mode": "snapshot"})
    deliver(connection, snapshot, [price])
    deliver(connection, snapshot.model_copy(update={"source": "OTHER"}), [price | {"price": "12"}])
    assert one(
        connection, "select array_agg(source_code order by source_code) from core.price where superseded_in is null"
    ) == [
        "OTHER",
        "TEST",
    ]


def test_quarantined_rows_are_not_published(connection: Connection) -> None:
    delivery_id, staged = stage_rows(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P1", SAP, 2)])
    connection.execute(
        "insert into quality.quarantined_row (delivery_id, source_row, rule_id, message) values (%s, 3, 'r', 'm')",
        (delivery_id,),
    )
    publish(connection, HOLDINGS, staged, delivery_id, "warned")
    assert holdings_at(connection) == {("P1", D1, APPLE): "1"}
    assert one(connection, "select count(*) from core.instrument") == 1
    assert one(connection, "select rows_quarantined from governance.delivery") == 1


def test_repeated_keys_are_refused_whole_also_when_one_of_them_is_unchanged(connection: Connection) -> None:
    twice = [holding("P1", APPLE, 1), holding("P1", APPLE, 2)]
    with pytest.raises(PublishError, match="contradict"):
        deliver(connection, HOLDINGS, twice)
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1)])
    with pytest.raises(PublishError, match="Rows 2 and 3"):
        deliver(connection, HOLDINGS, twice)
    with pytest.raises(PublishError, match="Rows 2 and 3"):
        deliver(connection, HOLDINGS.model_copy(update={"mode": "delta"}), twice)
    assert latest_publication(connection) == 1
    assert holdings_at(connection) == {("P1", D1, APPLE): "1"}


def test_repeated_lines_are_numbered_alike_in_whatever_order_they_come(connection: Connection) -> None:
    feed = HOLDINGS.model_copy(update={"numbers_repeated_lines": True, "position_columns": ("currency_code",)})
    lines = [holding("P1", APPLE, quantity, currency_code="USD") for quantity in (5, 3, 4)]
    deliver(connection, feed, lines)
    assert holdings_at(connection) == {
        ("P1", D1, f"{APPLE}/USD"): "3",
        ("P1", D1, f"{APPLE}/USD#2"): "4",
        ("P1", D1, f"{APPLE}/USD#3"): "5",
    }
    assert deliver(connection, feed, lines[::-1]).outcome == "no_op"


@pytest.mark.parametrize("verdict", ["blocked", "broken", ""])
def test_only_a_good_verdict_is_published(connection: Connection, verdict: str) -> None:
    with pytest.raises(PublishError, match="cannot be published"):
        deliver(connection, HOLDINGS, [holding("P1", APPLE, 1)], verdict=verdict)
    assert latest_publication(connection) == 0


def test_a_feed_that_does_not_name_a_parent_of_the_key_is_refused(connection: Connection) -> None:
    with pytest.raises(ContractError, match="portfolio_code"):
        deliver(connection, HOLDINGS, [{"isin": APPLE, "business_date": D1, "quantity": 1}])


def test_rows_with_unknown_parents_are_quarantined_where_the_contract_says_so(connection: Connection) -> None:
    strict = HOLDINGS.model_copy(update={"unknown_instruments": "quarantine", "unknown_portfolios": "quarantine"})
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1)])
    rows = [holding("P1", APPLE, 2), holding("P1", SAP, 1), holding("P9", APPLE, 1), holding("P1", "", 1)]
    published = deliver(connection, strict, rows)
    assert published.rows_published == 1
    assert connection.execute(
        "select source_row, rule_id, column_name, value from quality.quarantined_row order by 1"
    ).fetchall() == [
        (3, "publish.parent_known", "isin", SAP),
        (4, "publish.parent_known", "portfolio_code", "P9"),
        (5, "publish.parent_known", "isin", ""),
    ]
    assert one(connection, "select count(*) from core.instrument") == 1


def test_provisional_parents_carry_what_the_file_says_and_fill_in_earlier_dates(connection: Connection) -> None:
    told = {
        "instrument_name": "Apple",
        "quote_currency_code": "USD",
        "currency_code": "EUR",
        "base_currency_code": "EUR",
    }
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1, D2, **told)])
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1, D1, **told)])
    assert connection.execute(
        "select valid_from, valid_to, instrument_name, currency_code, is_provisional"
        "  from core.instrument_version order by valid_from"
    ).fetchall() == [(D1, D2, "Apple", "USD", True), (D2, None, "Apple", "USD", True)]
    assert connection.execute(
        "select valid_from, valid_to, base_currency_code, is_provisional from core.portfolio_version order by 1"
    ).fetchall() == [(D1, D2, "EUR", True), (D2, None, "EUR", True)]


def test_a_real_instrument_feed_takes_over_the_provisional_instrument(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1, D2, instrument_name="APPLE INC", currency_code="USD")])
    stated = {"instrument_code": "A1", "isin": APPLE, "instrument_name": "Apple Inc.", "business_date": D1}
    deliver(connection, INSTRUMENTS, [stated])
    assert one(connection, "select count(*) from core.instrument") == 1
    assert connection.execute(
        "select valid_from, valid_to, instrument_name, currency_code, is_provisional"
        "  from core.instrument_version where superseded_in is null"
    ).fetchall() == [(D1, None, "Apple Inc.", "USD", False)]


def test_a_statement_holds_from_its_own_date_until_the_next(connection: Connection) -> None:
    def state(name: str, **dates: Any) -> str:
        return deliver(connection, CLIENTS, [{"client_code": "C1", "client_name": name, **dates}]).outcome

    assert state("first", business_date=D2) == "published"
    assert state("first", business_date=D3) == "no_op"
    assert state("late", business_date=D1) == "restated"
    assert state("own date", business_date=D1, valid_from=D3) == "restated"
    assert connection.execute(
        "select valid_from, valid_to, client_name from core.client_version where superseded_in is null order by 1"
    ).fetchall() == [(D1, D2, "late"), (D2, D3, "first"), (D3, None, "own date")]


def test_a_stated_end_closes_the_version_and_an_open_one_reopens_it(connection: Connection) -> None:
    row = {"client_code": "C1", "client_name": "a", "business_date": D1, "valid_from": D1}
    deliver(connection, CLIENTS, [row | {"valid_to": D3}])
    current = "select valid_from, valid_to from core.client_version where superseded_in is null order by 1"
    assert connection.execute(current.encode()).fetchall() == [(D1, D3)]
    deliver(connection, CLIENTS, [row | {"valid_to": D2}])
    assert connection.execute(current.encode()).fetchall() == [(D1, D2)]
    deliver(connection, CLIENTS, [row | {"valid_to": None}], columns=[*row, "valid_to"])
    assert connection.execute(current.encode()).fetchall() == [(D1, None)]


def test_a_reference_file_leaves_entities_that_it_does_not_mention(connection: Connection) -> None:
    deliver(connection, CLIENTS, [{"client_code": code, "client_name": code, "business_date": D1} for code in "AB"])
    deliver(connection, CLIENTS, [{"client_code": "A", "client_name": "new", "business_date": D2}])
    assert one(connection, "select count(*) from core.client_version where superseded_in is null") == 3


def test_columns_that_a_feed_does_not_carry_keep_their_values(connection: Connection) -> None:
    deliver(connection, CLIENTS, [{"client_code": "C1", "client_name": "a", "email": "x@y", "business_date": D1}])
    deliver(connection, CLIENTS, [{"client_code": "C1", "client_name": "b", "business_date": D2}])
    assert connection.execute(
        "select client_name, email from core.client_version where superseded_in is null order by valid_from"
    ).fetchall() == [("a", "x@y"), ("b", "x@y")]


def test_contradicting_statements_of_one_file_are_refused(connection: Connection) -> None:
    rows = [{"client_code": "C1", "client_name": name, "business_date": D1} for name in "ab"]
    with pytest.raises(PublishError, match="Rows 2 and 3"):
        deliver(connection, CLIENTS, rows)


def test_parents_are_found_in_the_same_file_and_unknown_ones_refuse_the_chain(connection: Connection) -> None:
    def portfolio(code: str, parent: str | None) -> dict[str, Any]:
        return {"portfolio_code": code, "parent_portfolio_code": parent, "business_date": D1}

    rows = [portfolio("A", "B"), portfolio("B", None), portfolio("X", "NOWHERE"), portfolio("Y", "X")]
    published = deliver(connection, PORTFOLIOS, rows)
    assert published.rows_published == 2
    assert connection.execute(
        "select p.portfolio_code, q.portfolio_code"
        "  from core.portfolio_version as v join core.portfolio as p using (portfolio_id)"
        " left join core.portfolio as q on q.portfolio_id = v.parent_portfolio_id order by 1"
    ).fetchall() == [("A", "B"), ("B", None)]
    assert one(connection, "select array_agg(source_row order by source_row) from quality.quarantined_row") == [4, 5]
    assert one(connection, "select count(*) from core.portfolio") == 2


def test_identifiers_are_never_moved_silently(connection: Connection) -> None:
    feed = contract("core.instrument_identifier", identifiers=(Identifier(scheme="ISIN", columns=("isin",)),))
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P1", SAP, 1)])
    named = {"scheme": "TICKER@XNAS", "value": "FB", "business_date": D1}
    deliver(connection, feed, [named | {"isin": APPLE}])
    taken = deliver(connection, feed, [named | {"isin": SAP, "scheme": "TICKER@XNYS", "value": "f.b"}])
    assert (taken.outcome, taken.rows_published) == ("no_op", 0)
    assert one(connection, "select rule_id, value from quality.quarantined_row") == (
        "publish.identifier_free",
        "TICKER@US FB",
    )
    moved = [named | {"isin": APPLE, "valid_to": D2}, named | {"isin": SAP, "valid_from": D2}]
    assert deliver(connection, feed, moved).rows_published == 2
    prices = [
        {"ticker": "FB", "exchange_code": "XNAS", "business_date": day, "price_type_code": "CLOSE", "price": "1"}
        for day in (D1, D2, D3)
    ]
    deliver(connection, PRICES, prices)
    assert connection.execute(
        "select p.business_date, i.instrument_code"
        "  from core.price as p join core.instrument as i using (instrument_id) order by 1"
    ).fetchall() == [(D1, f"ISIN:{APPLE}"), (D2, f"ISIN:{SAP}"), (D3, f"ISIN:{SAP}")]


def test_valuations_are_asked_for_at_the_changed_dates_only(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P1", APPLE, 1, D2)])
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P1", APPLE, 2, D2)])
    deliver(connection, CLIENTS, [{"client_code": "C1", "client_name": "a", "business_date": D3}])
    deliver(connection, PORTFOLIOS, [{"portfolio_code": "P1", "base_currency_code": "USD", "business_date": D3}])
    deliver(connection, PORTFOLIOS, [{"portfolio_code": "P2", "base_currency_code": "USD", "business_date": D3}])
    assert connection.execute(
        "select caused_by, business_date from governance.derivation order by 1, 2"
    ).fetchall() == [(1, D1), (1, D2), (2, D2), (4, D3)]


def test_a_moment_is_resolved_to_the_publication_that_was_newest_then(connection: Connection) -> None:
    assert publication_at(connection, None) == 0
    for quantity in (1, 2, 3):
        deliver(connection, HOLDINGS, [holding("P1", APPLE, quantity)])
    moments = connection.execute("select publication_id, known_at from governance.publication order by 1").fetchall()
    assert [publication_at(connection, known_at) for _, known_at in moments] == [1, 2, 3]
    assert [known_at for _, known_at in moments] == sorted({known_at for _, known_at in moments})


def test_the_same_file_on_two_warehouses_has_one_digest(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1)])
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 2)])
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1)])
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 2)])
    digests = [
        row[0] for row in connection.execute("select digest from governance.publication order by publication_id")
    ]
    assert digests[1] == digests[2] == digests[3] != digests[0]
