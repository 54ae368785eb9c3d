"""Where the rows of an entity come from, and how each kind of table keeps time.

`Rows` is one occurrence of a source in a statement; what is selected from it is the compiler's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from fulcrum.warehouse.models import Base
from fulcrum.warehouse.reads import valid, visible

VERSION, AS_OF = "clock.n", "clock.as_of"
"""Columns of `clock`, the one row around every statement; as sub-selects they cost a point query a tenth more."""

_PLACE = re.compile(r"\{(\w+)\}")
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def render(template: str, ref: Callable[[str], str]) -> str:
    """Fill the braces of a template; `ref` gives the SQL of a column."""
    special = {"version": VERSION, "as_of": AS_OF}
    return _PLACE.sub(lambda found: special.get(found[1]) or ref(found[1]), template)


def places(template: str) -> list[str]:
    """The columns that a template names."""
    return _PLACE.findall(template)


@dataclass(frozen=True)
class ColumnFacts:
    """What the models know of a column."""

    sql_type: str
    is_nullable: bool
    comment: str | None
    path: str = ""
    """schema.table.column: how its contract and the policy call it."""


class Rows(Protocol):
    """One occurrence of a source in a statement, under its own alias."""

    def ref(self, column: str) -> str:
        """The SQL of one of its columns."""

    def from_sql(self) -> str:
        """What follows `from`; to be asked after every `ref`."""

    def conditions(self) -> list[str]:
        """What makes a row known and valid."""


class Source(Protocol):
    """A table, or a pair of them, that entities are read from."""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row among those known at one publication."""

    @property
    def order(self) -> tuple[str, ...]:
        """The default order of lists; unique."""

    @property
    def columns(self) -> Mapping[str, ColumnFacts]:
        """Its columns; nullable as they are seen through the source."""

    @property
    def is_fact(self) -> bool:
        """Whether its rows have a business date."""

    def rows(self, alias: str, *, must_exist: bool) -> Rows:
        """An occurrence; `must_exist` leaves out identities about which nothing is stated."""


def column_facts(table: Table) -> dict[str, ColumnFacts]:
    """The columns of a model's table."""
    return {
        found.name: ColumnFacts(
            found.type.compile(_DIALECT).lower(), bool(found.nullable), found.comment, f"{table.fullname}.{found.name}"
        )
        for found in table.columns
    }


def _table(model: type[Base]) -> Table:
    table: Any = model.__table__
    return table  # type: ignore[no-any-return]


class Versioned:
    """Identity rows with dated versions.

    A look-up or a to-one relation finds the identity even where nothing is stated for the day (its
    attributes are null then); lists hold only what is stated for the day.
    """

    is_fact = False

    def __init__(self, identity: type[Base], version: type[Base]) -> None:
        self.identity, self.version = _table(identity), _table(version)
        self.id_column = f"{self.identity.name}_id"
        self.code_column = f"{self.identity.name}_code"
        self.key = (self.id_column,)
        self.order = (self.code_column,)
        stated = {name: replace(facts, is_nullable=True) for name, facts in column_facts(self.version).items()}
        self.columns: Mapping[str, ColumnFacts] = stated | column_facts(self.identity)

    def rows(self, alias: str, *, must_exist: bool) -> Rows:
        """An occurrence; the version is joined only if one of its columns is asked for."""
        return _VersionedRows(self, alias, must_exist=must_exist)

    def stated(self, alias: str) -> Rows:
        """An occurrence of what is stated alone, for where neither the code nor an unstated identity matters."""
        return _TableRows(self.version, f"{alias}v", [visible(f"{alias}v", VERSION), valid(f"{alias}v", AS_OF)])


class _VersionedRows:
    def __init__(self, source: Versioned, alias: str, *, must_exist: bool) -> None:
        self.source, self.alias = source, alias
        self.must_exist = must_exist
        self.is_joined = must_exist

    def ref(self, column: str) -> str:
        if column in self.source.identity.columns:
            return f"{self.alias}.{column}"
        self.is_joined = True
        return f"{self.alias}v.{column}"

    def from_sql(self) -> str:
        first = f"{self.source.identity.fullname} {self.alias}"
        if not self.is_joined:
            return first
        second, key = f"{self.alias}v", self.source.id_column
        join = "join" if self.must_exist else "left join"
        return (
            f"{first} {join} {self.source.version.fullname} {second} on {second}.{key} = {self.alias}.{key}"
            f" and {visible(second, VERSION)} and {valid(second, AS_OF)}"
        )

    def conditions(self) -> list[str]:
        return [f"{self.alias}.created_in <= {VERSION}"]


class Fact:
    """A published table whose rows belong to a business date."""

    is_fact = True

    def __init__(self, model: type[Base], *, order: tuple[str, ...] = ()) -> None:
        self.table = _table(model)
        self.key = tuple(part.name for part in self.table.primary_key.columns if part.name != "published_in")
        self.order = order or self.key
        self.columns: Mapping[str, ColumnFacts] = column_facts(self.table)

    def rows(self, alias: str, *, must_exist: bool) -> Rows:  # noqa: ARG002 - a fact always states something
        """An occurrence."""
        return _TableRows(self.table, alias, [visible(alias, VERSION)])


class Dated:
    """A published table whose rows hold for a period: identifiers."""

    is_fact = False

    def __init__(self, model: type[Base], *, order: tuple[str, ...]) -> None:
        self.table = _table(model)
        self.key = tuple(part.name for part in self.table.primary_key.columns if part.name != "published_in")
        self.order = order
        self.columns: Mapping[str, ColumnFacts] = column_facts(self.table)

    def rows(self, alias: str, *, must_exist: bool) -> Rows:  # noqa: ARG002 - as for facts
        """An occurrence."""
        return _TableRows(self.table, alias, [visible(alias, VERSION), valid(alias, AS_OF)])


class Log:
    """A table of `governance` that only grows; `known` is the condition for being known yet."""

    is_fact = False

    def __init__(self, model: type[Base], *, key: str, known: str, order: tuple[str, ...]) -> None:
        self.table = _table(model)
        self.key, self.known, self.order = (key,), known, order
        self.columns: Mapping[str, ColumnFacts] = column_facts(self.table)

    def rows(self, alias: str, *, must_exist: bool) -> Rows:  # noqa: ARG002 - as for facts
        """An occurrence."""
        return _TableRows(self.table, alias, [render(self.known, lambda column: f"{alias}.{column}")])


class _TableRows:
    def __init__(self, table: Table, alias: str, conditions: list[str]) -> None:
        self.table, self.alias, self._conditions = table, alias, conditions

    def ref(self, column: str) -> str:
        return f"{self.alias}.{self.table.columns[column].name}"

    def from_sql(self) -> str:
        return f"{self.table.fullname} {self.alias}"

    def conditions(self) -> list[str]:
        return list(self._conditions)


class Versions:
    """Everything that was ever stated of the rows of another source, by publication."""

    is_fact = False

    def __init__(self, of: Versioned | Fact) -> None:
        self.table = of.version if isinstance(of, Versioned) else of.table
        self.key = tuple(part.name for part in self.table.primary_key.columns)
        self.order = tuple(f"-{name}" for name in reversed(self.key))
        self.columns: Mapping[str, ColumnFacts] = column_facts(self.table)

    def rows(self, alias: str, *, must_exist: bool) -> Rows:  # noqa: ARG002 - as for facts
        """An occurrence; superseded rows are in it."""
        return _TableRows(self.table, alias, [f"{alias}.published_in + 0 <= {VERSION}"])


class Derived:
    """Rows that a template makes: its own, or that of the relation that leads to them.

    `columns` are its output: name -> SQL type, `?` behind for what may be null.
    """

    is_fact = False

    def __init__(self, *, order: tuple[str, ...], columns: Mapping[str, str], sql: str | None = None) -> None:
        self.order, self.sql = order, sql
        self.key = tuple(name.removeprefix("-") for name in order)
        self.columns: Mapping[str, ColumnFacts] = {
            name: ColumnFacts(kind.removesuffix("?"), kind.endswith("?"), None) for name, kind in columns.items()
        }

    def rows(self, alias: str, *, must_exist: bool) -> Rows:  # noqa: ARG002 - as for facts
        """An occurrence.

        Raises:
            LookupError: only the relations that lead to it have templates.
        """
        if self.sql is None:
            raise LookupError("These rows are made by a relation's template.")
        return QueryRows(self.sql, alias, _no_row)


def _no_row(column: str) -> str:
    raise LookupError(f"There is no surrounding row with {column}.")


class QueryRows:
    """Rows of a template over the surrounding row; time is the template's own business."""

    def __init__(self, template: str, alias: str, parent: Callable[[str], str]) -> None:
        self.alias = alias
        self.sql = render(template, parent)

    def ref(self, column: str) -> str:
        """One of the template's output columns."""
        return f"{self.alias}.{column}"

    def from_sql(self) -> str:
        """The template as a derived table."""
        return f"({self.sql}) {self.alias}"

    def conditions(self) -> list[str]:
        """None: the template says it all."""
        return []
