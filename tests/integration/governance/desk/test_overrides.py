"""An override takes two people, moves the NAV by a publication of its own, says who and why, and goes by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.errors import DecisionError
from fulcrum.governance import audit
from fulcrum.governance.desk import overrides, rollbacks
from fulcrum.governance.desk.overrides import Override, Request
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.derive import derive
from fulcrum.pipeline.overrides import carry_out
from fulcrum.settings import Settings, read_settings
from tests.factories.market import Market

POLICY = load_desk_policy(read_settings())
FRIDAY, MONDAY, TUESDAY = dt.date(2026, 1, 2), dt.date(2026, 1, 5), dt.date(2026, 1, 6)
APPLE, SHELL = "US0378331005", "GB00BP6MXD84"
WRONG = Request("price", {"isin": APPLE}, Decimal("12.5"), FRIDAY, MONDAY, "wrong", "split not applied", "USD")


class House(Market):
    """Two funds in USD; F holds both shares, G only the one in pounds."""

    def __init__(self, connection: psycopg.Connection[Any], settings: Settings) -> None:
        super().__init__(connection)
        self.settings = settings
        for name in ("ann", "bob", "cid"):
            register(
                connection, load_policy(read_settings()), Principal(name, "person", ("risk_officer",), WHOLE_HOUSE)
            )
        self.portfolio("F")
        self.portfolio("G")
        self.instrument(APPLE)
        self.instrument(SHELL, "GBP", quote_unit_code="MINOR")

    def value(self) -> None:
        """Price and derive three days."""
        for day in (FRIDAY, MONDAY, TUESDAY):
            self.prices(day, [{"instrument": APPLE, "price": "10"}, {"instrument": SHELL, "price": "200"}])
            self.rates(day, {"GBP/USD": "1.5"})
            self.holdings(
                "F", day, [{"instrument": APPLE, "quantity": "100"}, {"instrument": SHELL, "quantity": "100"}]
            )
            self.holdings("G", day, [{"instrument": SHELL, "quantity": "10"}])
        derive(self.settings)

    def approved(self, request: Request) -> Override:
        made = overrides.ask(self.connection, POLICY, "ann", request)
        overrides.decide(self.connection, "bob", made.override_id, "approved", "seen at the exchange")
        self.connection.commit()
        return made

    def navs(self, portfolio: str) -> list[Decimal]:
        """Current NAV on Friday, Monday and Tuesday."""
        rows = self.connection.execute(
            "select nav_base from mart.portfolio_nav where portfolio_id = %s and superseded_in is null"
            " order by business_date",
            [self.portfolios[portfolio]],
        ).fetchall()
        self.connection.commit()
        return [row[0] for row in rows]

    def row(self, query: str, *parameters: Any) -> Any:
        found = self.connection.execute(query, parameters).fetchone()
        self.connection.commit()
        return found


@pytest.fixture
def unvalued(connection: psycopg.Connection[Any], settings: Settings) -> House:
    return House(connection, settings)


@pytest.fixture
def house(unvalued: House) -> House:
    unvalued.value()
    return unvalued


def test_it_moves_the_navs_that_hold_the_instrument_within_its_period_and_no_others(house: House) -> None:
    assert house.navs("F") == [1300, 1300, 1300]
    before = house.row("select max(publication_id) from governance.publication")[0]
    house.approved(WRONG)
    report = derive(house.settings)
    assert house.navs("F") == [1550, 1550, 1300]
    assert house.navs("G") == [30, 30, 30]
    assert report.pairs == 2
    kinds = house.connection.execute(
        "select kind, feed, verdict, rows_published from governance.publication where publication_id > %s"
        " order by publication_id",
        [before],
    ).fetchall()
    assert [(kind, feed, verdict) for kind, feed, verdict, _ in kinds] == [
        ("delivery", "override_prices", "passed"),
        ("derivation", "mart.position_valuation", "passed"),
    ]
    assert kinds[0][3] == 4  # Friday to Monday, the days between with them
    assert house.row("select price from core.price where source_code = 'VENDOR' and superseded_in is null limit 1") == (
        Decimal(10),
    )


def test_an_exchange_rate_is_overridden_both_ways_round(house: House) -> None:
    house.approved(
        Request(
            "fx_rate",
            {"base_currency_code": "USD", "quote_currency_code": "GBP"},
            Decimal("0.5"),
            MONDAY,
            MONDAY,
            "stale",
            "the feed repeats Friday",
        )
    )
    derive(house.settings)
    assert house.navs("G") == [30, 40, 30]
    assert house.navs("F") == [1300, 1400, 1300]


def test_the_day_after_its_end_the_vendor_holds_again_even_where_he_says_nothing_new(house: House) -> None:
    house.holdings("F", dt.date(2026, 1, 7), [{"instrument": APPLE, "quantity": "100"}])
    derive(house.settings)
    house.approved(replace(WRONG, begin_date=TUESDAY, end_date=TUESDAY))
    assert derive(house.settings).pairs == 1
    assert house.navs("F") == [1300, 1300, 1550, 1000]


def test_each_derivation_carries_it_on_until_it_lapses(house: House) -> None:
    made = house.approved(WRONG)
    first = carry_out(house.settings, today=FRIDAY)
    assert [(each.override_id, each.outcome) for each in first] == [(made.override_id, "published")]
    assert carry_out(house.settings, today=FRIDAY) == []
    (second,) = carry_out(house.settings, today=MONDAY)
    assert second.publication_id is not None
    assert carry_out(house.settings, today=TUESDAY) == []
    derive(house.settings)
    assert house.navs("F") == [1550, 1550, 1300]
    counts = house.connection.execute(
        "select business_date, count(*) from core.price where source_code = 'OVERRIDE' group by 1 order by 1"
    ).fetchall()
    assert [count for _, count in counts] == [1, 1, 1, 1]
    known = overrides.get(house.connection, made.override_id)
    assert (known.carried_to, known.standing(MONDAY), known.standing(TUESDAY)) == (MONDAY, "approved", "lapsed")


@pytest.mark.parametrize(("last", "navs"), [(FRIDAY, [1550, 1300, 1300]), (None, [1300, 1300, 1300])])
def test_ended_early_the_vendor_holds_again_from_the_day_after(
    house: House, last: dt.date | None, navs: list[int]
) -> None:
    made = house.approved(WRONG)
    derive(house.settings)
    overrides.end(house.connection, "cid", made.override_id, "the vendor corrected it", last)
    house.connection.commit()
    derive(house.settings)
    assert house.navs("F") == navs
    kind, feed, ended = house.row(
        "select kind, feed, rows_superseded from governance.publication where feed = 'override_prices'"
        " order by publication_id desc limit 1"
    )
    assert (kind, feed, ended) == ("rollback", "override_prices", 3 if last else 4)
    assert carry_out(house.settings) == []


def test_one_that_ended_before_it_was_carried_out_stands_for_the_days_that_are_left(house: House) -> None:
    made = house.approved(WRONG)
    overrides.end(house.connection, "bob", made.override_id, "only Friday", FRIDAY)
    house.connection.commit()
    derive(house.settings)
    assert house.navs("F") == [1550, 1300, 1300]


def test_nothing_is_derived_twice_where_nothing_is_due(house: House) -> None:
    house.approved(WRONG)
    derive(house.settings)
    assert derive(house.settings).publication_ids == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "holding"}, "Only prices .* and exchange rates .* can be overridden, not 'holding'"),
        ({"subject": {"isin": "US5949181045"}}, "no instrument 'US5949181045' on 2026-01-02"),
        ({"subject": {}}, "of which instrument"),
        ({"end_date": FRIDAY - dt.timedelta(days=1)}, "lasts 1 to 31 days, not 0"),
        ({"end_date": FRIDAY + dt.timedelta(days=31)}, "lasts 1 to 31 days, not 32"),
        ({"reason": " "}, "needs a reason"),
        ({"reason_code": "because"}, "no reason 'because'"),
        ({"value": Decimal(-1)}, "above zero"),
        ({"value": Decimal("NaN")}, "above zero"),
        ({"currency_code": None}, "needs its currency"),
        ({"currency_code": "GBX"}, "GBX is no currency"),
        ({"quote_unit_code": "DOZEN"}, "quoted per UNIT"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_its_reason(
    unvalued: House, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(DecisionError, match=message):
        overrides.ask(unvalued.connection, POLICY, "ann", replace(WRONG, **change))
    assert overrides.listed(unvalued.connection) == []


@pytest.mark.parametrize("pair", [("EUR", "EUR"), ("EUR", "GBX"), ("", "USD")])
def test_a_rate_is_of_two_different_currencies(unvalued: House, pair: tuple[str, str]) -> None:
    subject = dict(zip(("base_currency_code", "quote_currency_code"), pair, strict=True))
    with pytest.raises(DecisionError):
        overrides.ask(
            unvalued.connection, POLICY, "ann", replace(WRONG, kind="fx_rate", subject=subject, currency_code=None)
        )


def test_nobody_decides_on_or_ends_his_own_not_even_past_the_program(unvalued: House) -> None:
    made = overrides.ask(unvalued.connection, POLICY, "ann", WRONG)
    unvalued.connection.commit()
    with pytest.raises(DecisionError, match="somebody else must decide"):
        overrides.decide(unvalued.connection, "ann", made.override_id, "approved")
    with pytest.raises(psycopg.errors.CheckViolation):
        unvalued.connection.execute(
            "update quality.override set state = 'approved', decided_by = 'ann', decided_at = now()"
        )
    unvalued.connection.rollback()
    overrides.decide(unvalued.connection, "bob", made.override_id, "approved")
    unvalued.connection.commit()
    with pytest.raises(DecisionError, match="somebody other than who asked"):
        overrides.end(unvalued.connection, "ann", made.override_id, "done", None)
    with pytest.raises(psycopg.errors.CheckViolation):
        unvalued.connection.execute(
            "update quality.override set state = 'ended', last_date = begin_date - 1, ended_by = 'ann',"
            " ended_at = now(), end_comment = 'x'"
        )
    unvalued.connection.rollback()


@pytest.mark.parametrize(
    "change",
    [
        "set value = 99",
        "set end_date = end_date + 1000",
        "set decided_by = 'cid'",
        "set state = 'asked', decided_by = null, decided_at = null",
        "set state = 'ended', last_date = begin_date, ended_by = 'cid', ended_at = now(), end_comment = 'x', value = 1",
    ],
)
def test_what_was_decided_is_never_changed(unvalued: House, change: str) -> None:
    unvalued.approved(WRONG)
    with pytest.raises(psycopg.errors.RestrictViolation):
        unvalued.connection.execute(f"update quality.override {change}")
    unvalued.connection.rollback()


def test_two_never_stand_for_one_subject_and_day(unvalued: House) -> None:
    first = overrides.ask(unvalued.connection, POLICY, "ann", WRONG)
    second = overrides.ask(unvalued.connection, POLICY, "ann", replace(WRONG, begin_date=MONDAY, end_date=TUESDAY))
    overrides.decide(unvalued.connection, "bob", first.override_id, "approved")
    unvalued.connection.commit()
    with pytest.raises(DecisionError, match=f"Override {first.override_id} stands for price:{APPLE}"):
        overrides.decide(unvalued.connection, "bob", second.override_id, "approved")
    with pytest.raises(psycopg.errors.ExclusionViolation):
        unvalued.connection.execute(
            "update quality.override set state = 'approved', decided_by = 'bob', decided_at = now()"
            " where override_id = %s",
            [second.override_id],
        )
    unvalued.connection.rollback()
    overrides.end(unvalued.connection, "bob", first.override_id, "only Friday", FRIDAY)
    assert overrides.decide(unvalued.connection, "bob", second.override_id, "approved").state == "approved"


def test_a_file_that_nobody_signed_is_blocked_at_the_gate(unvalued: House, tmp_path: Path) -> None:
    made = unvalued.approved(WRONG)
    header = (
        "instrument_code,isin,figi,sedol,cusip,ticker,exchange_code,business_date,price,currency_code,quote_unit_code\n"
    )
    for name, line, number in (
        ("other_value", f",{APPLE},,,,,,2026-01-02,99,USD,\n", made.override_id),
        ("other_day", f",{APPLE},,,,,,2026-01-06,12.5,USD,\n", made.override_id),
        ("other_share", f",{SHELL},,,,,,2026-01-02,12.5,USD,\n", made.override_id),
        ("no_such_override", f",{APPLE},,,,,,2026-01-02,12.5,USD,\n", 999),
    ):
        file = tmp_path / f"{name}.csv"
        file.write_text(header + line, encoding="utf-8")
        report = deliver(unvalued.settings, "override_prices", file, parameters={"override_id": str(number)})
        assert (name, report.outcome) == (name, "blocked")
    file = tmp_path / "unnumbered.csv"
    file.write_text(f"{header},{APPLE},,,,,,2026-01-02,12.5,USD,\n", encoding="utf-8")
    assert deliver(unvalued.settings, "override_prices", file).outcome == "refused"


def test_its_publication_is_not_rolled_back_past_the_two_who_signed(house: House) -> None:
    house.approved(WRONG)
    (done,) = carry_out(house.settings)
    assert done.publication_id is not None
    with pytest.raises(DecisionError, match="belongs to an override"):
        rollbacks.decide(house.connection, "cid", done.publication_id, "I do not like it")


def test_every_step_is_in_the_audit_log(unvalued: House) -> None:
    first = overrides.ask(unvalued.connection, POLICY, "ann", WRONG)
    overrides.withdraw(unvalued.connection, "ann", first.override_id)
    second = unvalued.approved(WRONG)
    overrides.end(unvalued.connection, "cid", second.override_id, "the vendor corrected it", None)
    found = [(event.actor_name, event.action) for event in reversed(audit.events(unvalued.connection))]
    assert found == [
        ("ann", "override.asked"),
        ("ann", "override.withdrawn"),
        ("ann", "override.asked"),
        ("bob", "override.approved"),
        ("cid", "override.ended"),
    ]
