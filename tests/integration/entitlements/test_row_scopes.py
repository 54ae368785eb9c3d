"""PostgreSQL itself gives the API's role only the rows of the scope that the transaction states."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from fulcrum.entitlements.principals import RowScope, set_scope
from fulcrum.settings import Settings
from fulcrum.warehouse import server
from fulcrum.warehouse.engine import connect
from tests.factories.graph_world import GraphWorld

DAY = dt.date(2026, 1, 15)
BOOKS_OF_THE_API = {
    "governance.export_job",
    "governance.usage",
    "quality.exception",
    "quality.exception_event",
    "quality.override",
    "quality.waiver",
    "governance.audit_event",
    "governance.mutation",
}
"""What it writes about itself: who asked for which file, who used what, and what its callers moved and signed."""


class TwoClients:
    """Two clients, each with an account and a mandate; a composite over both mandates; a fund."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.world = world = GraphWorld(connection)
        n = world.publish("core.client", DAY)
        self.clients = [world.identity("client", code, n) for code in ("C-1", "C-2")]
        for client in self.clients:
            world.version("client", client, n, client_name=f"name {client}")
        n = world.publish("core.account", DAY)
        for number, client in enumerate(self.clients, 1):
            account = world.identity("account", f"A-{number}", n)
            world.version("account", account, n, client_id=client)
        n = world.publish("core.portfolio", DAY)
        self.composite = world.identity("portfolio", "ALL", n)
        world.version("portfolio", self.composite, n, portfolio_kind_code="COMPOSITE")
        self.mandates = [world.identity("portfolio", code, n) for code in ("M-1", "M-2")]
        for mandate, client in zip(self.mandates, self.clients, strict=True):
            world.version(
                "portfolio",
                mandate,
                n,
                portfolio_kind_code="MANDATE",
                client_id=client,
                parent_portfolio_id=self.composite,
            )
        self.fund = world.identity("portfolio", "FUND", n)
        world.version("portfolio", self.fund, n, portfolio_kind_code="FUND")
        n = world.publish("core.holding", DAY)
        for portfolio in (*self.mandates, self.fund):
            world.fact(
                "core.holding", n, portfolio_id=portfolio, business_date=DAY, instrument_id=1, quantity=portfolio
            )
        connection.commit()


@contextmanager
def as_api(settings: Settings, scope: str | None) -> Iterator[psycopg.Connection[Any]]:
    with connect(settings, role=server.API_ROLE) as api:
        if scope is not None:
            api.execute(
                "select set_config('fulcrum.scope', scope_id::text, true) from governance.row_scope"
                " where scope_name = %s",
                [scope],
            )
        yield api


def codes(settings: Settings, scope: str | None) -> dict[str, list[str]]:
    with as_api(settings, scope) as api:
        seen = {}
        for entity in ("client", "account", "portfolio"):
            rows = api.execute(
                f"select {entity}_code from core.{entity} join core.{entity}_version using ({entity}_id)"
                " where superseded_in is null order by 1"
            )
            seen[entity] = [row[0] for row in rows]
        rows = api.execute("select portfolio_id from core.holding order by 1")
        return seen | {"holding": [str(row[0]) for row in rows]}


@pytest.fixture
def two(connection: psycopg.Connection[Any]) -> TwoClients:
    return TwoClients(connection)


def test_without_a_scope_nothing_of_a_client_is_visible(database: Settings, two: TwoClients) -> None:
    assert two.mandates
    nothing: dict[str, list[str]] = {"client": [], "account": [], "portfolio": [], "holding": []}
    assert codes(database, None) == nothing
    assert codes(database, "nothing") == nothing
    with as_api(database, None) as api:
        api.execute("select set_config('fulcrum.scope', '999', true)")
        assert api.execute("select count(*) from core.client").fetchone() == (0,)


def test_the_whole_house_sees_everything(database: Settings, two: TwoClients) -> None:
    assert codes(database, "house") == {
        "client": ["C-1", "C-2"],
        "account": ["A-1", "A-2"],
        "portfolio": ["ALL", "FUND", "M-1", "M-2"],
        "holding": [str(key) for key in sorted((*two.mandates, two.fund))],
    }


@pytest.mark.parametrize(
    ("scope", "clients", "accounts", "portfolios"),
    [
        (RowScope("one", client_codes=("C-1",)), ["C-1"], ["A-1"], ["M-1"]),
        (RowScope("one", has_funds=True), [], [], ["FUND"]),
        (RowScope("one", portfolio_codes=("M-2",)), [], [], ["M-2"]),
        (RowScope("one", portfolio_codes=("ALL",)), [], [], ["ALL", "M-1", "M-2"]),
        (RowScope("one", client_codes=("C-2", "C-9"), has_funds=True), ["C-2"], ["A-2"], ["FUND", "M-2"]),
    ],
)
def test_a_scope_sees_what_belongs_to_it_and_nothing_else(
    database: Settings,
    connection: psycopg.Connection[Any],
    two: TwoClients,
    scope: RowScope,
    clients: list[str],
    accounts: list[str],
    portfolios: list[str],
) -> None:
    set_scope(connection, scope)
    connection.commit()
    seen = codes(database, "one")
    assert (seen["client"], seen["account"], seen["portfolio"]) == (clients, accounts, portfolios)
    keys = dict(zip(("M-1", "M-2", "FUND"), (*two.mandates, two.fund), strict=True))
    assert seen["holding"] == sorted(str(keys[code]) for code in portfolios if code in keys)


def test_rights_change_in_the_publication_that_changes_the_owner(
    database: Settings, connection: psycopg.Connection[Any], two: TwoClients
) -> None:
    set_scope(connection, RowScope("first", client_codes=("C-1", "C-3")))
    connection.commit()
    n = two.world.publish("core.portfolio", DAY)
    two.world.supersede("core.portfolio_version", n, portfolio_id=two.mandates[0])
    two.world.version("portfolio", two.mandates[0], n, portfolio_kind_code="MANDATE", client_id=two.clients[1])
    assert codes(database, "first")["portfolio"] == ["M-1"], "it is not committed yet"
    connection.commit()
    seen = codes(database, "first")
    assert seen["portfolio"] == []
    assert seen["holding"] == [], "the history went along"
    n = two.world.publish("core.client", DAY)
    two.world.version("client", two.world.identity("client", "C-3", n), n)
    connection.commit()
    assert codes(database, "first")["client"] == ["C-1", "C-3"], "a client that the scope named in advance"


def test_a_portfolio_that_a_position_file_brings_is_seen_by_the_whole_house_at_once(
    database: Settings, connection: psycopg.Connection[Any], two: TwoClients
) -> None:
    n = two.world.publish("core.holding", DAY)
    new = two.world.identity("portfolio", "NEW", n)
    two.world.fact("core.holding", n, portfolio_id=new, business_date=DAY, instrument_id=1, quantity=1)
    connection.commit()
    with as_api(database, "house") as api:
        assert api.execute("select quantity from core.holding where portfolio_id = %s", [new]).fetchone() == (1,)


def test_every_table_that_names_a_client_an_account_or_a_portfolio_has_a_policy(
    connection: psycopg.Connection[Any],
) -> None:
    keyed = connection.execute(
        """
        select c.oid::regclass::text, c.relrowsecurity, exists (
            select from pg_policy p where p.polrelid = c.oid and p.polname = 'api_rows') as has_policy
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('core', 'mart') and c.relkind in ('r', 'p') and not c.relispartition
          and exists (select from pg_attribute a where a.attrelid = c.oid
            and a.attname in ('client_id', 'account_id', 'portfolio_id'))
        """
    ).fetchall()
    assert len(keyed) >= 12
    open_tables = {name for name, is_on, has_policy in keyed if not (is_on and has_policy)}
    assert open_tables == {"core.share_class_version"}, "share classes are public; everything else belongs to somebody"


def test_the_api_can_ask_no_month_of_a_table_directly(database: Settings, two: TwoClients) -> None:
    assert two.fund
    with as_api(database, "house") as api:
        found = api.execute(
            """
            select c.oid::regclass::text, has_table_privilege(c.oid, 'select') from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('core', 'mart') and c.relispartition and c.relkind = 'r'
            """
        ).fetchall()
    assert "core.holding_p202601" in {name for name, _ in found}
    assert [name for name, may in found if may] == []


def test_the_api_may_read_every_table_that_it_serves_and_write_none(database: Settings) -> None:
    with as_api(database, None) as api:
        rows = api.execute(
            """
            select c.oid::regclass::text, has_table_privilege(c.oid, 'select'),
              has_any_column_privilege(c.oid, 'insert, update') or has_table_privilege(c.oid, 'delete, truncate')
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('core', 'mart', 'quality', 'governance') and c.relkind in ('r', 'p')
              and not c.relispartition
            """
        ).fetchall()
    assert [name for name, may_read, _ in rows if not may_read] == []
    assert {name for name, _, may_write in rows if may_write} == BOOKS_OF_THE_API
