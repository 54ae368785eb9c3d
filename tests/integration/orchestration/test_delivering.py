"""Runs of `raw/<feed>` and `mart` on a real warehouse, and what Dagster shows afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from assets.definitions import build_defs
from fulcrum.orchestration import events, inbox, keys, ledger
from fulcrum.orchestration.derivations import derivation_sensor
from fulcrum.orchestration.outside import Progress, show
from fulcrum.orchestration.schedules import derive_job, valuation_schedule
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from tests.factories import house

HOLDINGS = keys.raw_key("house_holdings")
CORE = keys.table_key("core.holding")
VALUATION, NAV = keys.table_key("mart.position_valuation"), keys.table_key("mart.portfolio_nav")
FEEDS = frozenset({"house_holdings", "house_instruments", "house_portfolios"})
DAYS = [house.DAY + dt.timedelta(days=n) for n in range(3)]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def deliver_run(settings: Settings, instance: dg.DagsterInstance) -> Any:
    """Executes a run of `raw/house_holdings` in this process."""
    job = build_defs(settings).resolve_implicit_global_asset_job_def()

    def execute(
        *files: Path,
        key: dg.AssetKey = HOLDINGS,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
        **config: Any,
    ) -> dg.ExecuteInProcessResult:
        op = "mart" if key == VALUATION else keys.raw_op_name(key.path[-1])
        given = config | ({"files": [str(file) for file in files]} if files else {})
        return job.execute_in_process(
            instance=instance,
            asset_selection=[VALUATION, NAV] if key == VALUATION else [key],
            partition_key=partition,
            tags=dict(tags or {}),
            run_config={"ops": {op: {"config": given}}},
        )

    return execute


def rows(day: dt.date, quantity: int = 100) -> list[dict[str, Any]]:
    return [house.holding(isin, quantity + n, day=day) for n, isin in enumerate(house.ISINS)]


def materialized(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[str | None]:
    """The partitions of the asset's events, oldest first."""
    records = instance.fetch_materializations(key, limit=100, ascending=True).records
    return [record.partition_key for record in records]


def metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, Any]:
    """What the asset's newest event tells."""
    event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def checks(instance: dg.DagsterInstance, name: str) -> list[dg.AssetCheckEvaluation]:
    """Evaluations of one check of the holdings, newest first."""
    key = dg.AssetCheckKey(HOLDINGS, name)
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=50)
    events = [record.event.dagster_event for record in records if record.event is not None]
    evaluated = [event for event in events if event is not None and event.event_type_value == "ASSET_CHECK_EVALUATION"]
    return [event.asset_check_evaluation_data for event in evaluated]


def test_a_run_delivers_its_file_and_shows_raw_core_and_every_rule_with_what_it_measured(
    settings: Settings, instance: dg.DagsterInstance, deliver_run: Any, tmp_path: Path
) -> None:
    house.prepare(settings, tmp_path)
    file = house.holdings_file(settings, tmp_path, "holdings_2026-01-05.csv", rows(house.DAY))
    assert deliver_run(file).success
    assert materialized(instance, HOLDINGS) == ["2026-01-05"]
    assert materialized(instance, CORE) == ["2026-01-05"]
    found = metadata(instance, HOLDINGS)
    assert (found["outcome"], found["rows_in"], found["rows_quarantined"]) == ("published", 5, 0)
    assert len(found["sha256"]) == 64
    published = metadata(instance, CORE)
    assert published["dagster/partition_row_count"] == 5
    assert published["publication_id"] == found["publication_id"]
    (total,) = checks(instance, "holding_rows_present")
    assert total.passed
    assert total.metadata["measured"].value == 5
    assert total.metadata["severity"].value == "critical"
    page = f"{settings.site}/desk/deliveries/{total.metadata['delivery'].value}"
    assert total.metadata["page"].value == f"{page}#rule-holding.rows_present"
    (outcome,) = checks(instance, keys.OUTCOME_CHECK)
    assert (outcome.passed, outcome.metadata["outcome"].value) == (True, "published")
    assert outcome.metadata["page"].value == page
    assert file.exists(), "only files of the drop folder are moved"


def test_a_blocked_file_shows_red_checks_and_no_core(
    settings: Settings, instance: dg.DagsterInstance, deliver_run: Any, tmp_path: Path
) -> None:
    house.prepare(settings, tmp_path)
    file = house.holdings_file(settings, tmp_path, "holdings_2026-01-05.csv", rows(house.DAY))
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([*lines[:-1], lines[-1].replace("rows=5", "rows=6")]) + "\n", encoding="utf-8")
    assert deliver_run(file).success, "an answer of the gate is no failure of the run"
    assert materialized(instance, HOLDINGS) == ["2026-01-05"]
    assert materialized(instance, CORE) == []
    (outcome,) = checks(instance, keys.OUTCOME_CHECK)
    assert (outcome.passed, outcome.severity) == (False, dg.AssetCheckSeverity.ERROR)
    (control,) = checks(instance, "holding_control_rows")
    assert (control.passed, control.severity) == (False, dg.AssetCheckSeverity.ERROR)


def test_a_refused_file_leaves_the_drop_folder_with_the_reason_and_makes_nothing_fresh(
    settings: Settings, instance: dg.DagsterInstance, deliver_run: Any
) -> None:
    inbox.open_folders(settings.inbox, FEEDS)
    file = settings.inbox / "house_holdings" / "holdings_2026-01-05.csv"
    file.write_text("<html><body>Not found</body></html>", encoding="utf-8")
    assert deliver_run(file).success
    assert not file.exists()
    note = (file.parent / ".refused" / "holdings_2026-01-05.csv.txt").read_text("utf-8")
    assert "outcome: refused" in note
    assert materialized(instance, HOLDINGS) == []
    assert len(instance.fetch_observations(HOLDINGS, limit=5).records) == 1
    assert not checks(instance, keys.OUTCOME_CHECK)[0].passed


def test_a_run_without_a_file_says_so_and_does_not_fail(instance: dg.DagsterInstance, deliver_run: Any) -> None:
    assert deliver_run(partition="2026-01-05").success
    (record,) = instance.fetch_observations(HOLDINGS, limit=5).records
    assert record.asset_observation is not None
    assert "Nothing to deliver" in (record.asset_observation.description or "")
    assert materialized(instance, HOLDINGS) == []


def test_a_file_that_another_run_has_taken_is_no_failure(settings: Settings, deliver_run: Any) -> None:
    inbox.open_folders(settings.inbox, FEEDS)
    assert deliver_run(settings.inbox / "house_holdings" / "gone.csv").success


def test_materializing_a_date_again_delivers_the_newest_file_of_that_date_and_changes_nothing(
    settings: Settings, connection: psycopg.Connection[Any], deliver_run: Any, tmp_path: Path
) -> None:
    house.prepare(settings, tmp_path)
    house.deliver_holdings(settings, tmp_path, "holdings_2026-01-05.csv", rows(DAYS[0]))
    house.deliver_holdings(settings, tmp_path, "holdings_2026-01-06.csv", rows(DAYS[1]))
    house.deliver_holdings(settings, tmp_path, "holdings_2026-01-05_v2.csv", rows(DAYS[0], 200))
    assert [one.file_name for one in ledger.landed_between(connection, "house_holdings", DAYS[0], DAYS[0])] == [
        "holdings_2026-01-05_v2.csv"
    ]
    assert deliver_run(partition="2026-01-05").success
    newest = connection.execute(
        "select file_name, outcome from governance.delivery order by delivery_id desc limit 1"
    ).fetchone()
    assert newest == ("holdings_2026-01-05_v2.csv", "no_op")
    assert deliver_run(tags=keys.range_tags("2026-01-05", "2026-01-09")).success
    both = connection.execute(
        "select file_name, outcome from governance.delivery order by delivery_id desc limit 2"
    ).fetchall()
    assert both == [("holdings_2026-01-06.csv", "no_op"), ("holdings_2026-01-05_v2.csv", "no_op")]
    current = connection.execute(
        "select min(quantity) from core.holding where business_date = %s and superseded_in is null", (DAYS[0],)
    ).fetchone()
    assert current == (200,)


def test_what_happened_outside_of_dagster_is_shown_once(
    settings: Settings, instance: dg.DagsterInstance, deliver_run: Any, tmp_path: Path
) -> None:
    house.prepare(settings, tmp_path)
    house.deliver_holdings(settings, tmp_path, "holdings_2026-01-05.csv", rows(DAYS[0]))
    derive(settings)
    deliver_run(house.holdings_file(settings, tmp_path, "holdings_2026-01-06.csv", rows(DAYS[1])))
    progress, shown = show(instance, settings, Progress(), FEEDS)
    assert materialized(instance, HOLDINGS) == ["2026-01-06", "2026-01-05"]
    assert materialized(instance, CORE) == ["2026-01-06", "2026-01-05"]
    assert materialized(instance, VALUATION) == materialized(instance, NAV) == ["2026-01-05"]
    assert metadata(instance, VALUATION)["dagster/partition_row_count"] == 5
    assert len(checks(instance, keys.OUTCOME_CHECK)) == 2
    assert shown == 4, "two of reference data, one of holdings, one derivation; the run has shown its own"
    assert show(instance, settings, progress, FEEDS)[1] == 0
    assert show(instance, settings, Progress(), FEEDS)[1] == 0, "even if the cursor is lost"
    assert len(materialized(instance, HOLDINGS)) == 2


def test_a_look_that_was_cut_off_goes_on_where_it_ended(
    settings: Settings, instance: dg.DagsterInstance, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    house.prepare(settings, tmp_path)
    report = house.deliver_holdings(settings, tmp_path, "holdings.csv", [row for day in DAYS for row in rows(day)])
    assert report.delivery_id is not None
    first = next(events.of_delivery(connection, ledger.delivery(connection, report.delivery_id), settings.site))
    instance.report_runless_asset_event(first)
    show(instance, settings, Progress(), FEEDS)
    in_order = [day.isoformat() for day in DAYS]
    assert materialized(instance, HOLDINGS) == in_order
    assert materialized(instance, CORE) == in_order
    assert len(checks(instance, keys.OUTCOME_CHECK)) == 1


def test_a_restatement_of_one_date_rebuilds_that_date_and_nothing_else(
    settings: Settings, instance: dg.DagsterInstance, deliver_run: Any, tmp_path: Path
) -> None:
    house.prepare(settings, tmp_path)
    for day in DAYS:
        house.deliver_holdings(settings, tmp_path, f"holdings_{day}.csv", rows(day))
    show(instance, settings, Progress(), FEEDS)  # Dagster looks at the events of `core` before it starts `mart`
    first = requested(settings, instance)
    assert len(first) == 1
    assert first[0].run_config["ops"]["mart"]["config"]["dates"] == [day.isoformat() for day in DAYS]
    given = first[0].run_config["ops"]["mart"]["config"]
    assert deliver_run(key=VALUATION, tags=first[0].tags, **given).success
    assert sorted(map(str, materialized(instance, VALUATION))) == [day.isoformat() for day in DAYS]
    assert requested(settings, instance) == []

    house.deliver_holdings(settings, tmp_path, "holdings_2026-01-06_v2.csv", rows(DAYS[1], 300))
    (request,) = requested(settings, instance)
    assert request.partition_key == "2026-01-06"
    assert request.run_config["ops"]["mart"]["config"]["dates"] == ["2026-01-06"]
    assert request.run_key != first[0].run_key
    assert deliver_run(key=VALUATION, partition="2026-01-06", dates=["2026-01-06"]).success
    assert materialized(instance, VALUATION)[3:] == ["2026-01-06"]
    assert materialized(instance, NAV)[3:] == ["2026-01-06"]
    assert requested(settings, instance) == []


def test_deriving_a_whole_date_again_publishes_nothing_when_nothing_differs(
    settings: Settings, instance: dg.DagsterInstance, deliver_run: Any, tmp_path: Path
) -> None:
    house.prepare(settings, tmp_path)
    house.deliver_holdings(settings, tmp_path, "holdings_2026-01-05.csv", rows(DAYS[0]))
    derive(settings)
    assert deliver_run(key=VALUATION, tags=keys.range_tags("2026-01-05", "2026-01-07")).success
    assert materialized(instance, VALUATION) == []
    (record,) = instance.fetch_observations(VALUATION, limit=5).records
    assert record.asset_observation is not None
    assert "Nothing differs" in (record.asset_observation.description or "")


def test_the_daily_valuation_takes_the_last_working_day_and_what_is_still_pending(
    settings: Settings, connection: psycopg.Connection[Any]
) -> None:
    monday = dt.datetime(2026, 1, 12, 6, tzinfo=dt.UTC)
    schedule = valuation_schedule(derive_job())
    context = dg.build_schedule_context(resources={"settings": settings}, scheduled_execution_time=monday)
    assert [request.partition_key for request in ticked(schedule, context)] == ["2026-01-09"]
    connection.execute(
        "insert into governance.derivation (target, business_date, caused_by) "
        "values ('mart.position_valuation', '2026-01-06', 1), ('mart.position_valuation', '2026-01-08', 2)"
    )
    connection.commit()
    left, day = ticked(schedule, context)
    assert left.run_config["ops"]["mart"]["config"]["dates"] == ["2026-01-06", "2026-01-08"]
    assert left.tags["dagster/asset_partition_range_start"] == "2026-01-06"
    assert (day.partition_key, day.run_key) == ("2026-01-09", "2026-01-09")


def ticked(schedule: dg.ScheduleDefinition, context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
    found = schedule(context)
    assert isinstance(found, list)
    return found


def requested(settings: Settings, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What one tick of the sensor on pending derivations asks for."""
    found = derivation_sensor(derive_job())(dg.build_sensor_context(instance, resources={"settings": settings}))
    return [found] if isinstance(found, dg.RunRequest) else []
