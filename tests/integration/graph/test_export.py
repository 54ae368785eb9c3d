"""Whole connections as files say exactly what the API says, in types that lose nothing."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest

from fulcrum.graph.app import create_app
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.graph_world import GraphWorld
from tests.integration.graph.serving import served

HOLDINGS = """query Held($min: Decimal) {
  holdings(where: {quantity: {gte: $min}}) { nodes {
    id businessDate quantity marketValue currencyCode portfolio { code kind: kindCode }
    instrument { code name } trust { publication knownAt verdict }
  } } }"""


class Exported:
    """A caller of the served API."""

    def __init__(self, address: str, key: str) -> None:
        self.client = httpx.Client(base_url=f"http://{address}", headers={"X-API-Key": key}, timeout=30)

    def download(self, query: str, file_format: str, variables: dict[str, Any] | None = None) -> httpx.Response:
        return self.client.post("/export", json={"query": query, "variables": variables, "format": file_format})

    def code(self, query: str, file_format: str = "csv") -> tuple[int, str]:
        answer = self.download(query, file_format)
        return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]

    def nodes(self, query: str, variables: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        answer = self.client.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        (found,) = answer["data"].values()
        listed: list[dict[str, Any]] = found["nodes"]
        return listed

    def job(self, query: str, file_format: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """A finished job."""
        begun = self.client.post("/exports", json={"query": query, "variables": variables, "format": file_format})
        assert begun.status_code == 202, begun.text
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            state: dict[str, Any] = self.client.get(begun.headers["location"]).json()
            if state["state"] in ("done", "failed"):
                return state
            time.sleep(0.02)
        raise AssertionError(state)


@pytest.fixture
def address(database: Settings) -> Iterator[str]:
    with served(create_app(database)) as running:
        yield running


@pytest.fixture
def exported(address: str, connection: psycopg.Connection[Any]) -> Iterator[Exported]:
    caller = Exported(address, make_key(connection))
    with caller.client:
        yield caller


def flat(node: dict[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in node.items():
        if isinstance(value, dict):
            found |= flat(value, f"{path}{name}.")
        else:
            found[path + name] = value
    return found


def as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value.normalize() + 0) if value else "0"
    return value.isoformat() if hasattr(value, "isoformat") else value


def without_zeros(rows: list[dict[str, Any]], names: set[str]) -> list[dict[str, Any]]:
    return [{k: as_json(Decimal(v)) if k in names and v is not None else v for k, v in row.items()} for row in rows]


@pytest.mark.usefixtures("world")
def test_every_format_says_what_the_api_says(exported: Exported) -> None:
    asked = [flat(node) for node in exported.nodes(HOLDINGS, {"min": "1"})]
    assert len(asked) == 2
    numbers = {"quantity", "marketValue"}
    told = exported.download(HOLDINGS, "csv", {"min": "1"})
    rows = list(csv.DictReader(io.StringIO(told.text)))
    assert rows == [{name: str(value) for name, value in row.items()} for row in asked]
    assert (told.headers["fulcrum-rows"], told.headers["fulcrum-as-of"]) == ("2", "2026-01-15")
    for file_format in ("arrow", "parquet"):
        content = exported.download(HOLDINGS, file_format, {"min": "1"}).content
        source = pa.BufferReader(content)
        table = pa.ipc.open_stream(source).read_all() if file_format == "arrow" else pa.parquet.read_table(source)
        found = [{name: as_json(value) for name, value in row.items()} for row in table.to_pylist()]
        assert found == without_zeros(asked, numbers)
        assert table.schema.field("quantity").type == pa.decimal128(38, 6)
        assert table.schema.field("businessDate").type == pa.date32()
        assert table.schema.field("trust.knownAt").type == pa.timestamp("us", tz="UTC")
        manifest = json.loads(table.schema.metadata[b"fulcrum"])
        assert manifest["rows"] == 2
        assert manifest["entitlement"] == {"principal": "tests", "roles": ["administrator"], "masks": {}}
        assert str(manifest["dataVersion"]) == told.headers["fulcrum-data-version"]


@pytest.fixture
def odd(connection: psycopg.Connection[Any]) -> GraphWorld:
    """A portfolio whose texts and numbers are the hardest that there are."""
    world = GraphWorld(connection)
    number = world.publish("core.holding", world.known_at(1).date(), file="odd.csv")
    portfolio = world.identity("portfolio", "ODD", number)
    texts = ["", 'quo"te, and\ncomma', "NULL", "\\N", " 空 ", "=1+1", "\\.", "\r\n"]
    for place, text in enumerate(texts):
        world.fact(
            "core.holding",
            number,
            portfolio_id=portfolio,
            business_date=world.known_at(1).date(),
            instrument_id=world.identity("instrument", f"I{place}", number),
            position_code=text,
            currency_code=None if place % 2 else text,
            quantity=Decimal("0.000000000000000000000000000001") * place,
            market_value=Decimal("99999999999999999999999999999999999999.01") - place,
            notional_value=Decimal("1" + "0" * 70 + ".0123456789"),
            cost=Decimal("NaN") if place == 3 else None,
        )
    connection.commit()
    return world


ODD = "{ holdings { nodes { positionCode currencyCode quantity marketValue notionalValue cost } } }"


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("file_format", ["csv", "arrow", "parquet"])
def test_texts_and_numbers_come_out_as_they_are(exported: Exported, file_format: str) -> None:
    asked = exported.nodes(ODD)
    content = exported.download(ODD, file_format).content
    if file_format == "csv":
        rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
        assert rows[1:] == [["" if value is None else value for value in node.values()] for node in asked]
        return
    source = pa.BufferReader(content)
    table = pa.ipc.open_stream(source).read_all() if file_format == "arrow" else pa.parquet.read_table(source)
    assert [row["positionCode"] for row in table.to_pylist()] == [node["positionCode"] for node in asked]
    assert [row["currencyCode"] for row in table.to_pylist()] == [node["currencyCode"] for node in asked]
    for name in ("quantity", "marketValue", "notionalValue"):
        assert [Decimal(row[name]) for row in table.to_pylist()] == [Decimal(node[name]) for node in asked]
    assert table.schema.field("marketValue").type == pa.decimal256(76, 6)
    assert table.schema.field("notionalValue").type == pa.string()
    assert [row["cost"] for row in table.to_pylist()] == [node["cost"] for node in asked]


@pytest.mark.usefixtures("world")
def test_a_file_holds_the_digest_of_what_stands_before_its_end(exported: Exported) -> None:
    content = exported.download(HOLDINGS, "parquet").content
    assert content == exported.download(HOLDINGS, "parquet").content
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    metadata = pa.parquet.read_metadata(pa.BufferReader(content)).metadata
    assert metadata[b"fulcrum.sha256"].decode() == hashlib.sha256(content[:footer]).hexdigest()
    assert metadata[b"fulcrum.rows"] == b"2"
    content = exported.download(HOLDINGS, "arrow").content
    reader = pa.ipc.open_stream(pa.BufferReader(content))
    batches = list(reader.iter_batches_with_custom_metadata())
    assert batches[-1].batch.num_rows == 0
    end = batches[-1].custom_metadata
    assert end[b"fulcrum.rows"] == b"2"
    before = next(n for n in range(len(content), 0, -8) if _sha256(content[:n]) == end[b"fulcrum.sha256"])
    assert 0 < before < len(content)


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


@pytest.mark.usefixtures("world")
def test_knowledge_time_and_business_date_hold(exported: Exported, world: GraphWorld) -> None:
    held = "query($at: DateTime) { holdings(knownAt: $at) { nodes { quantity instrument { code } } } }"
    before = exported.download(held, "csv", {"at": world.known_at(world.publications - 1).isoformat()}).text
    assert before.splitlines()[1:] == ["100,ISIN:GB00PENCE001", "40,ISIN:US00PLAIN001"]
    assert exported.download(held, "csv").text.splitlines()[1] == "110,ISIN:GB00PENCE001"
    empty = exported.download('{ holdings(asOf: "2020-01-01") { nodes { quantity businessDate } } }', "parquet")
    assert pa.parquet.read_table(pa.BufferReader(empty.content)).num_rows == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ holdings { nodes { quantity } } prices { nodes { price } } }", "BAD_USER_INPUT"),
        ('{ portfolio(code: "FUND") { code } }', "BAD_USER_INPUT"),
        ("{ portfolios { nodes { code holdings { nodes { quantity } } } } }", "BAD_USER_INPUT"),
        ("{ holdings { nodes { trust { warnings } } } }", "BAD_USER_INPUT"),
        ("{ holdings { totalCount } }", "BAD_USER_INPUT"),
        ("{ holdings(first: 3) { nodes { quantity } } }", "BAD_USER_INPUT"),
        ("{ holdings { nodes { nothing } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ __typename }", "BAD_USER_INPUT"),
        ("{", "GRAPHQL_PARSE_FAILED"),
    ],
)
def test_what_is_no_export_is_refused(exported: Exported, query: str, code: str) -> None:
    assert exported.code(query) == (400, code)


def test_a_format_must_be_named(exported: Exported) -> None:
    assert exported.code(HOLDINGS, "xlsx") == (400, "BAD_REQUEST")
    named = exported.client.get("/export", params={"query": HOLDINGS}, headers={"Accept": "text/csv"})
    assert named.headers["content-type"] == "text/csv; charset=utf-8"
    assert named.headers["content-disposition"].startswith('attachment; filename="Held-')


def test_nobody_exports_without_a_key_or_the_right(
    exported: Exported, address: str, connection: psycopg.Connection[Any]
) -> None:
    assert httpx.post(f"http://{address}/export", json={"query": HOLDINGS, "format": "csv"}).status_code == 401
    partner = Exported(address, make_key(connection, "them", roles=["partner"]))
    with partner.client:
        assert partner.code(HOLDINGS) == (403, "FORBIDDEN")
        assert partner.client.post("/exports", json={"query": HOLDINGS, "format": "csv"}).status_code == 403
    assert exported.client.get("/exports").json() == {"exports": []}


@pytest.mark.usefixtures("world")
def test_a_job_ends_in_a_file_that_can_be_taken_in_parts(exported: Exported) -> None:
    state = exported.job(HOLDINGS, "parquet", {"min": "1"})
    assert (state["state"], state["rows"], state["asOf"]) == ("done", 2, "2026-01-15")
    whole = exported.client.get(state["file"])
    assert hashlib.sha256(whole.content).hexdigest() == state["sha256"]
    assert whole.headers["etag"] == f'"{state["sha256"]}"'
    digest = base64.b64encode(hashlib.sha256(whole.content).digest()).decode()
    assert whole.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert len(whole.content) == state["sizeBytes"]
    part = exported.client.get(state["file"], headers={"Range": "bytes=4-9", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[4:10])
    assert exported.client.get(state["file"], headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert whole.content == exported.download(HOLDINGS, "parquet", {"min": "1"}).content


@pytest.mark.usefixtures("world")
def test_the_ledger_knows_downloads_too(exported: Exported) -> None:
    sent = exported.download(HOLDINGS, "csv")
    told = exported.client.get(sent.headers["fulcrum-export"]).json()
    assert (told["kind"], told["state"], told["rows"], told["file"]) == ("download", "done", 2, None)
    assert told["sha256"] == hashlib.sha256(sent.content).hexdigest()
    assert [each["id"] for each in exported.client.get("/exports").json()["exports"]] == [told["id"]]
