"""What the API lets people filter, order and search by can be found without reading whole tables.

The rule, for every field that a declaration marks:

- `is_searchable`: a trigram index on the column.
- `is_filterable` and `is_sortable` on reference data (lists of the whole table): the column leads an
  index, or it is one of `FEW_VALUES`, which no index could narrow.
- the same on facts and on identifiers: nothing more, because their rows are never looked for in the
  whole table: root lists hold one business date, nested ones the rows of their parent, and both lead
  an index (PostgreSQL 18 skips through a key whose second column is the date).
- the same on logs (publications, deliveries, quality events): nothing more, because they have one row
  per file or finding, about 100,000 in ten years, which are read in 20 ms.
- a relation that is filtered through: the columns that join it lead an index of the other table.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Table

from fulcrum.graph.binding import BoundField
from fulcrum.graph.declare import Column, Relation
from fulcrum.graph.schema import load_graph
from fulcrum.graph.sources import Dated, Fact, Log, Source, Versioned

GRAPH = load_graph()
FEW_VALUES = {
    "core.portfolio_version.is_provisional": "yes or no",
    "core.instrument_version.is_provisional": "yes or no",
}


def tables(source: Source) -> list[Table]:
    """The tables whose columns a source shows."""
    if isinstance(source, Versioned):
        return [source.version, source.identity]
    return [source.table] if isinstance(source, (Fact, Dated, Log)) else []


def leading(table: Table) -> set[tuple[str, ...]]:
    """The column lists of all indexes of a table, keys and unique constraints."""
    found = {tuple(column.name for column in index.columns) for index in table.indexes if _is_btree(index)}
    found.add(tuple(column.name for column in table.primary_key.columns))
    found |= {(column.name,) for column in table.columns if column.unique}
    return found


def _is_btree(index: object) -> bool:
    options = index.dialect_options["postgresql"]  # type: ignore[attr-defined]
    return not options["using"] and options["where"] is None


def marked() -> Iterator[tuple[str, Source, BoundField]]:
    """Every field of an entity that has tables."""
    for name, entity in GRAPH.bindings.entities.items():
        for bound in GRAPH.bindings.fields[name].values():
            yield name, entity.source, bound


def test_columns_of_whole_tables_lead_an_index() -> None:
    bare = []
    for _, source, bound in marked():
        declaration = bound.declaration
        if not isinstance(declaration, Column) or not (declaration.is_filterable or declaration.is_sortable):
            continue
        assert declaration.sql is None, f"{bound.python_name}: a template has no index"
        if not isinstance(source, Versioned):
            continue
        column = declaration.name or bound.python_name
        table = next(table for table in tables(source) if column in table.columns)
        path = f"{table.fullname}.{column}"
        if path not in FEW_VALUES and not any(k[0] == column for k in leading(table)):
            bare.append(path)
    assert bare == []


def test_searchable_columns_have_a_trigram_index() -> None:
    searchable = 0
    for _, source, bound in marked():
        if not isinstance(bound.declaration, Column) or not bound.declaration.is_searchable:
            continue
        searchable += 1
        column = bound.declaration.name or bound.python_name
        indexes = [index for table in tables(source) for index in table.indexes]
        trigrams = [i for i in indexes if i.dialect_options["postgresql"]["ops"].get(column) == "gin_trgm_ops"]
        assert trigrams, f"{column} has no trigram index"
    assert searchable >= 6


def test_relations_that_are_filtered_through_are_joined_by_an_index() -> None:
    bare = []
    for name, _, bound in marked():
        declaration = bound.declaration
        if not isinstance(declaration, Relation) or not declaration.is_filterable:
            continue
        joined = set(declaration.on)
        other = GRAPH.bindings.entities[bound.child or ""].source
        if not any(set(key[:1]) <= joined for table in tables(other) for key in leading(table)):
            bare.append(f"{name}.{bound.python_name}")
    assert bare == []


def test_the_exceptions_are_still_marked() -> None:
    used = {
        f"{table.fullname}.{bound.declaration.name or bound.python_name}"
        for _, source, bound in marked()
        if isinstance(bound.declaration, Column) and bound.declaration.is_filterable
        for table in tables(source)
    }
    assert set(FEW_VALUES) <= used
