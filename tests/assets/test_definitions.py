"""The asset graph as committed: who is upstream of whom, who owns it, what checks it has.

After a wanted change write the snapshot anew: `SNAPSHOT=write pytest tests/assets`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.core import OWNERS
from assets.definitions import build_defs
from fulcrum.contracts.catalog import load_contracts
from fulcrum.orchestration import keys
from fulcrum.orchestration.checks import load_suites, rules_for
from fulcrum.settings import PROJECT_ROOT, Settings, read_settings
from fulcrum.warehouse.targets import target_names

SNAPSHOT = Path(__file__).parent / "asset_graph.txt"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings without any database: loading definitions must not need one."""
    return read_settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def defs(here: Settings) -> dg.Definitions:
    return build_defs(here)


def drawn(defs: dg.Definitions) -> str:
    graph = defs.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=dg.AssetKey.to_user_string):
        node = graph.get(key)
        lines.append("/".join(key.path))
        lines.append(
            f"  group {node.group_name}; owners {', '.join(node.owners)}; kinds {', '.join(sorted(node.kinds))}"
        )
        lines += [f"  < {'/'.join(parent.path)}" for parent in sorted(node.parent_keys, key=dg.AssetKey.to_user_string)]
        lines.append(
            f"  {'runs' if node.is_executable else 'is shown'}; {len(graph.get_check_keys_for_assets({key}))} checks"
        )
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_committed_one(defs: dg.Definitions) -> None:
    found = drawn(defs)
    if os.environ.get("SNAPSHOT") == "write":
        SNAPSHOT.write_text(found, encoding="utf-8")
    assert found == SNAPSHOT.read_text(encoding="utf-8"), "The asset graph differs from tests/assets/asset_graph.txt."


def test_every_contract_has_an_asset_and_every_raw_asset_a_contract(defs: dg.Definitions, here: Settings) -> None:
    raw = {key.path[1] for key in defs.resolve_asset_graph().get_all_asset_keys() if key.path[0] == "raw"}
    contracts = set(load_contracts(here))
    assert raw - contracts == set(), "assets without a contract"
    assert contracts - raw == set(), "contracts without an asset"


def test_every_target_has_an_asset_and_every_core_asset_a_target() -> None:
    assert set(OWNERS) == set(target_names())


def test_every_rule_of_a_feed_has_a_check_and_nothing_else_but_the_outcome(
    defs: dg.Definitions, here: Settings
) -> None:
    graph, suites = defs.resolve_asset_graph(), load_suites(here)
    for feed, contract in load_contracts(here).items():
        rules = [keys.check_name(rule.id) for rule in rules_for(suites, contract)]
        checks = [key.name for key in graph.get_check_keys_for_assets({keys.raw_key(feed)})]
        assert sorted(checks) == sorted([*rules, keys.OUTCOME_CHECK]), feed
        assert len(rules) == len(set(rules)), feed


def test_every_asset_has_a_description_a_column_schema_an_owner_and_daily_partitions(defs: dg.Definitions) -> None:
    for spec in defs.resolve_all_asset_specs():
        name = spec.key.to_user_string()
        assert spec.description, name
        assert spec.owners, name
        assert spec.metadata["dagster/column_schema"].columns, name
        assert spec.partitions_def == keys.DAILY, name


def test_every_feed_is_due_when_its_contract_says(defs: dg.Definitions, here: Settings) -> None:
    spec = next(spec for spec in defs.resolve_all_asset_specs() if spec.key == keys.raw_key("house_holdings"))
    sla = load_contracts(here)["house_holdings"].sla
    assert (sla.due_time, sla.time_zone, sla.lag_days) == ("07:00", "Europe/Zurich", 1)
    policy = spec.freshness_policy
    assert isinstance(policy, dg.FreshnessPolicy)
    assert getattr(policy, "deadline_cron") == "0 7 * * 2,3,4,5,6"  # noqa: B009 - of a subclass that is not public
    assert getattr(policy, "timezone") == "Europe/Zurich"  # noqa: B009


def test_runs_take_one_process_and_a_range_takes_one_run(defs: dg.Definitions) -> None:
    assert defs.executor is dg.in_process_executor
    graph = defs.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        assert graph.get(key).backfill_policy == dg.BackfillPolicy.single_run(), key


def test_a_contract_added_at_run_time_appears_after_a_reload(here: Settings, tmp_path: Path) -> None:
    contract = yaml.safe_load((PROJECT_ROOT / "schemas/contracts/raw/house_fx_rates.yaml").read_text("utf-8"))
    contract |= {"name": "bank_fx_rates", "id": "raw.bank_fx_rates"}
    (tmp_path / "bank_fx_rates.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    defs = build_defs(here.model_copy(update={"contracts_extra": tmp_path}))
    graph = defs.resolve_asset_graph()
    assert keys.raw_key("bank_fx_rates") in graph.get_all_asset_keys()
    assert keys.raw_key("bank_fx_rates") in graph.get(keys.table_key("core.fx_rate")).parent_keys


def test_importing_the_definitions_reads_no_settings_and_loads_no_great_expectations() -> None:
    code = (
        "import os, sys; os.environ['FULCRUM_API_PORT'] = 'none'; import assets.definitions; "
        "print(sorted({'great_expectations', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
