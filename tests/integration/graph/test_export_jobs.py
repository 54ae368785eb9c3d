"""Exports end whole or visibly cut off, within bounds, and only for who may still see what is in them."""

from __future__ import annotations

import datetime as dt
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from fulcrum.cli.main import app as commands
from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import Principal, RowScope, register
from fulcrum.entitlements.rights import EVERYTHING
from fulcrum.graph.app import create_app
from fulcrum.graph.export.compiling import plan_export
from fulcrum.graph.export.desk import ExportLimits
from fulcrum.graph.export.making import Export, Order
from fulcrum.graph.limits import Limits
from fulcrum.graph.plans import Plans
from fulcrum.graph.schema import load_graph
from fulcrum.settings import Settings
from fulcrum.warehouse import engine
from tests.factories.access import make_key
from tests.factories.graph_world import GraphWorld
from tests.integration.graph.serving import served

ROWS = 150_000
WIDE = "{ holdings { nodes { quantity marketValue positionCode instrument { code } } } }"
NAMES = "{ clients { nodes { code name } } }"


@pytest.fixture
def many(connection: psycopg.Connection[Any]) -> GraphWorld:
    """A portfolio of 150,000 positions."""
    world = GraphWorld(connection)
    day = dt.date(2026, 1, 15)
    number = world.publish("core.holding", day)
    portfolio, instrument = world.identity("portfolio", "WIDE", number), world.identity("instrument", "I", number)
    world.fact(
        "core.holding",
        number,
        portfolio_id=portfolio,
        business_date=day,
        instrument_id=instrument,
        position_code="0",
    )
    connection.execute(
        "insert into core.holding (portfolio_id, business_date, instrument_id, position_code, quantity, market_value,"
        " published_in) select %s, %s, %s, n::text || repeat('x', 400), n / 4.0, n, %s from generate_series(1, %s) n",
        [portfolio, day, instrument, number, ROWS - 1],
    )
    connection.commit()
    return world


@pytest.fixture
def bounded(database: Settings) -> Iterator[str]:
    limits = ExportLimits(running=1, per_principal=2, keep_hours=0.0)
    with served(create_app(database, export_limits=limits)) as address:
        yield address


@pytest.fixture
def run(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command against `database`."""
    assert database.database_url is not None
    monkeypatch.setenv("FULCRUM_DATABASE_URL", database.database_url.get_secret_value())
    monkeypatch.setenv("FULCRUM_HOME", str(database.home))
    return lambda *arguments: CliRunner().invoke(commands, list(arguments))


def caller(address: str, key: str) -> httpx.Client:
    """A client whose socket holds little: the system's own buffers may take a whole export (32 MB and more)."""
    little = httpx.HTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 64_000)])
    return httpx.Client(base_url=f"http://{address}", headers={"X-API-Key": key}, timeout=20, transport=little)


def wait_for(client: httpx.Client, address: str, *states: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(address).json()
        if found["state"] in states:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def ask(client: httpx.Client, query: str = WIDE, file_format: str = "csv") -> httpx.Response:
    return client.post("/exports", json={"query": query, "format": file_format})


@pytest.mark.usefixtures("many")
def test_a_download_that_fails_midway_is_cut_off(bounded: str, connection: psycopg.Connection[Any]) -> None:
    with caller(bounded, make_key(connection)) as client:
        with client.stream("POST", "/export", json={"query": WIDE, "format": "csv"}) as answer:
            assert answer.status_code == 200
            pieces = answer.iter_bytes()
            next(pieces)
            with psycopg.connect(connection.info.dsn, user="postgres", autocommit=True) as admin:
                admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where query like 'copy (%'"
                    " and datname = current_database() and application_name = 'fulcrum-export'"
                )
            with pytest.raises(httpx.RemoteProtocolError):
                for _ in pieces:
                    pass
        told = wait_for(client, answer.headers["fulcrum-export"], "failed")
        assert (told["error"]["code"], told["sha256"]) == ("UNAVAILABLE", None)


@pytest.mark.usefixtures("many")
def test_who_hangs_up_leaves_nothing_behind(bounded: str, connection: psycopg.Connection[Any]) -> None:
    with caller(bounded, make_key(connection)) as client:
        with client.stream("POST", "/export", json={"query": WIDE, "format": "csv"}) as answer:
            next(answer.iter_bytes())
        told = wait_for(client, answer.headers["fulcrum-export"], "failed")
        assert told["error"]["code"] == "CUT_OFF"
        again = client.post("/export", json={"query": WIDE, "format": "csv"})
        assert (again.text.count("\n"), again.headers["fulcrum-rows"]) == (ROWS + 1, str(ROWS))


@pytest.mark.usefixtures("many")
def test_so_many_run_so_many_wait_and_more_are_refused(bounded: str, connection: psycopg.Connection[Any]) -> None:
    with caller(bounded, make_key(connection)) as client:
        connection.execute("lock table core.holding in access exclusive mode")
        running = ask(client)
        wait_for(client, running.headers["location"], "running")
        waiting = ask(client)
        assert (waiting.status_code, waiting.json()["state"]) == (202, "queued")
        for address in ("/exports", "/export"):
            refused = client.post(address, json={"query": WIDE, "format": "csv"})
            assert (refused.status_code, refused.headers.get("retry-after")) == (429, "1"), refused.text
        connection.rollback()
        for job in (running, waiting):
            assert wait_for(client, job.headers["location"], "done")["rows"] == ROWS


def test_files_are_kept_for_a_while_and_what_dead_processes_left_is_cleared(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    key, app = make_key(connection), create_app
    limits = ExportLimits(keep_hours=0.0)
    with served(app(database, export_limits=limits)) as address, caller(address, key) as client:
        made = wait_for(client, ask(client, NAMES).headers["location"], "done")
        folder = database.home / "exports"
        assert [path.name for path in folder.iterdir()] == [f"{made['id']}.csv"]
    left = {}
    with engine.connect(database, autocommit=True) as alive:
        alive.execute("select pg_advisory_lock(77)")
        for process, name in ((76, "dead"), (77, "alive")):
            connection.execute(
                "insert into governance.export_job (public_id, principal_name, entitlement, scope_id, is_download,"
                " format, document, state, process_id) values (%s, 'tests', '{}', 1, false, 'csv', '{', 'running', %s)",
                [name, process],
            )
            left[name] = folder / f"{name}.part"
            left[name].write_text("half")
        connection.commit()
        with served(app(database, export_limits=limits)) as address, caller(address, key) as client:
            assert client.get(f"/exports/{made['id']}").json()["state"] == "expired"
            assert client.get(f"/exports/{made['id']}/file").status_code == 404
            dead = client.get("/exports/dead").json()
            assert (dead["state"], dead["error"]["code"]) == ("failed", "INTERRUPTED")
            assert client.get("/exports/alive").json()["state"] == "running"
    assert [path.name for path in folder.iterdir()] == ["alive.part"]


@pytest.mark.usefixtures("world")
def test_masks_and_row_scopes_hold_in_files(database: Settings, connection: psycopg.Connection[Any]) -> None:
    analyst = make_key(connection, "analyst", roles=["analyst"])
    theirs = make_key(connection, "theirs", roles=["product_service"], scope=RowScope("theirs", client_codes=("X",)))
    with served(create_app(database)) as address:
        with caller(address, analyst) as client:
            sent = client.post("/export", json={"query": NAMES, "format": "csv"})
            assert sent.text == "code,name\nC-1,A***\n"
            told = client.get(sent.headers["fulcrum-export"]).json()
            assert told["entitlement"]["masks"] == {"name": "partial"}
            found = '{ clients(where: {name: {eq: "Ada Ltd"}}) { nodes { code } } }'
            refused = client.post("/export", json={"query": found, "format": "csv"})
            assert refused.json()["errors"][0]["extensions"]["code"] in ("FORBIDDEN", "GRAPHQL_VALIDATION_FAILED")
        with caller(address, theirs) as client:
            assert client.post("/export", json={"query": NAMES, "format": "csv"}).text == "code,name\n"
            holdings = "{ holdings { nodes { quantity } } }"
            assert client.post("/export", json={"query": holdings, "format": "csv"}).text == "quantity\n"


@pytest.mark.usefixtures("world")
def test_a_file_is_not_given_to_who_would_see_less_now(
    database: Settings, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fulcrum.graph.identity.REMEMBERED_SECONDS", 0.0)
    key = make_key(connection, "reader", roles=["administrator"])
    other = make_key(connection, "other")
    with served(create_app(database)) as address, caller(address, key) as client:
        made = wait_for(client, ask(client, NAMES).headers["location"], "done")
        assert client.get(made["file"]).text == "code,name\nC-1,Ada Ltd\n"
        with caller(address, other) as somebody:
            assert somebody.get(made["file"]).status_code == 404
        register(connection, load_policy(database), Principal("reader", "service", ("analyst",), "house"))
        connection.commit()
        assert client.get(made["file"]).status_code == 403


@pytest.mark.usefixtures("many")
def test_memory_does_not_grow_with_the_rows(database: Settings) -> None:
    plans = Plans(load_graph(), Limits())
    for file_format in ("csv", "arrow", "parquet"):
        order = Order(file_format, WIDE, None, {}, EVERYTHING)
        plan = plan_export(plans, WIDE, None, {}, EVERYTHING)
        export = Export(lambda: engine.connect(database), plan, order, seconds=60)
        export.open()
        before, most, longest = pa.total_allocated_bytes(), 0, 0
        for piece in export.pieces():
            most = max(most, pa.total_allocated_bytes() - before)
            longest = max(longest, len(piece))
        export.close()
        assert export.facts.rows == ROWS
        assert longest < 20_000_000
        assert most < 40_000_000


def test_the_command_line_makes_the_same_file(
    database: Settings, connection: psycopg.Connection[Any], world: GraphWorld, tmp_path: Path, run: Any
) -> None:
    key = make_key(connection, "desk")
    query, output = tmp_path / "names.graphql", tmp_path / "names.parquet"
    query.write_text(NAMES)
    made = run("export", str(query), "-o", str(output), "--as", "desk", "--json")
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert (told["rows"], told["dataVersion"]) == (1, world.publications)
    with served(create_app(database)) as address, caller(address, key) as client:
        sent = client.post("/export", json={"query": NAMES, "format": "parquet"})
        assert sent.content == output.read_bytes()
        assert client.get(f"/exports/{told['id']}").json()["sha256"] == told["sha256"]
    for arguments in (("--as", "nobody"), ("--as", "desk", "--variables", "[]")):
        assert run("export", str(query), "-o", str(output), *arguments).exit_code == 1
    assert run("export", str(query), "-o", str(tmp_path / "x.xlsx"), "--as", "desk").exit_code == 1
    query.write_text("{ clients { totalCount } }")
    missing = tmp_path / "missing.csv"
    assert run("export", str(query), "-o", str(missing), "--as", "desk").exit_code == 1
    assert not missing.exists()
