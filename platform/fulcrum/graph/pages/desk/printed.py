"""The monthly report as a document of texts and tables for paper, in one language.

How it becomes a PDF is `printing.py`'s; its page on screen is `templates/desk/report_body.html`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from fulcrum.governance.reports import Report
from fulcrum.governance.reports.decisions import Resting, WaiverInForce
from fulcrum.governance.reports.report import Group
from fulcrum.graph.pages.desk.language import speller, translator
from fulcrum.graph.pages.desk.printing import as_pdf
from fulcrum.graph.pages.rendering import minute, plain

FINDINGS = 200
"""Open findings that are printed."""
_TO = "\N{EN DASH}"
_NONE = _TO
Words = Callable[..., str]


def report_pdf(report: Report, language: str) -> bytes:
    """The report on paper.

    Raises:
        SettingsError: this installation cannot print.
    """
    t, word = translator(language), speller(language)
    made, edition = _Paper(report, t, word), report.edition
    document = {
        "language": language,
        "title": t("report.title", month=edition.month),
        "made_by": t("report.made_by", number=edition.publication_id, at=minute(edition.known_at)),
        "facts": made.facts(),
        "figures": made.figures(),
        "blocks": [
            *made.groups(t("report.by_dimension"), t("field.dimension"), report.by_dimension, "dimension"),
            *made.groups(t("report.by_owner"), t("field.owner"), report.by_owner),
            *made.groups(t("report.by_feed"), t("field.feed"), [one for one in report.by_feed if _says(one)]),
            *made.coverage(),
            *made.arrivals(),
            *made.findings(),
            *made.waivers(),
            *made.adjustments(),
            _heading(t("report.notes")),
            {"kind": "list", "items": [t(f"report.note_{note}") for note in ("month", "rate", "columns", "time")]},
        ],
    }
    return as_pdf(document, edition.known_at)


class _Paper:
    """The parts of the document."""

    def __init__(self, report: Report, t: Words, word: Callable[[str, str | None], str]) -> None:
        self.report = report
        self.t = t
        self.word = word

    def facts(self) -> list[list[str]]:
        t, edition = self.t, self.report.edition
        state = t("report.closed")
        if not edition.is_closed:
            key = "report.preliminary" if edition.known_at < edition.closes_at else "report.other_edition"
            state = t(key, at=minute(edition.closes_at))
        seen = t("report.whole_house") if self.report.is_whole_house else t("report.part_of_house")
        return [
            [t("report.edition"), state],
            [t("report.known_at"), f"{edition.known_at:%Y-%m-%d %H:%M:%S.%f} UTC"],
            [t("report.state"), t("publication", number=edition.publication_id)],
            [t("report.seen"), seen],
        ]

    def figures(self) -> list[list[str]]:
        t, total, report = self.t, self.report.totals, self.report
        on_time = f" ({total.on_time:,} / {total.due:,})" if total.due is not None else ""
        return [
            [_rate(total.pass_pct), f"{t('report.pass_rate')} ({total.passed:,} / {total.judged:,})"],
            [f"{total.covered} / {total.critical}", t("report.covered")],
            [_rate(total.on_time_pct), t("report.on_time") + on_time],
            [f"{total.open:,}", t("report.open")],
            [f"{total.overdue:,}", t("report.overdue")],
            [f"{len(report.waivers):,}", t("report.waivers_in_force")],
            [f"{len(report.overrides) + len(report.rollbacks):,}", t("report.adjustments_made")],
        ]

    def groups(self, title: str, name: str, lines: Iterable[Group], kind: str = "") -> list[dict[str, Any]]:
        words = ("columns", "judged", "passed", "failed", "broken", "not_run", "rate", "open", "overdue", "on_time")
        columns = [(name, 3), *((self.t(f"report.col_{one}"), 0) for one in words)]
        rows = [
            [
                (self.word(kind, one.name) if kind else one.name) or self.t("report.no_group"),
                f"{one.covered} / {one.critical}" if one.critical else _NONE,
                *(f"{number:,}" for number in (one.judged, one.passed, one.failed, one.broken, one.not_run)),
                _rate(one.pass_pct),
                f"{one.open:,}",
                f"{one.overdue:,}",
                f"{one.on_time:,} / {one.due:,}" if one.due is not None else _NONE,
            ]
            for one in lines
        ]
        return [_heading(title), _table(columns, rows)]

    def coverage(self) -> list[dict[str, Any]]:
        t, total = self.t, self.report.totals
        rows = [[one.table, one.column, one.owner] for one in self.report.uncovered]
        columns = [(t("report.table"), 2), (t("field.column"), 2), (t("field.owner"), 2)]
        about = _text(t("report.coverage_about", covered=total.covered, critical=total.critical))
        return [_heading(t("report.coverage")), about, *self._or(rows, columns, "report.all_covered")]

    def arrivals(self) -> list[dict[str, Any]]:
        t = self.t
        words = ("due", "good", "missing", "late", "early", "small", "not_judged", "files", "stopped")
        columns = [(t("field.feed"), 3), *((t(f"report.col_{one}"), 0) for one in words)]
        columns += [(t("field.rows_in"), 0), (t("field.rows_quarantined"), 0)]
        rows = []
        untold = sum(one.untold for one in self.report.arrivals)
        for one in self.report.arrivals:
            if not (one.due or one.not_judged or one.files):
                continue
            counts = (one.due, f"{one.on_time} ({_rate(one.on_time_pct)})", one.missing, one.late, one.early, one.small)
            told = [str(number) for number in counts] if one.due else [_NONE] * len(counts)
            numbers = (one.not_judged, one.files, one.stopped, one.rows_in, one.rows_quarantined)
            rows.append([one.feed, *told, *(f"{number:,}" for number in numbers)])
        notice = [_text(t("report.untold", days=untold))] if untold else []
        return [_heading(t("report.arrivals")), *notice, *self._or(rows, columns, "report.no_arrivals")]

    def findings(self) -> list[dict[str, Any]]:
        t, total, moved = self.t, self.report.totals, self.report.moved
        names = (("finding", 0), ("rule", 4), ("subject", 4), ("severity", 0), ("state", 0), ("owner", 3))
        columns = [(t(f"field.{name}"), width) for name, width in names]
        columns += [(t("report.opened_at"), 0), (t("field.due"), 0)]
        rows = [
            [
                str(one.exception_id),
                one.rule_id,
                one.subject,
                self.word("severity", one.severity),
                self.word("state", one.state),
                one.owner_name or one.owner or _NONE,
                minute(one.opened_at),
                f"{one.due_date}" + (f" {t('overdue')}" if one.is_overdue else ""),
            ]
            for one in self.report.findings[:FINDINGS]
        ]
        told = {"opened": moved.opened, "resolved": moved.resolved, "false_alarms": moved.false_alarms}
        about = _text(t("report.findings_about", **told, open=total.open, overdue=total.overdue))
        more = len(self.report.findings) - FINDINGS
        rest = [_text(t("report.more_findings", n=more))] if more > 0 else []
        table = [_table(columns, rows, numbers=())] if rows else []
        return [_heading(t("report.findings")), about, *table, *rest]

    def waivers(self) -> list[dict[str, Any]]:
        t = self.t
        if not self.report.waivers:
            return [_heading(t("report.waivers")), _text(t("report.no_waivers"))]
        columns = [(t("field.waiver"), 5), (t("field.reason"), 4), (t("field.asked_by"), 2)]
        columns += [(t("report.approved_by"), 2), (t("report.currency"), 0)]
        columns += [(t(f"report.{one}"), 0) for one in ("nav", "value", "day", "portfolios", "positions", "days")]
        rows = [line for one in self.report.waivers for line in self._waiver(one)]
        about = _text(t("report.waivers_about"))
        return [_heading(t("report.waivers")), about, _table(columns, rows, numbers=(5, 6, 8, 9, 10))]

    def _waiver(self, one: WaiverInForce) -> list[list[str]]:
        t, state = self.t, self.word("waiver", one.state)
        said = [
            f"{one.waiver_id} ({state}) {one.rule_id}, {one.feed}, {one.begin_date} {_TO} {one.end_date}",
            one.reason,
            f"{one.asked_by}, {minute(one.asked_at)}",
            f"{one.approved_by}, {minute(one.approved_at)}{self._ended(one)}",
        ]
        if not one.resting:
            nothing = t("report.hidden") if one.resting is None else t("report.nothing_rests")
            return [[*said, nothing, *[_NONE] * 6]]
        lines = [self._resting(each) for each in one.resting]
        return [[*(said if number == 0 else [""] * 4), *line] for number, line in enumerate(lines)]

    def _ended(self, one: WaiverInForce) -> str:
        if one.ended_by is None or one.ended_at is None:
            return ""
        said = f"; {self.t('field.ended_by')}: {one.ended_by}, {minute(one.ended_at)}"
        return f"{said}: {one.end_comment}" if one.end_comment else said

    def _resting(self, one: Resting) -> list[str]:
        unvalued = self.t("report.unvalued")
        money = [f"{value:,.2f}" if value is not None else unvalued for value in (one.nav, one.value)]
        return [
            one.currency_code or _NONE,
            *money,
            one.business_date.isoformat(),
            f"{one.portfolios:,}",
            f"{one.positions:,}",
            str(one.days),
        ]

    def adjustments(self) -> list[dict[str, Any]]:
        t = self.t
        columns = [(t("field.subject"), 4), (t("field.value"), 0), (t("field.covers"), 3), (t("field.reason"), 4)]
        columns += [(t("field.state"), 0), (t("field.asked_by"), 2), (t("report.approved_by"), 2)]
        rows = [
            [
                f"{one.override_id} {one.target} {' '.join(str(said) for said in one.subject.values())}",
                f"{plain(one.value)} {one.currency_code or ''}".strip(),
                f"{one.begin_date} {_TO} {one.last_date}",
                f"{one.reason_code}: {one.reason}",
                self.word("override", one.state),
                f"{one.asked_by}, {minute(one.asked_at)}",
                f"{one.approved_by}, {minute(one.approved_at)}",
            ]
            for one in self.report.overrides
        ]
        return [
            _heading(t("report.adjustments")),
            _heading(t("report.overrides"), 3),
            *self._or(rows, columns, "report.no_overrides", numbers=(1,)),
            _heading(t("report.rollbacks"), 3),
            *self._rollbacks(),
        ]

    def _rollbacks(self) -> list[dict[str, Any]]:
        t = self.t
        columns = [(t("report.taken_back"), 2), (t("field.feed"), 2), (t("field.business_date"), 0)]
        columns += [(t("report.rows_changed"), 0), (t("field.reason"), 4), (t("field.who"), 2), (t("field.at"), 0)]
        rows = [
            [
                f"{one.taken_back} ({t('publication', number=one.publication_id)})",
                one.feed,
                str(one.business_date_to or _NONE),
                f"{one.rows_ended:,} / {one.rows_restored:,}",
                one.reason or _NONE,
                one.decided_by or _NONE,
                minute(one.known_at),
            ]
            for one in self.report.rollbacks
        ]
        return self._or(rows, columns, "report.no_rollbacks", numbers=(3,))

    def _or(
        self, rows: list[list[str]], columns: list[tuple[str, int]], otherwise: str, **options: Any
    ) -> list[dict[str, Any]]:
        return [_table(columns, rows, **options)] if rows else [_text(self.t(otherwise))]


def _heading(text: str, level: int = 2) -> dict[str, Any]:
    return {"kind": "heading", "level": level, "text": text}


def _text(text: str) -> dict[str, Any]:
    return {"kind": "text", "text": text}


def _table(
    columns: list[tuple[str, int]], rows: list[list[str]], numbers: tuple[int, ...] | None = None
) -> dict[str, Any]:
    """A table; a column of width 0 is as wide as its cells, and numbers unless said otherwise."""
    return {
        "kind": "table",
        "columns": [
            {"title": title, "width": width, "number": width == 0 if numbers is None else place in numbers}
            for place, (title, width) in enumerate(columns)
        ],
        "rows": rows,
    }


def _rate(value: Decimal | None) -> str:
    return f"{value} %" if value is not None else _NONE


def _says(one: Group) -> bool:
    return bool(one.judged or one.not_run or one.open or one.due or one.critical)
