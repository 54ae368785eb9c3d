"""A validation as Great Expectations' own result and page; importing it imports Great Expectations (4 CPU seconds).

Which validations, and what of them may be shown, is `data_docs.py`'s.
"""
# ruff: noqa: ARG002, ARG003 the signatures are Great Expectations'

from __future__ import annotations

import re
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render import (
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
    RenderedTableContent,
)
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.renderer.renderer import renderer
from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, DictLoader

_TO_SUITE = re.compile(r'<a [^>]*href="[^"]*expectations/[^"]*"[^>]*>(.*?)</a>', re.DOTALL)
_WORDS = {"passed": "passed", "failed": "failed", "broken": "broken", "not_run": "not run"}
_STATUS, _OBSERVED = LegacyDiagnosticRendererType.STATUS_ICON, LegacyDiagnosticRendererType.OBSERVED_VALUE
_STATEMENT, _TABLE = LegacyDiagnosticRendererType.UNEXPECTED_STATEMENT, LegacyDiagnosticRendererType.UNEXPECTED_TABLE


class ExpectRuleToHold(BatchExpectation):
    """A rule of a suite, as it was judged; it is only shown by this class, never run."""

    rule: str
    says: str
    judged_as: str
    status: str

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: dict[str, Any] | None = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        raise AssertionError("rules are measured by the gate")

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> list[Any]:
        told = (configuration or result.expectation_config).kwargs
        return [_text("$says ", says=told["says"]), _text("$rule: $as", rule=told["rule"], **{"as": told["judged_as"]})]

    @classmethod
    @renderer(renderer_type=_STATUS)
    def _diagnostic_status_icon_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> Any:
        status = result.expectation_config.kwargs["status"]
        said = {"template": "$word", "params": {"word": _WORDS[status]}, "styling": {"classes": ["status", status]}}
        return RenderedStringTemplateContent(content_block_type="string_template", string_template=said)

    @classmethod
    @renderer(renderer_type=_OBSERVED)
    def _diagnostic_observed_value_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> Any:
        return _text("$value", value=str(result.result.get("observed_value", "--")))

    @classmethod
    @renderer(renderer_type=_STATEMENT)
    def _diagnostic_unexpected_statement_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> list[Any]:
        said = result.meta.get("message")
        return [_text("$message", message=said)] if said else []

    @classmethod
    @renderer(renderer_type=_TABLE)
    def _diagnostic_unexpected_table_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> Any:
        values = result.result.get("partial_unexpected_list") or []
        if not values:
            return None
        rows = [[_text("$value", value=str(value))] for value in values]
        return [RenderedTableContent(content_block_type="table", header_row=["Sampled Unexpected Values"], table=rows)]


def as_result(rule: dict[str, Any]) -> ExpectationValidationResult:
    """One rule's result: `kwargs` of the expectation, `observed`, `unexpected` values, `message`, `exception`."""
    result: dict[str, Any] = {"observed_value": rule["observed"]} if rule["observed"] is not None else {}
    if rule["unexpected_count"] is not None:
        result |= {"unexpected_count": rule["unexpected_count"], "partial_unexpected_list": rule["unexpected"]}
    return ExpectationValidationResult(
        success=rule["kwargs"]["status"] == "passed",
        expectation_config=ExpectationConfiguration(type="expect_rule_to_hold", kwargs=rule["kwargs"]),
        result=result,
        meta={"message": rule["message"]},
        exception_info={
            "raised_exception": rule["exception"] is not None,
            "exception_message": rule["exception"],
            "exception_traceback": None,
        },
    )


def as_suite_result(about: dict[str, Any], rules: list[dict[str, Any]]) -> ExpectationSuiteValidationResult:
    """A validation: `about` has `suite`, `asset`, `run`, `at` and `engine`; what was not run was not evaluated."""
    judged = [one for one in rules if one["kwargs"]["status"] != "not_run"]
    passed = sum(one["kwargs"]["status"] == "passed" for one in judged)
    return ExpectationSuiteValidationResult(
        success=len(judged) == passed,
        results=[as_result(one) for one in rules],
        suite_name=about["suite"],
        statistics={
            "evaluated_expectations": len(judged),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(judged) - passed,
            "success_percent": 100.0 * passed / len(judged) if judged else None,
        },
        meta={
            "great_expectations_version": about["engine"],
            "run_id": {"run_name": about["run"], "run_time": about["at"]},
            "batch_spec": {"data_asset_name": about["asset"]},
        },
    )


def as_json(result: ExpectationSuiteValidationResult) -> dict[str, Any]:
    """The result in Great Expectations' own words."""
    untyped: Any = result
    plain: dict[str, Any] = untyped.to_json_dict()
    return plain


def as_page(result: ExpectationSuiteValidationResult, templates: dict[str, str]) -> str:
    """The page of a result; `templates` stand in the place of those that load scripts and styles from other hosts."""
    view: Any = DefaultJinjaPageView()
    view.env.loader = ChoiceLoader([DictLoader(templates), view.env.loader])
    page: str = view.render(_renderer().render(result), show_how_to_buttons=False)
    return _TO_SUITE.sub(r"\1", page)  # pages of suites are not made: a suite is read as it was written, in YAML


def _renderer() -> Any:
    return ValidationResultsPageRenderer()  # has no types


def _text(template: str, **params: str) -> RenderedStringTemplateContent:
    """Text whose parameters are escaped by the page's view; texts of tables are not."""
    return RenderedStringTemplateContent(
        content_block_type="string_template", string_template={"template": template, "params": params}
    )
