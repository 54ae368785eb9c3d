"""Random deliveries of facts, compared at every publication with a model that is a plain dictionary."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulcrum.warehouse.publications import latest_publication
from tests.factories.publishing import HOLDINGS, deliver, holding, holdings_at

DATES = (dt.date(2026, 1, 30), dt.date(2026, 1, 31), dt.date(2026, 2, 1))
ISINS = ("US0378331005", "US5949181045", "DE0007164600")

Key = tuple[str, dt.date, str]
_example = itertools.count()


@dataclass
class Model:
    """The current rows, and what they were at each publication."""

    rows: dict[Key, str] = field(default_factory=dict)
    known: dict[int, dict[Key, str]] = field(default_factory=dict)

    def apply(self, mode: str, delivered: dict[Key, str]) -> tuple[int, int]:
        """Take the delivery in; rows that it publishes and supersedes."""
        scopes = {(portfolio, date) for portfolio, date, _ in delivered}
        before = dict(self.rows)
        if mode == "snapshot":
            self.rows = {key: value for key, value in before.items() if key[:2] not in scopes}
        self.rows = self.rows | delivered
        published = sum(before.get(key) != value for key, value in delivered.items())
        superseded = sum(self.rows.get(key) != value for key, value in before.items())
        return published, superseded


keys = st.tuples(st.sampled_from(["P", "Q"]), st.sampled_from(DATES), st.sampled_from(ISINS))
deliveries = st.lists(
    st.tuples(
        st.sampled_from(["snapshot", "snapshot", "delta"]),
        st.dictionaries(keys, st.integers(1, 3).map(str), min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=deliveries)
def test_every_state_is_what_replaying_the_deliveries_gives(
    connection: psycopg.Connection[Any], deliveries: list[tuple[str, dict[Key, str]]]
) -> None:
    prefix = f"{next(_example)}-"  # one database serves all examples: each has its own portfolios
    model = Model()
    for mode, content in deliveries:
        delivered = {(prefix + portfolio, date, isin): value for (portfolio, date, isin), value in content.items()}
        before = len(model.rows)
        published, superseded = model.apply(mode, delivered)
        rows = [holding(portfolio, isin, value, date) for (portfolio, date, isin), value in delivered.items()]
        result = deliver(connection, HOLDINGS.model_copy(update={"mode": mode}), rows)
        assert (result.rows_published, result.rows_superseded) == (published, superseded)
        assert (result.publication_id is None) == (not published and not superseded)
        assert before or result.outcome == "published"
        model.known[latest_publication(connection)] = dict(model.rows)
    for number, expected in model.known.items():
        seen = {key: value for key, value in holdings_at(connection, number).items() if key[0].startswith(prefix)}
        assert seen == expected
    assert no_orphans(connection) == 0


def no_orphans(connection: psycopg.Connection[Any]) -> int:
    """Facts whose portfolio or instrument has no identity row."""
    row = connection.execute(
        """
        select count(*) from core.holding as h
         where not exists (select from core.portfolio as p where p.portfolio_id = h.portfolio_id)
            or not exists (select from core.instrument as i where i.instrument_id = h.instrument_id)
        """
    ).fetchone()
    assert row is not None
    return int(row[0])
