"""Migration 0021 tells of waivers that were ended before it who approved them, and can be taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse import engine, migrations

APPROVED_AT = dt.datetime(2026, 1, 5, 9, 30, tzinfo=dt.UTC)
ENDED_AT = dt.datetime(2026, 1, 6, 17, 0, tzinfo=dt.UTC)
ENDED = (ENDED_AT, "No longer.")
AFTER = [
    (1, "ended", "bob", APPROVED_AT, "Seen.", "cid", *ENDED),
    (2, "ended", "bob", APPROVED_AT, None, "cid", *ENDED),  # approved without a word
    (3, "ended", "cid", *ENDED, "cid", *ENDED),  # of which the audit log says nothing
    (4, "approved", "bob", APPROVED_AT, "Seen.", None, None, None),
    (5, "asked", None, None, None, None, None, None),
]


def test_a_waiver_that_was_ended_before_tells_again_who_approved_it(bare_database: Settings) -> None:
    migrations.upgrade(bare_database, "0020")
    with engine.connect(bare_database) as connection:
        _write_as_before(connection)
    migrations.upgrade(bare_database)
    assert _told(bare_database) == AFTER
    migrations.downgrade(bare_database, "0020")
    with engine.connect(bare_database) as connection:
        rows = connection.execute("select decided_by, decision_comment from quality.waiver order by waiver_id")
        assert rows.fetchall() == [("cid", "No longer.")] * 3 + [("bob", "Seen."), (None, None)]
    migrations.upgrade(bare_database)
    assert _told(bare_database) == AFTER
    with engine.connect(bare_database) as connection:
        row = connection.execute(
            "select tgenabled from pg_trigger where tgname = 'hold_decision' and tgrelid = 'quality.waiver'::regclass"
        ).fetchone()
    assert row == ("O",), "the trigger that holds decisions is on again"


def _write_as_before(connection: psycopg.Connection[Any]) -> None:
    """Five waivers in the words of the program before 0021, where an end took the place of the approval."""
    for name in ("ann", "bob", "cid"):
        register(connection, load_policy(read_settings()), Principal(name, "person", ("risk_officer",), WHOLE_HOUSE))
    for _ in AFTER:
        connection.execute(
            "insert into quality.waiver (rule_id, feed, begin_date, end_date, reason, asked_by)"
            " values ('holding.control_total', 'house_holdings', '2026-01-05', '2026-01-09', 'Sum is late.', 'ann')"
        )
    connection.execute(
        "update quality.waiver set state = 'approved', decided_by = 'bob', decided_at = %s,"
        " decision_comment = case when waiver_id <> 2 then 'Seen.' end where waiver_id < 5",
        [APPROVED_AT],
    )
    connection.execute(
        "insert into governance.audit_event (at, actor_name, action, subject, details)"
        " select %s, 'bob', 'waiver.approved', 'waiver:' || waiver_id, jsonb_build_object('comment', decision_comment)"
        " from quality.waiver where waiver_id in (1, 2, 4)",
        [APPROVED_AT],
    )
    connection.execute(
        "update quality.waiver set state = 'ended', decided_by = 'cid', decided_at = %s, decision_comment = %s"
        " where waiver_id < 4",
        ENDED,
    )


def _told(settings: Settings) -> list[tuple[Any, ...]]:
    with engine.connect(settings) as connection:
        return connection.execute(
            "select waiver_id, state, decided_by, decided_at, decision_comment, ended_by, ended_at, end_comment"
            " from quality.waiver order by waiver_id"
        ).fetchall()
