"""Great Expectations' Data Docs of stored validations, as files that load nothing from another host.

Values of personal columns are in none of them; what became of a delivery otherwise is shown by the desk's pages.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fulcrum.contracts.model import FeedContract
from fulcrum.entitlements.classification import personal_columns
from fulcrum.errors import GateError

SAMPLES = 20
"""Refused values that a rule's result shows."""
TEMPLATES = Path(__file__).with_name("data_docs_templates")
_REPLACED = ("page.j2", "top_navbar.j2", "js_script_imports.j2", "favicon.j2", "page_action_card.j2", "cloud-footer.j2")

# The newest of each feed, and of each inspection that no file was for.
_NEWEST = """
select v.validation_id, v.suite_name, v.finished_at, v.engine_version, v.verdict, v.delivery_id, d.feed,
       coalesce(d.business_date_to, v.business_date) as business_date, v.subject
  from quality.validation v left join governance.delivery d using (delivery_id)
 where v.validation_id in (
       select max(x.validation_id) from quality.validation x left join governance.delivery y using (delivery_id)
        where %(deliveries)s::bigint[] is null or x.delivery_id = any(%(deliveries)s)
        group by case when %(deliveries)s::bigint[] is null then coalesce(y.feed, x.subject)
                      else x.delivery_id::text end)
 order by v.validation_id
"""
_RESULTS = """
select r.*, array(select q.value from quality.quarantined_row q
                   where q.delivery_id = %(delivery)s and q.rule_id = r.rule_id and q.value is not null
                   order by q.source_row, q.quarantined_row_id limit %(samples)s) as refused,
       array(select distinct q.column_name from quality.quarantined_row q
              where q.delivery_id = %(delivery)s and q.rule_id = r.rule_id) as refused_columns
  from quality.validation_result r where r.validation_id = %(validation)s
 order by array_position(array['critical', 'warning', 'info'], r.severity), r.rule_id
"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """One page that was written, and what it is about."""

    file: str
    title: str
    business_date: dt.date | None
    verdict: str
    rules: int


def build(
    connection: psycopg.Connection[Any],
    contracts: Mapping[str, FeedContract],
    classifications: Mapping[str, str],
    folder: Path,
    deliveries: Collection[int] | None = None,
) -> list[Page]:
    """Write a page and its JSON for the newest validation of each feed and inspection, or of these deliveries.

    Raises:
        GateError: there is no validation, or the folder cannot be written.
    """
    wanted = sorted(deliveries) if deliveries is not None else None
    found = _rows(connection, _NEWEST, {"deliveries": wanted})
    if not found:
        raise GateError("There is no validation to document.", remedy="Deliver a file first.")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read while it is being imported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fulcrum.quality import documented

    templates = {name: (TEMPLATES / name).read_text("utf-8") for name in _REPLACED}
    pages = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            values = {"validation": one["validation_id"], "delivery": one["delivery_id"], "samples": SAMPLES}
            rules = _shown(_rows(connection, _RESULTS, values), contracts.get(one["feed"] or ""), classifications, one)
            result = documented.as_suite_result(_about(one), rules)
            page = Page(f"{_name(one)}.html", _title(one), one["business_date"], one["verdict"], len(rules))
            (folder / page.file).write_text(documented.as_page(result, templates), "utf-8")
            plain = json.dumps(documented.as_json(result), sort_keys=True, indent=1, ensure_ascii=False)
            (folder / f"{_name(one)}.json").write_text(f"{plain}\n", "utf-8")
            pages.append(page)
        (folder / "index.html").write_text(_index(pages), "utf-8")
    except OSError as error:
        raise GateError(f"Data Docs cannot be written: {error.strerror}.", remedy="Choose another folder.") from error
    return pages


def _shown(
    rows: Sequence[Row], contract: FeedContract | None, classifications: Mapping[str, str], validation: Row
) -> list[Row]:
    personal, known = personal_columns(contract, classifications) if contract else (frozenset(), frozenset())
    is_told = validation["delivery_id"] is None or contract is not None  # of a feed without a contract nothing is known
    return [_rule(row, personal, known, is_told=is_told) for row in rows]


def _rule(row: Row, personal: Collection[str], known: Collection[str], *, is_told: bool) -> Row:
    columns = set(row["refused_columns"])
    is_plain = is_told and (not personal or (columns <= set(known) and not columns & set(personal)))
    named = [f"{subject}: {value}" for subject, value in row["result"].get("failed") or ()]
    message = row["message"] if row["status"] != "broken" or (is_told and not personal) else "The rule is broken."
    return {
        "kwargs": {
            "rule": row["rule_id"],
            "says": row["result"].get("says") or row["rule_id"],
            "judged_as": _judged_as(row),
            "status": row["status"],
        },
        "observed": _number(row["measured"], row["unit"]),
        "unexpected_count": row["rows_failed"],
        "unexpected": (row["refused"] or named)[:SAMPLES] if is_plain else [],
        "message": message.removeprefix(row["result"].get("says") or "").strip(),
        "exception": message if row["status"] == "broken" else None,
    }


def _judged_as(row: Row) -> str:
    said = [f"version {row['rule_version']}", row["dimension"], row["severity"], row["owner"]]
    threshold = _number(row["threshold"], row["unit"])
    return ", ".join([*said, f"tolerance {threshold}"] if threshold else said)


def _number(value: Decimal | None, unit: str | None) -> str | None:
    return None if value is None else f"{value:f} {unit or ''}".strip()


def _about(one: Row) -> Row:
    return {
        "suite": one["suite_name"],
        "asset": html.escape(one["feed"] or one["subject"]),
        "run": _title(one),
        "at": one["finished_at"].astimezone(dt.UTC).isoformat(),
        "engine": one["engine_version"].removeprefix("great_expectations "),
    }


def _title(one: Row) -> str:
    about = f"{one['feed']}, delivery {one['delivery_id']}" if one["delivery_id"] is not None else one["subject"]
    return html.escape(f"{about}, {one['business_date'] or 'no date'}")


def _name(one: Row) -> str:
    return f"validation-{one['validation_id']}"


def _index(pages: Sequence[Page]) -> str:
    lines = "\n".join(
        f'<tr><td><a href="{page.file}">{page.title}</a></td><td>{page.verdict}</td><td>{page.rules}</td></tr>'
        for page in pages
    )
    return (TEMPLATES / "index.html").read_text("utf-8").replace("{lines}", lines)


def _rows(connection: psycopg.Connection[Any], statement: str, values: Row) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), values).fetchall()
