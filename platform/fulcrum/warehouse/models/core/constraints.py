"""Exclusion constraints that keep current rows from contradicting each other in valid time."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import ExcludeConstraint

PERIOD = "daterange(valid_from, valid_to)"


def one_version_at_a_time(entity: str) -> ExcludeConstraint:
    """At each date at most one current version of one entity."""
    return ExcludeConstraint(
        (text(f"{entity}_id"), "="),
        (text(PERIOD), "&&"),
        where=text("superseded_in is null"),
        name=f"{entity}_version_one_at_a_time",
    )


def one_identifier_at_a_time(entity: str) -> ExcludeConstraint:
    """At each date one current identifier names at most one entity."""
    return ExcludeConstraint(
        (text("scheme"), "="),
        (text("value"), "="),
        (text(PERIOD), "&&"),
        where=text("superseded_in is null"),
        name=f"{entity}_identifier_one_at_a_time",
    )
