"""Small statements, one per level: rows of one kind for a batch of surrounding rows.

A statement sees the surrounding rows as `parent_`, and the operation's time as `clock`, which the templates of
declarations name. Filters stand in `conditions.py`, pages in `listing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from strawberry.types.base import StrawberryOptional
from strawberry.utils.str_converters import to_camel_case

from fulcrum.graph.binding import SQL_TYPES, BoundField
from fulcrum.graph.compiler.values import as_text
from fulcrum.graph.declare import Argument, At, Column, Relation
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.ordinary.rows import Item, as_key, sent
from fulcrum.graph.ordinary.session import Clock
from fulcrum.graph.sources import AS_OF, QueryRows, Rows, Source, places, render

Ref = Callable[[str], str]
Key = tuple[Hashable, ...]
GIVEN = "argument_"
_SPECIAL = ("as_of", "version", "value")


class Sql:
    """One statement in the making: its values, and names that it does not use yet."""

    def __init__(self, clock: Clock) -> None:
        self.values: list[str | None] = [str(clock.version), clock.as_of.isoformat()]
        self._aliases = 0

    def bind(self, value: Any, sql_type: str) -> str:
        """The place of a value of the request.

        Raises:
            BadUserInputError: PostgreSQL has no such value.
        """
        text = None if value is None else as_text(value)
        try:
            (text or "").encode()
        except UnicodeEncodeError:
            raise BadUserInputError("A text is not valid Unicode.", remedy="Remove lone surrogates.") from None
        self.values.append(text)
        return f"${len(self.values)}::{sql_type}"

    def alias(self) -> str:
        """A table alias."""
        self._aliases += 1
        return f"of_{self._aliases}"

    def finished(self, select: str, beside: str = "") -> str:
        """The whole statement; `beside` the clock may stand what else is named in it."""
        clock = f"(select $1::bigint as n, $2::date as as_of) clock{beside}"
        return f"select found_.* from {clock}, lateral ({select}) found_"


@dataclass(frozen=True)
class Link:
    """How rows of `child` hang on a surrounding row: a relation with its arguments, choices made."""

    child: str
    declaration: Relation
    given: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    """Values and SQL types of its own arguments, by their place in templates."""

    @property
    def needed(self) -> list[str]:
        """The columns of the surrounding row that it looks at."""
        declaration = self.declaration
        if declaration.rows is not None:
            return needed([declaration.rows])
        ours = [f"{{{name}}}" if "{" not in name else name for name in declaration.on.values()]
        return needed([*ours, *declaration.among.values()])


def needed(templates: Sequence[str]) -> list[str]:
    """The columns that templates look at, each once."""
    found = dict.fromkeys(name for template in templates for name in places(template))
    return [name for name in found if name not in _SPECIAL and not name.startswith(GIVEN)]


def linked(bound: BoundField, declaration: Relation, arguments: Mapping[str, Any]) -> Link:
    """A relation as it was asked for."""
    given: dict[str, tuple[Any, str]] = {}
    for name, argument in declaration.arguments.items():
        value = arguments.get(to_camel_case(name))
        if declaration.choices:
            declaration = replace(declaration, rows=declaration.choices[name_of(value)])
        elif argument.kind in SQL_TYPES:
            given[GIVEN + name] = (value, SQL_TYPES[argument.kind])
        else:
            given |= _parts(name, argument, value or {})
    return Link(bound.child or "", declaration, given)


def _parts(name: str, argument: Argument, value: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    found = {}
    for part in argument.kind.__strawberry_definition__.fields:
        inner = part.type.of_type if isinstance(part.type, StrawberryOptional) else part.type
        shown = part.graphql_name or to_camel_case(part.python_name)
        found[f"{GIVEN}{name}_{part.python_name}"] = (value.get(shown), SQL_TYPES[inner])
    return found


def name_of(value: Any) -> str:
    """The name of an enum's value."""
    return str(getattr(value, "name", value))


@dataclass
class Parents:
    """The surrounding rows of a statement."""

    sql: Sql
    names: list[str]
    types: Mapping[str, str]
    keys: list[Key]
    given: Mapping[str, tuple[Any, str]] = field(default_factory=dict)

    def ref(self, column: str) -> str:
        """A column of a surrounding row, or an argument."""
        if column in self.given:
            return self.sql.bind(*self.given[column])
        return f'parent_."{column}"'

    def from_sql(self) -> str:
        """What gives them."""
        typed = "".join(f', "{name}" {self.types[name]}' for name in self.names)
        return f"json_to_recordset({self.sql.bind(sent(self.keys, self.names), 'json')}) as parent_(nth int{typed})"


def key_of(item: Item, names: Sequence[str]) -> Key:
    """What a loader knows a surrounding row by."""
    return tuple(as_key(item.values[name]) for name in names)


def opened(source: Source | None, link: Link, parents: Parents, *, must_exist: bool) -> tuple[Rows, list[str]]:
    """An occurrence of the rows that a link leads to, and what ties them to `parents` and to time."""
    alias, declaration = parents.sql.alias(), link.declaration
    if declaration.rows is not None:
        return QueryRows(declaration.rows, alias, parents.ref), []
    assert source is not None
    rows = source.rows(alias, must_exist=must_exist)
    return rows, tied(source, declaration, rows, parents.ref)


def tied(source: Source, declaration: Relation, rows: Rows, parent: Ref) -> list[str]:
    """What ties rows to a surrounding one, to the publication and to the business date."""
    made = []
    for column, ours in declaration.on.items():
        made.append(f"{rows.ref(column)} = {render(ours, parent) if '{' in ours else parent(ours)}")
    for column, ours in declaration.among.items():
        made.append(f"{rows.ref(column)} in ({render(ours, parent)})")
    if source.is_fact and declaration.at is At.AS_OF:
        made.append(f"{rows.ref('business_date')} = {AS_OF}")
    elif source.is_fact and declaration.at is not At.ANY:
        made.append(f"{rows.ref('business_date')} <= {AS_OF}")
    return made + rows.conditions()


def listed(source: Source | None, link: Link, rows: Rows) -> str:
    """All columns of the rows of a link."""
    if link.declaration.rows is not None or source is None:
        return f"{rows.from_sql().rpartition(' ')[2]}.*"
    return ", ".join(f'{rows.ref(name)} as "{name}"' for name in source.columns)


def scalar(bound: BoundField, ref: Ref) -> str:
    """The SQL of a column or template."""
    assert isinstance(bound.declaration, Column)
    if bound.declaration.sql is None:
        return ref(bound.declaration.name or bound.python_name)
    return f"({render(bound.declaration.sql, ref)})"


def latest(source: Source, declaration: Relation, ref: Ref) -> str:
    """The order in which the wanted row of `At.LATEST` is first."""
    rest = [part for part in declaration.order or source.key if part.removeprefix("-") != "business_date"]
    return ordered(["-business_date", *rest], ref)


def ordered(columns: Sequence[str], ref: Ref) -> str:
    """Columns, `-` in front for descending, as an order."""
    return ", ".join(ref(name.removeprefix("-")) + (" desc" if name.startswith("-") else "") for name in columns)


def every_parent(parents: Parents, select: str) -> str:
    """The rows of `select` for each surrounding row, in their order, numbered by the row that they surround."""
    numbered = f"select s.*, row_number() over () as place_ from ({select}) s"
    joined = f"{parents.from_sql()} cross join lateral ({numbered}) c"
    return parents.sql.finished(f"select parent_.nth, c.* from {joined} order by parent_.nth, c.place_")


def where(conditions: Sequence[str]) -> str:
    """A `where`, if there are conditions."""
    return f" where {' and '.join(conditions)}" if conditions else ""
