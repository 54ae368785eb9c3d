"""Runs planned rules on one staged table through Great Expectations, inside PostgreSQL.

Great Expectations is imported by the first run, set up once per process, and writes nothing to
disk. What a rule means and what follows from its number is decided by the callers.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from fulcrum.errors import GateError
from fulcrum.quality.plan import Planned
from fulcrum.settings import Settings
from fulcrum.warehouse import server

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

# A million duplicate-key groups stay in memory instead of spilling (1.9 s became 1.1 s).
# The search path is how Great Expectations wants to be told a schema; rules name theirs in full. Staging has
# no statistics: a nested loop chosen for "one row" took 3 minutes where the hash join takes 2 seconds.
_SESSION = "-c work_mem=128MB -c enable_nestloop=off -c application_name=fulcrum-gate -c search_path=staging"

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Measured:
    """What Great Expectations said of one rule; `error` is set if it could not be measured."""

    rule_id: str
    success: bool
    number: Decimal | None
    error: str | None = None


def engine_version() -> str:
    """Name and version of what judges, as stored with each validation."""
    from importlib.metadata import version

    return f"great_expectations {version('great_expectations')}"


def run(settings: Settings, table: str, planned: Sequence[Planned]) -> dict[str, Measured]:
    """Measure every rule of `planned` on `table` (`staging.delivery_7`), by rule id.

    Rules of one kind are one expectation, so one broken rule breaks its neighbours: whatever was broken
    together is measured again, one rule at a time, and only the guilty one stays broken.

    Raises:
        GateError: Great Expectations itself failed.
    """
    if not planned:
        return {}
    with _one_at_a_time:
        found = _run(settings, table, planned)
        suspects = [rule for rule in planned if found[rule.rule.id].error is not None]
        if len(suspects) > 1:
            for suspect in suspects:
                found |= _run(settings, table, [suspect])
    return found


def _run(settings: Settings, table: str, planned: Sequence[Planned]) -> dict[str, Measured]:
    context = _context()  # first, because it silences what the import warns of
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from sqlalchemy.exc import SQLAlchemyError

    name = table.removeprefix("staging.")
    url = server.ensure_running(settings).url(user=server.LOADER_ROLE, driver="psycopg")
    # Great Expectations refuses a URL without a host; libpq's own `host` parameter still decides.
    source = context.data_sources.add_postgres(  # type: ignore[call-arg]
        name=f"{table}:{id(planned)}",
        connection_string=url.replace("@/", "@localhost/", 1),
        kwargs={"connect_args": {"options": _SESSION}},
    )
    try:
        asset = source.add_table_asset(name=name, table_name=name)
        batch = asset.add_batch_definition_whole_table(name).get_batch()
        answer = batch.validate(_suite(planned), result_format="BASIC")
        return _by_rule(answer, planned)
    except (GreatExpectationsError, SQLAlchemyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise GateError(f"Great Expectations could not judge {table}: {reason}") from error
    finally:
        for engine in (source.get_engine(), source.get_execution_engine().engine):
            engine.dispose()  # a database with open connections cannot be dropped or migrated
        context.data_sources.delete(source.name)


def _suite(planned: Sequence[Planned]) -> Any:
    from great_expectations import ExpectationSuite

    from fulcrum.quality.expectations import ExpectMeasuresWithinTolerance, ExpectTotalsWithinTolerance

    expectations = []
    for is_aggregate, kind in ((True, ExpectTotalsWithinTolerance), (False, ExpectMeasuresWithinTolerance)):
        of_kind = [rule for rule in planned if rule.is_aggregate == is_aggregate]
        if of_kind:
            expectations.append(
                kind(
                    rules=[one.rule.id for one in of_kind],
                    queries=[one.sql for one in of_kind],
                    thresholds=[str(one.limit) for one in of_kind],
                    compares=[one.compare.value for one in of_kind],
                    meta={"rules": [one.rule.id for one in of_kind]},
                )
            )
    return ExpectationSuite(name="planned", expectations=expectations)


def _by_rule(answer: Any, planned: Sequence[Planned]) -> dict[str, Measured]:
    found = {}
    for result in answer.results:  # not in the order of the suite
        error = _error(result.exception_info)
        for rule_id in result.expectation_config.meta["rules"] if error else ():
            found[rule_id] = Measured(rule_id, success=False, number=None, error=error)
        for rule_id, text, passes in () if error else result.result.get("observed_value") or ():
            found[rule_id] = Measured(rule_id, bool(passes), None if text is None else Decimal(text))
    for rule in planned:
        missing = Measured(rule.rule.id, success=False, number=None, error="Great Expectations gave no result.")
        found.setdefault(rule.rule.id, missing)
    return found


def _error(info: Any) -> str | None:
    """The message of an exception: `info` is one record, or one per metric."""
    if not info:
        return None
    records = [info] if "raised_exception" in info else list(info.values())
    for record in records:
        if record.get("raised_exception"):
            message = str(record.get("exception_message") or "unknown error").strip()
            return message.splitlines()[0][:500]
    return None


@cache
def _context() -> EphemeralDataContext:
    """The process's one context: in memory, silent, sending nothing."""
    import os

    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read while it is being imported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    logging.captureWarnings(capture=False)  # Great Expectations turns it on for the whole process
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # errors come back as results
    return context
