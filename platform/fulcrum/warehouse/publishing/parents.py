"""Which parents a target's rows name, the map table of each, and the SQL that joins them.

A map table holds the distinct names that a staged delivery uses (`''` for null) and what each
resolves to. Filling the maps is `lookup` and `instruments`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg import sql

from fulcrum.errors import ContractError
from fulcrum.warehouse.publishing.identifiers import naming_columns
from fulcrum.warehouse.publishing.inputs import PublishedFeed, StagedRows
from fulcrum.warehouse.targets import Target, target


@dataclass(frozen=True)
class Parent:
    """One surrogate column of the target and how staged rows name it.

    `column` is the target's column (`portfolio_id`), `id_column` the one of the map (for
    `parent_portfolio_id` also `portfolio_id`). `is_registered`: an unknown name is registered by
    publishing; `is_required`: a row without the name cannot be published; `is_lenient`: an unknown
    name leaves the column null (an LEI that no issuer feed brought yet).
    """

    column: str
    entity: str
    named_by: tuple[str, ...]
    map_table: str
    is_registered: bool
    is_required: bool
    is_lenient: bool = False

    @property
    def id_column(self) -> str:
        """The map's column that holds the surrogate key."""
        return f"{self.entity}_id"

    @property
    def alias(self) -> str:
        """The name under which the map is joined."""
        return f"to_{self.column}"

    @property
    def is_instrument(self) -> bool:
        """Whether the name is a tuple of identifiers that may change its meaning with the date."""
        return self.entity == "instrument"

    @property
    def map(self) -> sql.Composable:
        """The map table, quoted."""
        return table_of(self.map_table)


@dataclass(frozen=True)
class Resolution:
    """Every parent of a staged delivery, resolved as far as the warehouse knows it.

    Each `parent.map_table` has the columns `parent.named_by`, `parent.id_column` (null: unknown),
    `is_known` (found, or publishing will register it), `row_count` and `source_row` (the first row
    that uses the name); an instrument's also `date_from` and `date_to`, both inclusive.
    """

    table: str
    parents: tuple[Parent, ...]
    messages: list[str] = field(default_factory=list)

    def parent(self, column: str) -> Parent | None:
        """The parent behind the target's `column`, or None where the feed does not name it."""
        return next((parent for parent in self.parents if parent.column == column), None)

    def join(self, parent: Parent, rows: str = "s") -> sql.Composed:
        """`left join <map> as to_<column> on ...`, one map row for each row of alias `rows`."""
        conditions = [
            sql.SQL("coalesce({}, '') = {}").format(sql.Identifier(rows, name), sql.Identifier(parent.alias, name))
            for name in parent.named_by
        ]
        if parent.is_instrument:
            conditions.append(
                sql.SQL("{} between {} and {}").format(
                    sql.Identifier(rows, "business_date"),
                    sql.Identifier(parent.alias, "date_from"),
                    sql.Identifier(parent.alias, "date_to"),
                )
            )
        return sql.SQL("left join {} as {} on {}").format(
            parent.map, sql.Identifier(parent.alias), sql.SQL(" and ").join(conditions)
        )

    def joins(self, rows: str = "s") -> sql.Composable:
        """The joins of every parent."""
        return sql.SQL(" ").join(self.join(parent, rows) for parent in self.parents)

    def key(self, parent: Parent) -> sql.Composable:
        """The surrogate key of a joined parent."""
        return sql.Identifier(parent.alias, parent.id_column)

    def unresolved(self, column: str) -> sql.Composed:
        """A query of `(source_row, value)`: rows whose parent is not known and will not be registered.

        Raises:
            KeyError: the feed does not name this parent.
        """
        parent = self.parent(column)
        if parent is None:
            raise KeyError(column)
        names = sql.SQL(", ").join(
            sql.SQL("nullif({}, '')").format(sql.Identifier(parent.alias, name)) for name in parent.named_by
        )
        return sql.SQL("select s.source_row, concat_ws(' ', {}) as value from {} as s {} where not {}.is_known").format(
            names, table_of(self.table), self.join(parent), sql.Identifier(parent.alias)
        )


def table_of(name: str) -> sql.Identifier:
    """`schema.table` as a quoted identifier."""
    return sql.Identifier(*name.split(".", 1))


def parents_of(contract: PublishedFeed, staged: StagedRows) -> tuple[Parent, ...]:
    """The parents that the rows of `staged` name, instruments last.

    Raises:
        ContractError: a parent that the target's key needs is named by no staged column.
    """
    wanted = target(contract.target)
    found = [_coded(contract, staged, wanted, column) for column in _reference_columns(wanted)]
    parents = [parent for parent in found if parent is not None]
    if wanted.has_instrument or wanted.name == "core.instrument":
        parents += _instrument(contract, staged, wanted)
    return tuple(parents)


def _reference_columns(wanted: Target) -> Sequence[str]:
    own = f"{wanted.entity}_id" if wanted.entity else None
    return [reference.column for reference in wanted.references if reference.column != own]


def _coded(contract: PublishedFeed, staged: StagedRows, wanted: Target, column: str) -> Parent | None:
    reference = next(reference for reference in wanted.references if reference.column == column)
    is_required = column in wanted.key
    by_lei = reference.code not in staged.columns and reference.entity == "issuer" and "lei" in staged.columns
    if reference.code not in staged.columns and not by_lei:
        if is_required:
            raise ContractError(
                f"Feed {contract.feed} publishes to {contract.target} but does not fill {reference.code}.",
                remedy=f"Map a column to {reference.code}, or state it under `found`, `constants` or `copies`.",
            )
        return None
    return Parent(
        column=column,
        entity=reference.entity,
        named_by=("lei",) if by_lei else (reference.code,),
        map_table=f"{staged.table}_{reference.column.removesuffix('_id')}",
        is_registered=reference.entity == "portfolio" and is_required and contract.unknown_portfolios == "provisional",
        is_required=is_required,
        is_lenient=by_lei,
    )


def _instrument(contract: PublishedFeed, staged: StagedRows, wanted: Target) -> list[Parent]:
    is_own = wanted.name == "core.instrument"
    is_required = is_own or "instrument_id" in wanted.key
    if not is_required and not any(
        column in staged.columns for identifier in contract.identifiers for column in identifier.columns
    ):
        return []
    return [
        Parent(
            column="instrument_id",
            entity="instrument",
            named_by=naming_columns(contract, staged),
            map_table=f"{staged.table}_instrument",
            is_registered=is_own or contract.unknown_instruments == "provisional",
            is_required=is_required,
        )
    ]
