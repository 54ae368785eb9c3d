"""The word in which a subscription's root field is declared, and the SQL that finds its next events.

Events are rows with numbers in commit order, so "after the last one I saw" leaves nothing out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from fulcrum.graph.declare import METADATA
from fulcrum.graph.scalars import BigInt
from fulcrum.warehouse.models import Base

MOST_AT_ONCE = 100

PROTECTED = b"""
select coalesce(json_agg(n.nspname || '.' || c.relname), '[]')::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relrowsecurity and not c.relispartition and n.nspname in ('core', 'mart')
"""
"""One row: the tables whose rows are protected, as a JSON list."""

_WHOLE_HOUSE = (
    "exists (select from governance.row_scope where is_whole_house"
    " and scope_id = nullif(current_setting('fulcrum.scope', true), '')::bigint)"
)


@dataclass(frozen=True)
class Stream:
    """Events of one kind: rows of `table`, numbered by `key`, each shown at the data version `version`.

    `filters` are arguments (lists of text) by column, `flags` arguments (yes or no) by condition.
    `changed` is the column that names the table which an event changed: where that is protected, a
    caller of some rows hears of the event only if one of those rows came or went with it.
    """

    entity: str
    channel: str
    table: str
    key: str
    version: str
    since: str
    filters: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    changed: str | None = None


def stream(description: str, declared: Stream) -> Any:
    """A root field of the subscriptions."""
    return strawberry.field(description=description, metadata={METADATA: declared})


def attach_arguments(subscription: type) -> dict[str, Stream]:
    """Give the fields of the root their arguments; the streams by their GraphQL names."""
    found: dict[str, Stream] = {}
    definition: Any = subscription.__strawberry_definition__  # type: ignore[attr-defined]
    for each in definition.fields:
        declared = each.metadata[METADATA]
        each.arguments = [
            _argument(declared.since, BigInt, "Begin after this number, and miss nothing since; else with the next."),
            *(_argument(name, list[str], "Only these.") for name in declared.filters),
            *(_argument(name, bool, "Only such.") for name in declared.flags),
        ]
        found[each.graphql_name or _camel(each.python_name)] = declared
    return found


def _argument(name: str, annotation: Any, description: str) -> StrawberryArgument:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    kind = StrawberryAnnotation(annotation | None)
    return StrawberryArgument(snake, name, kind, description=description, default=strawberry.UNSET)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def next_sql(declared: Stream, protected: Collection[str]) -> str:
    """One row: the last number there is, and the next events after `$1` (none, if null) as [number, version].

    `$2` and on are the filters, then the flags, in their order; null: not given.
    """
    conditions = [f"e.{declared.key} > $1::bigint", f"e.{declared.key} <= (select n from head)"]
    for place, column in enumerate(declared.filters.values(), 2):
        conditions.append(f"(${place}::text[] is null or e.{column} = any(${place}::text[]))")
    for place, condition in enumerate(declared.flags.values(), 2 + len(declared.filters)):
        conditions.append(f"(not coalesce(${place}::boolean, false) or {condition})")
    if declared.changed is not None:
        conditions.append(_changed_for_caller(declared, protected))
    return (
        f"with head as materialized (select coalesce(max({declared.key}), 0) as n from {declared.table})"
        " select (select n from head)::text, array_to_json(array("
        f"select json_build_array(e.{declared.key}, {declared.version}) from {declared.table} e"
        f" where {' and '.join(conditions)} order by e.{declared.key} limit {MOST_AT_ONCE}))::text"
    )


def _changed_for_caller(declared: Stream, protected: Collection[str]) -> str:
    cases = []
    for target in sorted({name.removesuffix("_version").removesuffix("_identifier") for name in protected}):
        tables = [name for name in (target, f"{target}_version", f"{target}_identifier") if name in protected]
        seen = [_has_row(name, declared) for name in tables if "published_in" in Base.metadata.tables[name].columns]
        cases.append(f"when '{target}' then {' or '.join(seen) or 'false'}")
    if not cases:
        return "true"
    return f"({_WHOLE_HOUSE} or case e.{declared.changed} {' '.join(cases)} else true end)"


def _has_row(table: str, declared: Stream) -> str:
    """Row-level security leaves in `table` what the caller may see."""
    dated = ""
    if "business_date" in Base.metadata.tables[table].columns:
        dated = " and x.business_date between e.business_date_from and e.business_date_to"
    return (
        f"exists (select from {table} x where (x.published_in = e.{declared.key}"
        f" or x.superseded_in = e.{declared.key}){dated})"
    )
