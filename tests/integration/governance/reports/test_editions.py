"""Which edition of a month stands, and what was open at each moment of a finding's life."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from fulcrum.governance.desk import exceptions
from fulcrum.governance.desk.moves import Move, Step
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reports import Month, edition
from fulcrum.governance.reports.decisions import open_findings
from fulcrum.governance.reports.month import Edition, editions, months
from fulcrum.settings import Settings
from tests.factories.staging import new_delivery
from tests.factories.suites import CASES, contract_of

Connection = psycopg.Connection[Any]
CLOSING_DAYS = 7
NOW = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
DAY = dt.date(2026, 1, 5)


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{text}+00:00")


def arrive(connection: Connection, day: str, landed_at: str, **more: Any) -> int:
    contract = contract_of(CASES["core/price"])
    return new_delivery(connection, contract, business_date_to=day, landed_at=f"{landed_at} UTC", **more)


def test_a_month_closes_after_its_end_or_after_its_first_file_where_history_was_loaded_later(
    database: Settings, connection: Connection
) -> None:
    assert database.home
    arrive(connection, "2026-03-02", "2026-03-03 06:00")
    arrive(connection, "2026-02-28", "2026-03-01 06:00")  # alone, and a little late
    arrive(connection, "2026-01-30", "2026-02-20 06:00")
    arrive(connection, "2026-01-05", "2026-01-06 06:00")  # the first that landed is of another date
    first = arrive(connection, "2024-02-29", "2026-03-05 12:00")
    arrive(connection, "2024-02-01", "2026-03-05 13:00", same_as_delivery_id=first)
    arrive(connection, "9999-12-31", "2026-03-05 14:00", outcome="refused")  # somebody's typing mistake
    connection.execute(
        "insert into quality.validation (suite_name, subject, business_date, started_at, finished_at, verdict,"
        " rows_judged, engine_version)"
        " select 'governance/delivery', 'arrivals', date '2025-12-31' + n, at, at, 'passed', 1, '1'"
        " from (values (0, timestamptz '2026-02-01 07:00+00'), (62, '2026-02-10 07:00+00')) judged (n, at)"
    )
    connection.commit()
    known = months(connection)
    assert [str(one) for one in known] == ["2026-03", "2026-02", "2026-01", "2024-02"]
    asked = [*known, Month.parse("2025-12"), Month.parse("2020-01")]
    closing = {str(one.month): one.closes_at for one in editions(connection, asked, CLOSING_DAYS, now=NOW)}
    assert closing == {
        "2026-03": moment("2026-04-08 00:00"),
        "2026-02": moment("2026-03-08 06:00"),
        "2026-01": moment("2026-02-08 00:00"),
        "2024-02": moment("2026-03-12 12:00"),
        "2025-12": moment("2026-02-08 07:00"),
        "2020-01": moment("2020-02-08 00:00"),
    }
    together = editions(connection, asked, CLOSING_DAYS, now=NOW)
    assert together == [edition(connection, month, CLOSING_DAYS, now=NOW) for month in asked]
    assert [one.is_closed for one in together] == [False, True, True, False, True, True]


def test_what_was_open_at_a_moment_is_told_by_the_moves_since(database: Settings, connection: Connection) -> None:
    policy = load_desk_policy(database)

    def found(rule: str, *, is_good: bool) -> None:
        finding = exceptions.Finding(
            rule, "P1", is_good=is_good, severity="warning", message="It differs.", business_date=DAY
        )
        exceptions.take_findings(connection, policy, [finding], today=DAY)

    def moved(move: Move, **more: Any) -> None:
        row = connection.execute("select exception_id from quality.exception where rule_id = 'nav.a'").fetchone()
        assert row is not None
        given = {"owner_name": None, "reason_code": None, "comment": "Looked at."} | more
        exceptions.move(connection, policy, row[0], "ann", Step(move, *given.values()))

    told: list[tuple[dt.datetime, dict[str, tuple[str, str | None]]]] = []

    def stands(**states: tuple[str, str | None]) -> None:
        connection.commit()
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        connection.commit()
        told.append((row[0], {f"nav.{name}": state for name, state in states.items()}))

    stands()
    found("nav.a", is_good=False)
    stands(a=("open", None))
    moved(Move.ASSIGN, owner_name="bob")
    found("nav.b", is_good=False)
    stands(a=("assigned", "bob"), b=("open", None))
    moved(Move.RESOLVE, reason_code="accepted")
    stands(b=("open", None))
    found("nav.a", is_good=False)
    found("nav.b", is_good=True)
    stands(a=("reopened", "bob"))
    found("nav.a", is_good=True)
    stands()
    for known_at, expected in told:
        asked = Edition(Month(2026, 1), known_at, known_at, 0)
        open_then = open_findings(connection, asked, policy, {})
        assert {one.rule_id: (one.state, one.owner_name) for one in open_then} == expected, known_at
