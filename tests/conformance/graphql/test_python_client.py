"""The Python client is what the generator makes of schema and examples, type-checks, and runs."""

from __future__ import annotations

import datetime as dt
import filecmp
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fulcrum.settings import PROJECT_ROOT
from schemas.graphql.clients.python.fulcrum_client import Fulcrum, GraphQLClientError
from schemas.graphql.clients.python.generate import generate
from tests.conformance.graphql.conftest import CLIENTS
from tests.factories.node_project import IS_REQUIRED

FOLDER = CLIENTS / "python"
EXAMPLES = PROJECT_ROOT / "schemas" / "graphql" / "examples"
RENEW = "Run: python schemas/graphql/clients/python/generate.py"
CONSUMER = """
from decimal import Decimal
from fulcrum_client import Fulcrum

def total(fulcrum: Fulcrum) -> Decimal:
    found = fulcrum.client_wealth(client="C-1").client
    return sum((line.amount or Decimal() for line in found.wealth), Decimal()) if found else Decimal()
"""


def _words(text: str) -> list[str]:
    return re.sub(r"#.*", "", text).split()


def test_it_has_every_example_as_it_stands() -> None:
    client = (FOLDER / "fulcrum_client" / "client.py").read_text("utf-8")
    written = [_words(found) for found in re.findall(r'gql\("""(.*?)"""\)', client, flags=re.DOTALL)]
    examples = [_words(path.read_text("utf-8")) for path in EXAMPLES.glob("*.graphql")]
    normal = [re.sub(r"[\s,]+", "", "".join(words)) for words in written]
    lacking = [words[1] for words in examples if re.sub(r"[\s,]+", "", "".join(words)) not in normal]
    assert lacking == [], RENEW
    assert len(written) == len(examples)


def test_amounts_come_as_decimals_and_days_as_dates(served: Any) -> None:
    with Fulcrum(served.url, headers={"Authorization": f"Bearer {served.key}"}) as fulcrum:
        owner = fulcrum.client_wealth(client="C-1").client
        assert owner is not None
        wealth = owner.wealth
        assert [(line.currency_code, line.amount) for line in wealth] == [
            ("EUR", Decimal("1265.62500")),
            ("USD", Decimal("1000.50")),
        ]
        assert all(isinstance(line.amount, Decimal) for line in wealth)
        held = fulcrum.holdings_as_known(portfolio="FUND", as_of=dt.date(2026, 1, 15)).portfolio
        assert held is not None
        assert held.holdings.nodes[0].quantity == Decimal(110)
        known_at = held.holdings.nodes[0].trust.known_at
        assert known_at is not None
        assert known_at.tzinfo is not None
        explained = fulcrum.number_explained(portfolio="FUND").portfolio
        assert explained is not None
        assert {type(one.business_date) for one in explained.valuations.nodes[0].explain.inputs} == {dt.date}
        assert fulcrum.client_wealth(client="nobody").client is None


def test_a_refusal_is_an_error_of_the_package(served: Any) -> None:
    with (
        Fulcrum(served.url, headers={"Authorization": "Bearer fk_no"}) as fulcrum,
        pytest.raises(GraphQLClientError),
    ):
        fulcrum.client_wealth(client="C-1")


@pytest.mark.slow
def test_a_consumer_type_checks_strictly(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(CONSUMER)
    (tmp_path / "bad.py").write_text(CONSUMER.replace("line.amount or Decimal()", "line.amount.nonsense"))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}"]
    environment = {"MYPYPATH": str(FOLDER), "PATH": ""}
    checked = [
        subprocess.run([*command, name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        for name in ("good.py", "bad.py")
    ]
    assert checked[0].returncode == 0, checked[0].stdout
    assert "nonsense" in checked[1].stdout


@pytest.mark.skipif(not IS_REQUIRED, reason="make conformance installs the generator")
def test_it_is_what_the_generator_makes(tmp_path: Path) -> None:
    made = generate(tmp_path, FOLDER / ".venv")
    files = sorted(path.name for path in (FOLDER / "fulcrum_client").glob("*.py"))
    assert files == sorted(path.name for path in made.glob("*.py")), RENEW
    _, different, failed = filecmp.cmpfiles(made, FOLDER / "fulcrum_client", files, shallow=False)
    assert (different, failed) == ([], []), RENEW
