"""A desk with a blocked delivery, refused rows and people of several roles, behind a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from fulcrum.graph.app import create_app
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.access import make_key
from tests.integration.graph.serving import served

RULE = "holding.control_total"
HOSTILE = "<script>alert(1)</script>"
PEOPLE = {"ann": "data_engineer", "bob": "risk_officer", "eve": "analyst", "root": "administrator"}
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


class DeskSite:
    """The site at `address`, and the keys of the people of `PEOPLE`."""

    def __init__(self, address: str, keys: dict[str, str]) -> None:
        self.address = f"http://{address}"
        self.keys = keys

    @contextmanager
    def of(self, who: str | None, **headers: str) -> Iterator[httpx.Client]:
        """A browser of somebody who has signed in (None: has not)."""
        with httpx.Client(base_url=self.address, headers=headers, timeout=60) as client:
            if who is not None:
                sent = client.post("/sign-in", data={"key": self.keys[who], "next": "/desk"}, headers=SAME_SITE)
                assert sent.status_code == 303
            yield client


@contextmanager
def desk_site(database: Settings, connection: psycopg.Connection[Any], folder: Path) -> Iterator[DeskSite]:
    """A good delivery of one day, and a blocked one of the next with a line that names a hostile instrument."""
    house.prepare(database, folder)
    good = [house.holding(isin, 1) for isin in house.ISINS]
    assert house.deliver_holdings(database, folder, "good.csv", good).outcome == "published"
    next_day = house.DAY.replace(day=6)
    rows = [house.holding(isin, 2, day=next_day) for isin in house.ISINS]
    file = house.broken_total(house.holdings_file(database, folder, "broken <b>.csv", rows))
    assert deliver(database, "house_holdings", file).outcome == "blocked"
    strange = [*house.instruments(house.ISINS[:1]), house.instruments([HOSTILE])[0]]
    file = house.write(database, folder, "house_instruments", "instruments_20260106.csv", strange)
    deliver(database, "house_instruments", file, business_date=next_day)
    keys = {name: make_key(connection, name, roles=[role]) for name, role in PEOPLE.items()}
    with served(create_app(database)) as address:
        yield DeskSite(address, keys)
