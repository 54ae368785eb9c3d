"""Our Great Expectations classes: one for each way in which a rule is measured.

The only module with metric providers; it imports Great Expectations (4 CPU seconds) and is itself
imported inside `runner.py`'s functions only. Numbers travel as text, because Great Expectations
turns every decimal of a result into a float.
"""
# ruff: noqa: ARG002 the signatures are Great Expectations'

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider


class Total(TableMetricProvider):
    """One aggregate; Great Expectations puts all aggregates of a run into one SELECT."""

    metric_name = "fulcrum.total"
    value_keys = ("sql",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,  # noqa: N805 made a class method by the decorator
        execution_engine: Any,
        metric_domain_kwargs: Any,
        metric_value_kwargs: Any,
        metrics: Any,
        runtime_configuration: Any,
    ) -> Any:
        return sa.literal_column(f"({metric_value_kwargs['sql']})::text"), metric_domain_kwargs, {}


class Measure(TableMetricProvider):
    """One query that yields one number."""

    metric_name = "fulcrum.measure"
    value_keys = ("sql",)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805 made a class method by the decorator
        execution_engine: Any,
        metric_domain_kwargs: Any,
        metric_value_kwargs: Any,
        metrics: Any,
        runtime_configuration: Any,
    ) -> Any:
        # literal_column, not text(): a colon in a rule is no bind parameter
        found = execution_engine.execute_query(
            sa.select(sa.literal_column(f"(({metric_value_kwargs['sql']}))::text"))
        ).fetchone()
        return None if found is None else found[0]


class _Measured(BatchExpectation):
    """Passes if the number that `sql` yields stands to `threshold` as `compare` says."""

    sql: str
    threshold: str
    compare: str

    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    success_keys: ClassVar[tuple[str, ...]] = ("sql", "threshold", "compare")
    args_keys: ClassVar[tuple[str, ...]] = ("sql", "threshold", "compare")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        text = metrics[self.metric_dependencies[0]]
        if text is None:
            return {"success": False, "result": {"observed_value": None}}
        measured, threshold = Decimal(text), Decimal(self.threshold)
        success = measured <= threshold if self.compare == "at_most" else measured >= threshold
        return {"success": success, "result": {"observed_value": text}}


class ExpectTotalWithinTolerance(_Measured):
    """An aggregate over the batch is within its tolerance; failed rows are such an aggregate, at most 0."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("fulcrum.total",)


class ExpectMeasureWithinTolerance(_Measured):
    """The number that a query yields is within its tolerance."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("fulcrum.measure",)
