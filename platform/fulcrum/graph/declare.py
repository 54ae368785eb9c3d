"""The words in which `schemas/entities/` binds GraphQL fields to columns and relations.

Nothing is compiled or resolved here; a declaration only records what the compiler will need.

SQL templates name columns of the surrounding row in braces (`{portfolio_id}`), and `{as_of}` and
`{version}` for the business date and the publication of the operation. Templates are written by us;
values of requests are always bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

import strawberry

from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.entitlements.rights import Permission
from fulcrum.graph.sources import Source, Versioned

METADATA = "fulcrum"


class At(StrEnum):
    """Which business dates of a fact a relation shows."""

    AS_OF = "as_of"
    """The operation's business date only."""
    UNTIL = "until"
    """Every date up to it: a history."""
    LATEST = "latest"
    """The last date up to it, one row."""
    ANY = "any"
    """Whatever the join columns say."""


@dataclass(frozen=True)
class Column:
    """A scalar: a column of the entity's rows, or an SQL template over them.

    `currency` is the column of the same row that holds the currency of an amount. `shows` names the
    column (schema.table.column) that a template gives, where that is classified.
    """

    name: str | None = None
    sql: str | None = None
    is_filterable: bool = False
    is_sortable: bool = False
    is_searchable: bool = False
    is_dimension: bool = False
    is_aggregatable: bool = False
    currency: str | None = None
    shows: str | None = None
    needs: Permission | None = None


@dataclass(frozen=True)
class Argument:
    """An argument that templates of a relation take: `{argument_<name>}`, bound; null if not given.

    `kind` is a scalar, a one-of input (its field `b` of argument `a` is `{argument_a_b}`), or an enum
    that chooses among `Relation.choices`.
    """

    kind: Any
    description: str
    is_required: bool = True


@dataclass(frozen=True)
class Relation:
    """Rows of another entity, joined by `on` (its column: our column or template), or by `rows`.

    `among` is for rows whose column is one of those that a select gives. `order` lists columns, `-`
    in front for descending; it must end in what makes rows unique. `choices` holds one `rows` per
    value of the enum among the `arguments`. `shows` names columns (schema.table.column) that a template
    computes with; whoever may not read them is refused. `under` writes `rows` under the valuation policy.
    """

    on: Mapping[str, str] = field(default_factory=dict)
    at: At = At.AS_OF
    order: tuple[str, ...] = ()
    rows: str | None = None
    under: Callable[[ValuationPolicy], str] | None = None
    is_narrow: bool = False
    among: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    needs: Permission | None = None
    is_filterable: bool = False
    is_dimension: bool = False
    shows: tuple[str, ...] = ()
    rests_on: str | None = None
    """Of the relation that tells an object's trust: a template of the publications (an array) that it rests on."""

    @property
    def is_joined(self) -> bool:
        """Whether its rows are all those of a table whose columns equal ours."""
        return self.rows is None and not self.choices and not self.arguments and self.at is not At.LATEST


@dataclass(frozen=True)
class Lookup:
    """One row of an entity, found by arguments: argument name -> condition with `{value}`.

    The ways in `short` are arguments of their own beside the one-of input `argument`. `reads` names,
    for ways whose template looks into another table, the column (schema.table.column) that it compares.
    """

    by: Mapping[str, str]
    argument: type | None = None
    short: tuple[str, ...] = ()
    reads: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """An object without rows of its own; its fields are templates over the surrounding row.

    `shows` names columns (schema.table.column) of other tables that the templates give.
    """

    templates: Mapping[str, str]
    shows: tuple[str, ...] = ()
    rests_on: str | None = None
    """Of the group that explains an object without a trust of its own: as `Relation.rests_on`."""


@dataclass(frozen=True)
class GlobalId:
    """The `id` of a node."""


@dataclass(frozen=True)
class NodeLookup:
    """`node(id:)`: one row of whichever entity the identifier names."""


@dataclass(frozen=True)
class NodesLookup:
    """`nodes(ids:)`: rows of whichever entities the identifiers name, in their order."""


Declaration = Column | Relation | Lookup | Group | GlobalId | NodeLookup | NodesLookup


@dataclass(frozen=True)
class Entity:
    """An entity type and where its rows come from."""

    name: str
    type: type
    source: Source
    keys: Mapping[str, str] = field(default_factory=dict)
    """Fields besides `id` that name a row: GraphQL name -> condition with `{value}`."""
    needs: Permission | None = None
    """Without it no row is shown, counted or found, on whatever way."""


_entities: dict[str, Entity] = {}
T = TypeVar("T", bound=type)


def entity(source: Source, *, needs: Permission | None = None, **keys: str) -> Callable[[T], T]:
    """Make a class the entity that reads `source`; its docstring becomes the description.

    `keys` are fields of text besides `id` and `code` by which other subgraphs may refer to it.
    """
    if isinstance(source, Versioned):
        keys = {"code": f"{{{source.code_column}}} = {{value}}"} | keys

    def declared(cls: T) -> T:
        described = strawberry.type(cls, description=_first_paragraph(cls))
        _entities[cls.__name__] = Entity(cls.__name__, described, source, keys, needs)
        return described

    return declared


def entities() -> Mapping[str, Entity]:
    """Every entity declared so far, by name."""
    return _entities


def plain(cls: T) -> T:
    """Make a class an object type whose rows come from the relation that leads to it."""
    return strawberry.type(cls, description=_first_paragraph(cls))


def column(  # noqa: PLR0913 - a declaration says everything in one place
    name: str | None = None,
    description: str | None = None,
    *,
    sql: str | None = None,
    is_filterable: bool = False,
    is_sortable: bool = False,
    is_searchable: bool = False,
    is_dimension: bool = False,
    is_aggregatable: bool = False,
    currency: str | None = None,
    shows: str | None = None,
    needs: Permission | None = None,
) -> Any:
    """A scalar field: the column `name` (default: the field's own name) or an SQL template.

    Without a description it takes the comment of the table's column. `is_searchable` (with
    `is_filterable`) offers `contains` and `search`, `is_dimension` grouping, `is_aggregatable` sums,
    minima and so on; `currency` names the column with the currency of an amount.
    """
    return _field(
        Column(
            name,
            sql,
            is_filterable,
            is_sortable,
            is_searchable,
            is_dimension,
            is_aggregatable,
            currency,
            shows,
            needs,
        ),
        description,
    )


def relation(  # noqa: PLR0913 - one word each, all optional
    description: str,
    *,
    on: Mapping[str, str] | None = None,
    at: At = At.AS_OF,
    order: tuple[str, ...] = (),
    rows: str | Mapping[str, str] | Callable[[ValuationPolicy], str] | None = None,
    is_narrow: bool = False,
    among: Mapping[str, str] | None = None,
    arguments: Mapping[str, Argument] | None = None,
    is_filterable: bool = False,
    is_dimension: bool = False,
    shows: tuple[str, ...] = (),
    rests_on: str | None = None,
) -> Any:
    """Rows of another entity; the field's type says whether one, a list, or a `Connection`.

    `is_narrow` is for `At.LATEST`: the field then takes a `where`. `rows` may be one template for
    each value of an enum argument, or be written under the valuation policy. `is_filterable` lets conditions
    reach through it, `is_dimension` (of a to-one) groupings by the dimensions of the other entity.
    """
    one = rows if isinstance(rows, str) else None
    under = rows if callable(rows) else None
    choices = rows if isinstance(rows, Mapping) else {}
    made = Relation(on or {}, at, order, one, under, is_narrow, among or {}, arguments or {}, choices)
    marked = replace(made, is_filterable=is_filterable, is_dimension=is_dimension, shows=shows, rests_on=rests_on)
    return _field(marked, description)


def lookup(
    description: str,
    *,
    argument: type | None = None,
    short: tuple[str, ...] = (),
    reads: Mapping[str, str] | None = None,
    **by: str,
) -> Any:
    """One row by arguments; with `argument`, a one-of input type whose fields are those of `by`."""
    return _field(Lookup(by, argument, short, reads or {}), description)


def group(description: str, *, shows: tuple[str, ...] = (), rests_on: str | None = None, **templates: str) -> Any:
    """An object whose fields are templates over the surrounding row."""
    return _field(Group(templates, shows, rests_on), description)


def global_id(description: str) -> Any:
    """The identifier that `node(id:)` takes."""
    return _field(GlobalId(), description)


def node_lookup(description: str) -> Any:
    """One row of any entity by its `id`."""
    return _field(NodeLookup(), description)


def nodes_lookup(description: str) -> Any:
    """Rows of any entities by their `id`s."""
    return _field(NodesLookup(), description)


def supplied(description: str) -> Any:
    """A field of a grouped object; the entity that holds the group supplies its template."""
    return strawberry.field(description=description)


def _field(declaration: Declaration, description: str | None) -> Any:
    return strawberry.field(description=description, metadata={METADATA: declaration})


def _first_paragraph(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())
