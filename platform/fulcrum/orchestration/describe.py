"""What the asset graph says of a feed or table: owners, kinds, column schemas, links, freshness.

Everything is derived from the contract or the model; nothing is declared a second time here.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
from typing import Any

import dagster as dg
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from fulcrum.contracts.model import FeedContract, FeedField
from fulcrum.errors import ContractError
from fulcrum.kit.documents import read_yaml
from fulcrum.settings import Settings
from fulcrum.warehouse.models import Base
from fulcrum.warehouse.targets import target

_DAILY_LAG_DAYS = 5
"""Feeds that are due later than a working week after their date (filings) do not come every day."""

_QUARTER = dt.timedelta(days=92)

_KINDS = {"delimited": "csv", "excel": "excel", "nport": "xml", "form13f": "xml", "ecb": "csv", "gleif": "json"}


def owner(name: str) -> str:
    """An owner in Dagster's words: a mail address, or `team:` and a name."""
    if "@" in name or name.startswith("team:"):
        return name
    return "team:" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def raw_description(contract: FeedContract) -> str:
    """The contract's own words, as Markdown."""
    sla = contract.sla
    parts = [
        f"**{contract.title}** ({contract.source}, version {contract.version}, {contract.status})",
        contract.purpose,
        contract.usage,
        f"*Limits:* {contract.limitations}" if contract.limitations else "",
        f"Due by {sla.due_time} {sla.time_zone}, {sla.lag_days} day(s) after the business date."
        + (f" From the business date {sla.first_date} on." if sla.first_date else ""),
        f"Publishes to `{contract.target}` ({contract.mode}).",
        f"Drop files into `inbox/{contract.feed}/`, or run `fulcrum ingest {contract.feed} FILE`.",
    ]
    return "\n\n".join(part for part in parts if part)


def raw_metadata(contract: FeedContract, settings: Settings) -> dict[str, Any]:
    """Column schema, contract, suite and links of a feed."""
    suite = contract.suite or contract.target.replace(".", "/")
    found: dict[str, Any] = {
        "dagster/column_schema": dg.TableSchema([_file_column(field) for field in contract.fields]),
        "contract": _contract_place(contract, settings),
        "suite": f"quality/suites/{suite}.yaml",
        "target": contract.target,
        "drop_folder": f"inbox/{contract.feed}",
        "unknown_instruments": contract.unknown_instruments,
    }
    if contract.file_pattern:
        found["file_pattern"] = contract.file_pattern
    if contract.support.startswith("http"):
        found["support"] = dg.MetadataValue.url(contract.support)
    elif contract.support:
        found["support"] = contract.support
    return found | api_link(settings)


def api_link(settings: Settings) -> dict[str, Any]:
    """Where the published data can be queried."""
    return {"graphql": dg.MetadataValue.url(f"{settings.site}/graphql")}


def raw_kinds(contract: FeedContract) -> set[str]:
    """The file format, and Parquet where the feed takes it too."""
    return {_KINDS[contract.reader]} | ({"parquet"} if contract.accepts_parquet else set())


def freshness(contract: FeedContract) -> dg.FreshnessPolicy:
    """The contract's SLA: a daily deadline on working days, or a quarter and the lag for filings."""
    sla = contract.sla
    if sla.lag_days > _DAILY_LAG_DAYS:
        return dg.FreshnessPolicy.time_window(fail_window=_QUARTER + dt.timedelta(days=sla.lag_days))
    hour, _, minute = sla.due_time.partition(":")
    weekdays = sorted((day + sla.lag_days) % 7 for day in range(1, 6))
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"{int(minute or 0)} {int(hour)} * * {','.join(map(str, weekdays))}",
        lower_bound_delta=dt.timedelta(hours=23),  # a day has 23 hours when clocks go forward
        timezone=sla.time_zone,
    )


def table_of(name: str) -> Table:
    """The SQLAlchemy table that takes the rows of `schema.table`."""
    try:
        return Base.metadata.tables[target(name).table]
    except ContractError:
        return Base.metadata.tables[name]


def table_description(name: str) -> str:
    """The model's docstring: of the entity, and of its versions where it has them."""
    table = table_of(name)
    names = {name, table.fullname}
    texts = [
        inspect.cleandoc(mapper.class_.__doc__ or "")
        for mapper in sorted(Base.registry.mappers, key=lambda mapper: mapper.local_table.fullname)  # type: ignore[attr-defined]
        if mapper.local_table.fullname in names  # type: ignore[attr-defined]
    ]
    return "\n\n".join(texts)


def table_metadata(name: str, settings: Settings) -> dict[str, Any]:
    """Column schema, table name and links of a table of the warehouse."""
    table = table_of(name)
    words = _contract_words(table, settings)
    columns = [_table_column(table, column.name, words.get(column.name, {})) for column in table.columns]
    return {
        "dagster/column_schema": dg.TableSchema(columns),
        "dagster/table_name": table.fullname,
    } | api_link(settings)


def _contract_place(contract: FeedContract, settings: Settings) -> str:
    extra = settings.contracts_extra
    if extra is not None and (extra / f"{contract.feed}.yaml").is_file():
        return f"{extra.name}/{contract.feed}.yaml (FULCRUM_CONTRACTS_EXTRA)"
    return f"schemas/contracts/raw/{contract.feed}.yaml"


def _file_column(field: FeedField) -> dg.TableColumn:
    staged = ", ".join(field.staged_as) or "not staged"
    header = f"Column {field.header!r} of the file." if field.header != field.name else ""
    where = f"Staged as {staged}." if field.staged_as != (field.name,) else ""
    return dg.TableColumn(
        name=field.name,
        type=field.logical_type.value,
        description=" ".join(part for part in (field.description, header, where) if part),
        constraints=dg.TableColumnConstraints(
            nullable=not field.is_required,
            other=[field.classification, *(["may be absent"] if field.may_be_absent else [])],
        ),
    )


def _contract_words(table: Table, settings: Settings) -> dict[str, dict[str, Any]]:
    """What the table's contract says of each column; a conformance test holds the two together."""
    path = settings.project / "schemas" / "contracts" / str(table.schema) / f"{table.name}.yaml"
    document = read_yaml(path.read_bytes())
    return {column["name"]: column for column in document["schema"][0]["properties"]}


def _table_column(table: Table, name: str, words: dict[str, Any]) -> dg.TableColumn:
    column = table.columns[name]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return dg.TableColumn(
        name=name,
        type=column.type.compile(dialect).lower(),
        description=words.get("description") or column.comment,
        constraints=dg.TableColumnConstraints(
            nullable=bool(column.nullable), other=[words["classification"]] if "classification" in words else []
        ),
    )
