"""Our Great Expectations classes: one for each way in which rules are measured, each for all rules of a run together.

One expectation per rule cost a small file a fifth of its judgement in Great Expectations' own bookkeeping. The only
module with metric providers; it imports Great Expectations (4 CPU seconds) and is itself imported inside
`runner.py`'s functions only. Numbers travel as text, because Great Expectations turns every decimal of a result
into a float.
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


class Totals(TableMetricProvider):
    """All aggregates of a run, in one SELECT."""

    metric_name = "fulcrum.totals"
    value_keys = ("queries",)

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
        each = ", ".join(f"({query})::text" for query in metric_value_kwargs["queries"])
        return sa.literal_column(f"array[{each}]"), metric_domain_kwargs, {}


class Measures(TableMetricProvider):
    """Queries that yield one number each, one after the other: together they would keep all their memory."""

    metric_name = "fulcrum.measures"
    value_keys = ("queries",)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805 made a class method by the decorator
        execution_engine: Any,
        metric_domain_kwargs: Any,
        metric_value_kwargs: Any,
        metrics: Any,
        runtime_configuration: Any,
    ) -> Any:
        found: dict[str, Any] = {}
        for query in dict.fromkeys(metric_value_kwargs["queries"]):  # two rules may ask the same with two tolerances
            # literal_column, not text(): a colon in a rule is no bind parameter
            row = execution_engine.execute_query(sa.select(sa.literal_column(f"(({query}))::text"))).fetchone()
            found[query] = None if row is None else row[0]
        return [found[query] for query in metric_value_kwargs["queries"]]


class _Measured(BatchExpectation):
    """Passes if the number of each query stands to its threshold as `compares` says.

    `rules`, `queries`, `thresholds` and `compares` are of one length; `observed_value` lists (rule, number as
    text or null, whether it passes).
    """

    rules: list[str]
    queries: list[str]
    thresholds: list[str]
    compares: list[str]

    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    success_keys: ClassVar[tuple[str, ...]] = ("rules", "queries", "thresholds", "compares")
    args_keys: ClassVar[tuple[str, ...]] = ("rules", "queries", "thresholds", "compares")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        texts = metrics[self.metric_dependencies[0]]
        found = [
            [rule, text, _stands(text, threshold, compare)]
            for rule, text, threshold, compare in zip(self.rules, texts, self.thresholds, self.compares, strict=True)
        ]
        return {"success": all(passes for _, _, passes in found), "result": {"observed_value": found}}


def _stands(text: str | None, threshold: str, compare: str) -> bool:
    if text is None:
        return False
    return Decimal(text) <= Decimal(threshold) if compare == "at_most" else Decimal(text) >= Decimal(threshold)


class ExpectTotalsWithinTolerance(_Measured):
    """Aggregates over the batch are within their tolerances; failed rows are such an aggregate, at most 0."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("fulcrum.totals",)


class ExpectMeasuresWithinTolerance(_Measured):
    """The numbers that queries yield are within their tolerances."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("fulcrum.measures",)
