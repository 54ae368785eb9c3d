"""What a failed warning found is shown by line, with what was published from it, to whom it may be shown."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.entitlements.principals import RowScope
from fulcrum.graph.app import create_app
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.access import make_key
from tests.integration.graph.conftest import Asked
from tests.integration.graph.desk_site import DeskSite
from tests.integration.graph.serving import served

RULE = "holding.value_agrees"
TWICE = "client.not_suspected_twice"
PERSON = {"client_kind_code": "INDIVIDUAL", "risk_class_code": "C2", "birth_date": dt.date(1970, 3, 1)}
LINES = "query { validations { nodes { results { ruleId rowsFailed lines } } } }"


@pytest.fixture
def site(database: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Iterator[DeskSite]:
    """Two funds; `ann` sees the first, everybody else both."""
    house.prepare(database, tmp_path, ("P1", "P2"))
    half = RowScope("half", portfolio_codes=("P1",))
    keys = {"ann": make_key(connection, "ann", roles=["data_engineer"], scope=half)}
    roles = {"bob": "risk_officer", "dan": "data_engineer", "eve": "analyst", "root": "administrator"}
    keys |= {name: make_key(connection, name, roles=[role]) for name, role in roles.items()}
    with served(create_app(database)) as address:
        yield DeskSite(address, keys)


def wrong_holdings(day: dt.date = house.DAY) -> list[dict[str, Any]]:
    """Five positions of each fund, of which lines 3 and 5 (P1) and 9 (P2) are worth twice what they say."""
    rows = [house.holding(isin, 7, code=code, day=day) for code in ("P1", "P2") for isin in house.ISINS]
    for line in (3, 5, 9):
        rows[line - 2] |= {"market_value": rows[line - 2]["market_value"] * 2}
    return rows


def numbers(client: httpx.Client, path: str) -> list[dict[str, str]]:
    table = client.get(f"{path}/rows.csv")
    assert table.status_code == 200
    return list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))


def lines(client: httpx.Client, key: str) -> dict[str, Any]:
    answer = client.post("/graphql", json={"query": LINES}, headers={"X-API-Key": key}).json()
    (newest, *_) = answer["data"]["validations"]["nodes"]
    return {one["ruleId"]: one["lines"] for one in newest["results"]}


def test_lines_are_shown_with_what_was_published_and_counted_where_it_may_not_be_seen(
    site: DeskSite, database: Settings, tmp_path: Path
) -> None:
    made = house.deliver_holdings(database, tmp_path, "wrong.csv", wrong_holdings())
    assert (made.outcome, made.verdict) == ("published", "warned")
    path = f"/desk/deliveries/{made.delivery_id}/rules/{RULE}"
    with site.of("root") as root:
        page = root.get(f"/desk/deliveries/{made.delivery_id}").text
        assert f'<a href="{path}">Its rows (3)</a>' in page
        assert "lines 3, 5, 9" in page
        page = root.get(path).text
        for words in ("3 rows, by their line", "TUS5949181045", "market_value", "140", "P2"):
            assert words in page
        assert "masked" not in page
        assert "are not shown" not in page
        told = numbers(root, path)
        assert [(row["source_row"], row["portfolio_code"], row["market_value"]) for row in told] == [
            ("3", "P1", "140.00"), ("5", "P1", "140.00"), ("9", "P2", "140.00"),
        ]  # fmt: skip
        assert {row["is_current"] for row in told} == {"true"}
        file = pq.read_table(io.BytesIO(root.get(f"{path}/rows.parquet").content)).to_pylist()
        assert [{name: str(value or "") for name, value in row.items()} for row in file] == told
        assert "命中行" in root.get(f"{path}?lang=zh").text
        assert lines(root, site.keys["root"])[RULE] == [3, 5, 9]
        assert lines(root, site.keys["root"])["holding.line_once"] is None
    with site.of("ann") as ann:
        page = ann.get(f"/desk/deliveries/{made.delivery_id}").text
        assert f'<a href="{path}">Its rows (3)</a>' in page
        assert "lines 3" not in page
        page = ann.get(path).text
        assert "<strong>1 of them are not shown" in page
        assert "P2" not in page
        assert [row["source_row"] for row in numbers(ann, path)] == ["3", "5"]
        assert lines(ann, site.keys["ann"])[RULE] is None
    with site.of("eve") as eve:
        for ending in ("", "/rows.csv", "/rows.parquet"):
            assert eve.get(f"{path}{ending}").status_code == 403


def test_the_ordinary_path_tells_the_same_lines(site: DeskSite, database: Settings, tmp_path: Path) -> None:
    house.deliver_holdings(database, tmp_path, "wrong.csv", wrong_holdings())
    for who, wanted in (("root", [3, 5, 9]), ("ann", None)):
        running = Asked(create_app(database, is_ordinary_only=True), site.keys[who])
        try:
            results = running.data(LINES.removeprefix("query "))["validations"]["nodes"][0]["results"]
        finally:
            running.close()
        assert {one["ruleId"]: one["lines"] for one in results}[RULE] == wanted


def test_rows_that_were_restated_say_so_and_a_file_that_repeats_them_publishes_nothing(
    site: DeskSite, database: Settings, tmp_path: Path
) -> None:
    first = house.deliver_holdings(database, tmp_path, "wrong.csv", wrong_holdings())
    rows = wrong_holdings()
    rows[1] |= {"market_value": rows[1]["market_value"] / 2, "quantity": rows[1]["quantity"]}
    second = house.deliver_holdings(database, tmp_path, "better.csv", rows)
    assert second.outcome == "restated"
    with site.of("root") as root:
        before = numbers(root, f"/desk/deliveries/{first.delivery_id}/rules/{RULE}")
        assert [(row["source_row"], row["is_current"]) for row in before] == [
            ("3", "false"), ("5", "true"), ("9", "true"),
        ]  # fmt: skip
        assert "(replaced since)" in root.get(f"/desk/deliveries/{first.delivery_id}/rules/{RULE}").text
        page = root.get(f"/desk/deliveries/{second.delivery_id}/rules/{RULE}").text
        assert page.count("Nothing: it was known already") == 2
    with site.of("ann") as ann:
        page = ann.get(f"/desk/deliveries/{second.delivery_id}/rules/{RULE}").text
        assert "2 of them are not shown" in page


def test_of_a_file_that_was_stopped_lines_are_told_to_who_sees_the_house(
    site: DeskSite, database: Settings, tmp_path: Path
) -> None:
    file = house.broken_total(house.holdings_file(database, tmp_path, "broken.csv", wrong_holdings()))
    made = deliver(database, "house_holdings", file)
    assert made.outcome == "blocked"
    path = f"/desk/deliveries/{made.delivery_id}/rules/{RULE}"
    with site.of("root") as root:
        page = root.get(path).text
        assert "Nothing of this file was published" in page
        assert [row["source_row"] for row in numbers(root, path)] == ["3", "5", "9"]
    with site.of("ann") as ann:
        page = ann.get(path).text
        assert "<strong>3 of them are not shown" in page
        assert numbers(ann, path) == []
        other = f"/desk/deliveries/{made.delivery_id}/rules"
        assert "No rows are kept of this result" in ann.get(f"{other}/holding.line_once").text
        assert ann.get(f"{other}/no.such").status_code == 404
        assert ann.get("/desk/deliveries/999999/rules/holding.line_once").status_code == 404


def test_masked_roles_do_not_see_who_was_found(site: DeskSite, database: Settings, tmp_path: Path) -> None:
    rows = [{"client_code": code, "client_name": name, "email": f"{code}@example.org", **PERSON}
            for code, name in (("C1", "Ann Example"), ("C2", "Ann Example"), ("C3", "Li Other"))]  # fmt: skip
    file = house.write(database, tmp_path, "house_clients", "clients_2026-01-05.csv", rows)
    made = deliver(database, "house_clients", file, business_date=house.DAY)
    assert made.outcome == "published"
    path = f"/desk/deliveries/{made.delivery_id}/rules/{TWICE}"
    clear = "Ann Example"
    with site.of("root") as root:
        assert clear in root.get(path).text
        told = numbers(root, path)
        assert {row["client_code"] for row in told} <= {"C1", "C2"}
        assert {(row["client_name"], row["birth_date"]) for row in told} == {(clear, "1970-03-01")}
    with site.of("bob") as bob:
        assert {(row["client_name"], row["birth_date"]) for row in numbers(bob, path)} == {(clear, "1970-01-01")}
    with site.of("dan") as dan:
        page = dan.get(path).text
        assert "Values of columns that your roles may not read are masked." in page
        texts = (page, dan.get(f"{path}/rows.csv").text, str(dan.get(f"{path}/rows.parquet").content))
        for text in texts:
            assert clear not in text
            assert "1970" not in text
        (name,) = {row["client_name"] for row in numbers(dan, path)}
        query = '{ client(code: "C1") { name } }'
        answer = dan.post("/graphql", json={"query": query}, headers={"X-API-Key": site.keys["dan"]}).json()
        assert name == answer["data"]["client"]["name"], "equal values stay equal to what queries show"
    with site.of("ann") as ann:
        assert numbers(ann, path) == []


def test_only_the_first_hundred_are_kept_and_all_are_counted(
    site: DeskSite, database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]
) -> None:
    made = house.deliver_holdings(database, tmp_path, "wrong.csv", wrong_holdings())
    connection.execute(
        "update quality.validation_result set rows_failed = 1234 where rule_id = %s and status = 'failed'", [RULE]
    )
    connection.commit()
    with site.of("root") as root:
        page = root.get(f"/desk/deliveries/{made.delivery_id}/rules/{RULE}").text
        assert "The first 3 of 1,234, by their line in the file." in page
        assert "Its rows (first 3 of 1,234)" in root.get(f"/desk/deliveries/{made.delivery_id}").text


def test_the_command_tells_results_and_rows(site: DeskSite, database: Settings, tmp_path: Path) -> None:
    made = house.deliver_holdings(database, tmp_path, "wrong.csv", wrong_holdings())
    assert site.keys
    assert database.database_url is not None
    environment = {
        "FULCRUM_HOME": str(database.home),
        "FULCRUM_DATABASE_URL": database.database_url.get_secret_value(),
        "COLUMNS": "200",  # narrower, rich folds the ids of rules
    }

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["results", *words], env=environment)
        assert done.exit_code == code, done.output
        return done.output

    told = {one["rule_id"]: one for one in json.loads(run(str(made.delivery_id), "--json"))["results"]}
    assert (told[RULE]["status"], told[RULE]["lines"]) == ("failed", [3, 5, 9])
    assert told["holding.line_once"]["lines"] == []
    rows = json.loads(run(str(made.delivery_id), "--rule", RULE, "--json"))
    assert [(row["source_row"], row["told"]["portfolio_code"]) for row in rows["rows"]] == [
        (3, "P1"),
        (5, "P1"),
        (9, "P2"),
    ]
    assert "P2" in run(str(made.delivery_id), "--rule", RULE)
    assert RULE in run(str(made.delivery_id))
    assert "no.such" in run(str(made.delivery_id), "--rule", "no.such", code=1)
    assert "no delivery 999999" in run("999999", code=1)


def test_who_has_not_signed_in_is_asked_to(site: DeskSite) -> None:
    with site.of(None) as stranger:
        answer = stranger.get(f"/desk/deliveries/1/rules/{RULE}")
        assert answer.status_code in (302, 303)
        assert "/sign-in" in answer.headers["location"]
