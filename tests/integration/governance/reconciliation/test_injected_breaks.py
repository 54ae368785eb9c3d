"""1,000 breaks of every class among 100,000 positions: all found, each in its class, and nothing else."""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from typing import Any

import psycopg

from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reconciliation.contract import BreakClass, load
from fulcrum.governance.reconciliation.run import reconcile
from fulcrum.settings import Settings
from tests.factories.two_books import AFTER, BEFORE, DAY, Injected, write_books

BOOKS, PER_BOOK, PER_CLASS, SPACING = 100, 1000, 125, 800


def test_all_are_found_in_their_class_and_nothing_else(database: Settings, connection: psycopg.Connection[Any]) -> None:
    write_books(connection, BOOKS, PER_BOOK, days=(BEFORE, DAY, AFTER))
    expected = Injected(connection, PER_CLASS, PER_BOOK, SPACING).everything()
    assert Counter(expected.values()) == dict.fromkeys(BreakClass, PER_CLASS)
    ready = load(database, "custody_positions", dt.date(2026, 11, 22))
    run = reconcile(connection, load_desk_policy(database), ready, DAY)
    found = dict(
        connection.execute(
            "select break_key, class_code from quality.reconciliation_break where reconciliation_run_id = %s",
            [run.reconciliation_run_id],
        ).fetchall()
    )
    sys.stdout.write(confusion(expected, found))
    assert found == expected
    assert (run.status, run.breaks, run.opened) == ("broken", 8 * PER_CLASS, 8 * PER_CLASS)
    assert run.a_rows == BOOKS * PER_BOOK - 63 + 2 * PER_CLASS
    counted = connection.execute(
        "select count(*) filter (where portfolio_code like 'CUSTODY:%%'),"
        " count(*) filter (where portfolio_code not like 'CUSTODY:%%')"
        " from core.holding join core.portfolio using (portfolio_id) where business_date = %s",
        (DAY,),
    ).fetchone()
    assert (run.a_rows, run.b_rows) == counted


def confusion(expected: dict[str, str], found: dict[str, str]) -> str:
    """Injected classes down, reported classes across; `nothing` is what was not injected or not reported."""
    names = [*(each.value for each in BreakClass), "nothing"]
    counted = Counter((expected.get(key, "nothing"), found.get(key, "nothing")) for key in expected | found)
    lines = ["injected \\ found".ljust(18) + "".join(name.rjust(12) for name in names)]
    lines += [name.ljust(18) + "".join(str(counted[name, each]).rjust(12) for each in names) for name in names]
    return "\n".join(lines)
