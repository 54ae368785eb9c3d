"""Who used what of the API, and since when that is known: read from `governance.usage`.

It is counted in `fulcrum.graph.usage`. Which fields there are, the schema knows: the caller tells them.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

_READ = """
with used as materialized (
  select * from governance.usage where used_hour >= now() - make_interval(days => $1::int)
),
counted as materialized (  -- first by client and operation: the arrays below are then made of thousands, not millions
  select each.name, principal_name, operation_name, sum(each.times::bigint) as executions,
    max(last_used_at) as last_used_at
  from used, jsonb_each_text(field_counts) as each (name, times) group by 1, 2, 3
),
fields as (
  select name, sum(executions) as executions, max(last_used_at) as last_used_at,
    array_agg(distinct principal_name order by principal_name) as clients,
    array_agg(distinct coalesce(nullif(operation_name, ''), '(unnamed)')) as operations
  from counted group by name
),
operations as (
  select principal_name as client, operation_name as operation, document_sha256 as document,
    sum(executions) as executions, max(last_used_at) as last_used_at
  from used group by 1, 2, 3
),
clients as (
  select principal_name as client, sum(executions) as executions, max(last_used_at) as last_used_at,
    count(distinct (operation_name, document_sha256)) as operations
  from used group by 1
)
select json_build_object(
  'since', (select min(used_hour) from governance.usage),
  'fields', coalesce((select json_agg(f order by executions desc, name) from fields f), '[]'),
  'operations', coalesce((select json_agg(o order by executions desc, client, operation, document)
    from operations o), '[]'),
  'clients', coalesce((select json_agg(c order by executions desc, client) from clients c), '[]'))::text
"""
"""One row, one JSON: what was used in the last $1 days. Counts are executions of operations, not rows."""

KEPT_BY_HOUR = 7
"""Days; before them, a day is as fine as anybody asks."""

ADD_UP = """
on conflict (used_hour, principal_name, operation_name, document_sha256) do update set
  executions = held.executions + excluded.executions,
  last_used_at = greatest(held.last_used_at, excluded.last_used_at),
  field_counts = (
    select coalesce(jsonb_object_agg(name, times), '{}') from (
      select name, sum(times::bigint) as times from (
        select * from jsonb_each_text(held.field_counts)
        union all select * from jsonb_each_text(excluded.field_counts)) as either (name, times)
      group by name) as summed)
"""
"""How a row of counts is added to the one (`held`) that stands under its key."""

# Nobody writes to hours that are days ago, so nothing is lost between the two parts.
_TO_DAYS = """
with folded as (
  delete from governance.usage
   where used_hour < date_trunc('day', now() - make_interval(days => %s), 'UTC')
     and used_hour <> date_trunc('day', used_hour, 'UTC')
  returning *
),
days as (
  select date_trunc('day', used_hour, 'UTC') as used_hour, principal_name, operation_name, document_sha256,
    sum(executions) as executions, max(last_used_at) as last_used_at
  from folded group by 1, 2, 3, 4
),
fields as (
  select used_hour, principal_name, operation_name, document_sha256, jsonb_object_agg(name, times) as field_counts
  from (
    select date_trunc('day', used_hour, 'UTC') as used_hour, principal_name, operation_name, document_sha256,
      counted.name, sum(counted.times::bigint) as times
    from folded, jsonb_each_text(field_counts) as counted (name, times) group by 1, 2, 3, 4, 5) as summed
  group by 1, 2, 3, 4
)
insert into governance.usage as held
  (used_hour, principal_name, operation_name, document_sha256, executions, field_counts, last_used_at)
select used_hour, principal_name, operation_name, document_sha256, executions, coalesce(field_counts, '{}'),
  last_used_at
from days left join fields using (used_hour, principal_name, operation_name, document_sha256)
"""
_COMPACT = _TO_DAYS + ADD_UP
"""Hours older than so many days are added up to their days (which stand at their first hour)."""


def compact(connection: psycopg.Connection[Any], days: int = KEPT_BY_HOUR) -> None:
    """Keep the record small; the caller commits. It may be run as often as one likes."""
    connection.execute(_COMPACT, [days])


@dataclass(frozen=True)
class FieldUse:
    """A field of the schema, `Type.field`, and who asked for it; when last is exact to the hour, later to the day."""

    name: str
    executions: int
    last_used_at: dt.datetime
    clients: tuple[str, ...]
    operations: tuple[str, ...]


@dataclass(frozen=True)
class OperationUse:
    """An operation of a document of one client; `operation` may be empty, `document` is a SHA-256."""

    client: str
    operation: str
    document: str
    executions: int
    last_used_at: dt.datetime


@dataclass(frozen=True)
class ClientUse:
    """A client; `operations` is how many different ones it ran."""

    client: str
    executions: int
    last_used_at: dt.datetime
    operations: int


@dataclass(frozen=True)
class Usage:
    """What was used in some days; nothing is known of before `since` (None: nothing at all yet)."""

    since: dt.datetime | None
    fields: tuple[FieldUse, ...]
    operations: tuple[OperationUse, ...]
    clients: tuple[ClientUse, ...]

    def unused(self, known: Mapping[str, Collection[str]]) -> list[str]:
        """The fields of `known` (name -> other names of the same field) that nobody asked for."""
        used = {found.name for found in self.fields}
        return [name for name, others in known.items() if used.isdisjoint((name, *others))]


def read_usage(connection: psycopg.Connection[Any], days: int) -> Usage:
    """What was used in the last `days`."""
    row = psycopg.RawCursor(connection).execute(_READ, [days]).fetchone()
    assert row is not None
    found: Mapping[str, Any] = json.loads(row[0])
    since = found["since"]
    return Usage(
        None if since is None else dt.datetime.fromisoformat(since),
        tuple(FieldUse(**_plain(row)) for row in _rows(found, "fields")),
        tuple(OperationUse(**_plain(row)) for row in _rows(found, "operations")),
        tuple(ClientUse(**_plain(row)) for row in _rows(found, "clients")),
    )


def _rows(found: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = found[name]
    return rows


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return made | {"last_used_at": dt.datetime.fromisoformat(row["last_used_at"])}
