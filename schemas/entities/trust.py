"""How far a row can be trusted: the publication that said it, its verdict and its file.

The numbers behind a value are explained in `explanation.py`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from fulcrum.graph.declare import column, plain, relation

_ROWS = """
select said.n as publication, p.verdict, p.known_at, p.feed, d.file_name, d.sha256, said.staleness_days,
  array(
    select f.rule_id || ': ' || f.message from quality.validation_result f
    where f.status = 'failed' and f.severity = 'warning' and f.validation_id = (
      select max(v.validation_id) from quality.validation v where v.delivery_id = d.delivery_id)
    order by f.rule_id
  ) || said.flags as warnings
from (select PUBLISHED_IN as n, DELIVERY_ID as delivery_id, FLAGS as flags, STALENESS as staleness_days) said
left join governance.publication p on p.publication_id = said.n
left join governance.delivery d on d.delivery_id = coalesce(said.delivery_id, p.delivery_id)
"""
_NO_FLAGS = "array[]::text[]"


@plain
class Trust:
    """Who said it, when Fulcrum knew it, and what its gate thought of it."""

    verdict: str | None = column("verdict", "Verdict of the gate: passed, warned or waived.")
    publication: int = column("publication", "The publication that made this row known.")
    known_at: dt.datetime | None = column("known_at", "When Fulcrum knew it.")
    feed: str | None = column("feed", "Feed that said it, or the derived table.")
    delivery_file: str | None = column("file_name", "Name of the file as it arrived; null for derived rows.")
    file_sha256: str | None = column("sha256", "SHA-256 of that file; null for derived rows.")
    warnings: list[str] = column("warnings", "Rules that warned about the file, and flags on the value.")
    staleness_days: int | None = column(
        "staleness_days",
        "Days between the date that is shown and the date of what it rests on; null: nothing tells a date.",
    )


def _trust(published_in: str, delivery_id: str, staleness: str, flags: str = _NO_FLAGS, rows: str = _ROWS) -> Any:
    for word, sql in (
        ("PUBLISHED_IN", published_in),
        ("DELIVERY_ID", delivery_id),
        ("STALENESS", staleness),
        ("FLAGS", flags),
    ):
        rows = rows.replace(word, sql)
    return relation("How far this can be trusted.", rows=rows)


def trust_of_entity() -> Any:
    """Of a versioned entity: its version, or its identity where nothing is stated for the day."""
    staleness = (
        "{as_of} - (select b.business_date_to from governance.publication b"
        " where b.publication_id = coalesce({published_in}, {created_in}))"
    )
    return _trust("coalesce({published_in}, {created_in})", "{delivery_id}", staleness)


def trust_of_fact(staleness: str = "{as_of} - {business_date}", flags: str = _NO_FLAGS) -> Any:
    """Of a fact: its own row."""
    return _trust("{published_in}", "{delivery_id}", staleness, flags)


def trust_of_identifier() -> Any:
    """Of a dated identifier: its own row, which is never stale."""
    return _trust("{published_in}", "{delivery_id}", "null::integer")


def trust_of_version() -> Any:
    """Of one of the versions in a history: its own row; how old it is, the history itself says."""
    return trust_of_identifier()


def trust_of_publication() -> Any:
    """Of a publication: itself."""
    return _trust("{publication_id}", "{delivery_id}", "{as_of} - {business_date_to}")


def trust_of_delivery() -> Any:
    """Of a delivery: what it published; nothing, if it published nothing."""
    rows = _ROWS + "where said.n is not null"
    return _trust("{publication_id}", "{delivery_id}", "{as_of} - {business_date_to}", rows=rows)
