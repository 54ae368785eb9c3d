"""Random statements about entities, compared at every date and publication with a naive model."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulcrum.warehouse.publications import latest_publication
from tests.factories.publishing import CLIENTS, deliver

DAYS = tuple(dt.date(2026, 1, day) for day in range(1, 7))
Attributes = tuple[str, str | None]
State = dict[tuple[str, dt.date], Attributes]
_example = itertools.count()


@dataclass
class Model:
    """For each client the dates at which something else begins to hold."""

    begins: dict[str, dict[dt.date, Attributes]] = field(default_factory=dict)

    def state(self) -> State:
        """What holds of each client on each day."""
        return {
            (client, day): begins[max(held)]
            for client, begins in self.begins.items()
            for day in DAYS
            if (held := [begin for begin in begins if begin <= day])
        }

    def tell(self, client: str, day: dt.date, told: Attributes) -> None:
        """A statement as of `day`: it holds until the next that is kept; repeating what holds is not kept."""
        if self.state().get((client, day)) != told:
            self.begins.setdefault(client, {})[day] = told


def read(connection: psycopg.Connection[Any], prefix: str, number: int) -> State:
    """What the warehouse says, day by day, as known at publication `number`."""
    rows = connection.execute(
        """
        select c.client_code, day::date, v.client_name, v.email
          from generate_series(%(first)s::date, %(last)s::date, '1 day') as day
          join core.client_version as v on v.valid_from <= day and (v.valid_to is null or day < v.valid_to)
          join core.client as c using (client_id)
         where v.published_in <= %(n)s and (v.superseded_in is null or v.superseded_in > %(n)s)
           and starts_with(c.client_code, %(prefix)s)
        """,
        {"first": DAYS[0], "last": DAYS[-1], "n": number, "prefix": prefix},
    ).fetchall()
    found = {(code.removeprefix(prefix), day): (name, email) for code, day, name, email in rows}
    assert len(found) == len(rows), "two versions hold on one day"
    return found


attributes = st.tuples(st.sampled_from("ab"), st.sampled_from(["x", None]))
statements = st.dictionaries(
    st.tuples(st.sampled_from("CD"), st.sampled_from(DAYS)), attributes, min_size=1, max_size=5
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=st.lists(statements, min_size=1, max_size=4))
def test_every_day_at_every_publication_is_what_replaying_the_statements_gives(
    connection: psycopg.Connection[Any], deliveries: list[dict[tuple[str, dt.date], Attributes]]
) -> None:
    prefix = f"{next(_example)}-"
    model = Model()
    known: dict[int, State] = {}
    for delivery in deliveries:
        before = {client: dict(begins) for client, begins in model.begins.items()}
        for (client, day), told in sorted(delivery.items()):
            model.tell(client, day, told)
        result = deliver(
            connection,
            CLIENTS,
            [
                {"client_code": prefix + client, "business_date": day, "client_name": name, "email": email}
                for (client, day), (name, email) in delivery.items()
            ],
            columns=["client_code", "business_date", "client_name", "email"],
        )
        assert (result.outcome == "no_op") == (before == model.begins)
        known[latest_publication(connection)] = model.state()
    for number, expected in known.items():
        assert read(connection, prefix, number) == expected
