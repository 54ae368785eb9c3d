"""A breaking change is told, unless the element was deprecated with a date that has passed."""

from __future__ import annotations

import datetime as dt

import pytest

from fulcrum.graph.compatibility import breaking_changes

TODAY = dt.date(2026, 10, 1)
OLD = """
type Query { portfolio(code: String!, kind: Kind): Portfolio, old: Retired @deprecated(reason: "Gone 2026-09-30") }
type Retired { name: String }
enum Kind { FUND MANDATE @deprecated(reason: "Use FUND from 2026-10-01") }
type Portfolio {
  name: String
  title: String @deprecated(reason: "Use name; goes 2026-10-01")
  label: String @deprecated(reason: "Use name; goes 2026-10-02")
  caption: String @deprecated
}
"""


def _now(*removed: str) -> list[str]:
    text = OLD
    for part in removed:
        assert part in text
        text = text.replace(part, "")
    return breaking_changes(OLD, text, TODAY)


TITLE = '  title: String @deprecated(reason: "Use name; goes 2026-10-01")\n'
MANDATE = ' MANDATE @deprecated(reason: "Use FUND from 2026-10-01")'
LABEL = '  label: String @deprecated(reason: "Use name; goes 2026-10-02")\n'


def test_nothing_changed_and_additions_break_nothing() -> None:
    assert _now() == []
    assert breaking_changes(OLD, OLD + "type More { a: Int }", TODAY) == []
    assert breaking_changes(OLD, OLD.replace("name: String\n  title", "name: String!\n  title"), TODAY) == []


@pytest.mark.parametrize(
    ("removed", "told"),
    [
        ("  name: String\n", "Portfolio.name was removed."),
        (LABEL, "Portfolio.label was removed."),
        ("  caption: String @deprecated\n", "Portfolio.caption was removed."),
        (", kind: Kind", "Query.portfolio arg kind was removed."),
        ("enum Kind { FUND ", "Kind was removed."),
    ],
)
def test_removing_what_was_promised_is_told(removed: str, told: str) -> None:
    if removed.startswith("enum"):
        text = OLD.replace(", kind: Kind", "").replace(f"enum Kind {{ FUND{MANDATE} }}", "")
        assert told in breaking_changes(OLD, text, TODAY)
    else:
        assert told in _now(removed)


def test_other_types_and_new_required_arguments_are_told() -> None:
    assert breaking_changes(OLD, OLD.replace("name: String\n  t", "name: Int\n  t"), TODAY) == [
        "Portfolio.name changed type from String to Int."
    ]
    assert breaking_changes(OLD, OLD.replace("kind: Kind", "kind: Kind, day: Int!"), TODAY) == [
        "A required arg day on Query.portfolio was added."
    ]


def test_what_was_deprecated_until_a_day_that_has_come_may_go_with_all_that_it_alone_led_to() -> None:
    assert _now(TITLE) == []
    assert _now(MANDATE) == []
    assert _now(', old: Retired @deprecated(reason: "Gone 2026-09-30")', "type Retired { name: String }\n") == []
    assert breaking_changes(OLD, OLD.replace(TITLE, ""), TODAY - dt.timedelta(days=1)) == [
        "Portfolio.title was removed."
    ]
