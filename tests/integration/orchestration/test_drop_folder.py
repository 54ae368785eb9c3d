"""Ticks of the sensor on `inbox/<feed>/`, without any database: what is asked for, and when."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from fulcrum.orchestration import inbox, keys, runs
from fulcrum.orchestration.drop_folder import drop_folder_sensor
from fulcrum.orchestration.schedules import deliver_job, last_working_day, sweep_schedule
from fulcrum.pipeline.report import DeliveryReport, Outcome
from fulcrum.settings import Settings, read_settings

FEEDS = ["house_holdings", "house_prices"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(inbox, "SETTLE_SECONDS", 0.0)
    settings = read_settings(home=tmp_path)
    inbox.open_folders(settings.inbox, FEEDS)
    return settings


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


class Ticks:
    """The sensor with its cursor from tick to tick."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings, self.instance = settings, instance
        self.sensor = drop_folder_sensor(deliver_job(), FEEDS)
        self.cursor: str | None = None

    def __call__(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(self.instance, cursor=self.cursor, resources={"settings": self.settings})
        result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return list(result.run_requests or [])


@pytest.fixture
def tick(here: Settings, instance: dg.DagsterInstance) -> Ticks:
    return Ticks(here, instance)


@contextmanager
def a_run(instance: dg.DagsterInstance, feed: str) -> Iterator[str]:
    """A run of `feed` that is at work."""
    run = dg.DagsterRun(job_name="deliver", status=dg.DagsterRunStatus.STARTED, tags={keys.FEED_TAG: feed})
    instance.add_run(run)
    yield run.run_id
    instance.delete_run(run.run_id)


def files_of(request: dg.RunRequest) -> list[str]:
    (op,) = request.run_config["ops"].values()
    return [Path(file).name for file in op["config"]["files"]]


def report(outcome: Outcome, *messages: str) -> DeliveryReport:
    return DeliveryReport("house_prices", "p.csv", "0" * 64, outcome, messages=messages, delivery_id=7)


def test_an_empty_inbox_asks_for_nothing_and_has_a_folder_for_every_feed(tick: Ticks, here: Settings) -> None:
    assert tick() == []
    assert sorted(folder.name for folder in here.inbox.iterdir()) == FEEDS


def test_a_file_that_stood_still_between_two_looks_is_delivered_as_its_feed(tick: Ticks, here: Settings) -> None:
    (here.inbox / "house_prices" / "p.csv").write_text("a\n1\n")
    assert tick() == []
    (request,) = tick()
    assert request.asset_selection == [keys.raw_key("house_prices")]
    assert files_of(request) == ["p.csv"]
    assert request.tags[keys.FEED_TAG] == "house_prices"


def test_a_file_that_still_grows_waits(tick: Ticks, here: Settings) -> None:
    path = here.inbox / "house_prices" / "p.csv"
    for size in range(1, 4):
        path.write_text("x" * size)
        assert tick() == []
    assert files_of(tick()[0]) == ["p.csv"]


def test_a_file_younger_than_the_settle_time_waits(
    tick: Ticks, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "SETTLE_SECONDS", 3600.0)
    (here.inbox / "house_prices" / "p.csv").write_text("x")
    assert [tick(), tick()] == [[], []]


@pytest.mark.parametrize("name", [".p.csv", "p.csv.part", "p.csv.tmp", "~p.csv", "p.csv.filepart", "p.csv~"])
def test_names_that_say_unfinished_are_left_alone(tick: Ticks, here: Settings, name: str) -> None:
    (here.inbox / "house_prices" / name).write_text("x")
    assert [tick(), tick()] == [[], []]


def test_links_are_not_followed(tick: Ticks, here: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (here.inbox / "house_prices" / "p.csv").symlink_to(tmp_path / "secret")
    assert [tick(), tick()] == [[], []]


def test_files_of_one_feed_go_in_one_run_in_the_order_in_which_they_came(tick: Ticks, here: Settings) -> None:
    for name in ("b.csv", "a.csv"):
        (here.inbox / "house_prices" / name).write_text(name)
        time.sleep(0.02)
    tick()
    (request,) = tick()
    assert files_of(request) == ["b.csv", "a.csv"]


def test_a_feed_whose_run_is_at_work_is_not_asked_for_again(
    tick: Ticks, here: Settings, instance: dg.DagsterInstance
) -> None:
    (here.inbox / "house_prices" / "p.csv").write_text("x")
    tick()
    with a_run(instance, "house_prices"):
        assert tick() == []
    assert len(tick()) == 1


def test_a_run_that_was_killed_holds_neither_its_feed_nor_the_queue(
    tick: Ticks, here: Settings, instance: dg.DagsterInstance
) -> None:
    (here.inbox / "house_prices" / "p.csv").write_text("x")
    tick()
    with a_run(instance, "house_prices") as run_id:
        assert runs.fail_silent_runs(instance) == []
        later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=16)
        assert runs.fail_silent_runs(instance, later) == [run_id]
        assert len(tick()) == 1


def test_a_file_that_its_run_left_behind_is_asked_for_again_later_under_another_key(
    tick: Ticks, here: Settings
) -> None:
    (here.inbox / "house_prices" / "p.csv").write_text("x")
    tick()
    (first,) = tick()
    assert tick() == [], "not before a minute has passed"
    memory = json.loads(tick.cursor or "")
    memory["house_prices/p.csv"]["not_before"] = 0
    tick.cursor = json.dumps(memory)
    (second,) = tick()
    assert files_of(second) == files_of(first)
    assert second.run_key != first.run_key
    assert json.loads(tick.cursor)["house_prices/p.csv"]["not_before"] > time.time() + 100


def test_the_same_file_dropped_again_after_its_delivery_is_another_drop(tick: Ticks, here: Settings) -> None:
    path = here.inbox / "house_prices" / "p.csv"
    path.write_text("x")
    tick()
    (first,) = tick()
    assert inbox.put_away(path, report(Outcome.PUBLISHED)).parent.name == ".done"
    assert tick() == []
    path.write_text("x")
    tick()
    (second,) = tick()
    assert second.run_key != first.run_key


def test_a_folder_that_no_feed_knows_is_named_and_its_files_stay(tick: Ticks, here: Settings) -> None:
    folder = here.inbox / "house_holding"
    folder.mkdir()
    (folder / "p.csv").write_text("x")
    assert [tick(), tick()] == [[], []]
    assert inbox.unknown_folders(here.inbox, FEEDS) == ["house_holding"]
    assert (folder / "p.csv").read_text() == "x"


def test_a_refused_file_lies_in_refused_beside_a_text_that_says_why(here: Settings) -> None:
    path = here.inbox / "house_prices" / "p.csv"
    path.write_text("<html>")
    goal = inbox.put_away(path, report(Outcome.REFUSED, "p.csv, row 1: this is HTML. Download it again."))
    assert goal == here.inbox / "house_prices" / ".refused" / "p.csv"
    assert goal.read_text() == "<html>"
    note = (goal.parent / "p.csv.txt").read_text()
    assert "outcome: refused" in note
    assert "Download it again." in note
    assert not path.exists()


def test_no_file_is_ever_overwritten_where_they_are_put_away(here: Settings) -> None:
    path = here.inbox / "house_prices" / "p.csv"
    for content in ("1", "2", "3"):
        path.write_text(content)
        inbox.put_away(path, report(Outcome.NO_OP))
    done = here.inbox / "house_prices" / ".done"
    assert {file.name: file.read_text() for file in done.glob("*.csv")} == {
        "p.csv": "1",
        "p-2.csv": "2",
        "p-3.csv": "3",
    }
    assert len(list(done.glob("*.txt"))) == 3


def test_the_daily_sweep_takes_the_feeds_that_have_files(here: Settings) -> None:
    schedule = sweep_schedule(deliver_job(), FEEDS)
    context = dg.build_schedule_context(
        resources={"settings": here}, scheduled_execution_time=dt.datetime(2026, 1, 12, 5, tzinfo=dt.UTC)
    )
    assert isinstance(schedule(context), dg.SkipReason)
    (here.inbox / "house_prices" / "p.csv").write_text("x")
    request = schedule(context)
    assert isinstance(request, dg.RunRequest)
    assert request.asset_selection == [keys.raw_key("house_prices")]


def test_the_last_working_day_of_monday_is_friday() -> None:
    assert last_working_day(dt.date(2026, 1, 12)) == dt.date(2026, 1, 9)
    assert last_working_day(dt.date(2026, 1, 13)) == dt.date(2026, 1, 12)
