"""Entities of versions: for each entity, one of everything that was ever stated of it.

A version type copies the columns and to-one relations of its entity, so a new field of the entity is
one of its versions too; which entities have versions is said in `schemas/entities/`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from fulcrum.graph.declare import METADATA, At, Column, Relation, column, entities, entity, relation
from fulcrum.graph.sources import Fact, Versioned, Versions
from fulcrum.warehouse.reads import visible

T = TypeVar("T", bound=type)

_PLACE = re.compile(r"\{(\w+)\}")
_DIFFERS = "Fields in which it differs from what was known before; of the first, all that have a value."
_KNOWN_AT = "select p.known_at from governance.publication p where p.publication_id = {published_in}"


@strawberry.interface(description="What was stated of something from one publication until another.")
class Version:
    """Base of the entities that histories list."""

    published_in: int = column("published_in", "The publication that made it known.")
    known_at: dt.datetime | None = column(description="When Fulcrum knew it.", sql=_KNOWN_AT)
    superseded_in: int | None = column(
        description="The publication that replaced or ended it; null: it still holds.",
        sql="case when {superseded_in} <= {version} then {superseded_in} end",
    )
    superseded_at: dt.datetime | None = column(
        description="When it was replaced or ended.",
        sql="select p.known_at from governance.publication p"
        " where p.publication_id = {superseded_in} and p.publication_id <= {version}",
    )
    changed: list[str] = column(description=_DIFFERS, sql="array[]::text[]")


@dataclass
class _Copied:
    """Fields of a version type in the making; `compared` maps GraphQL names to columns."""

    fields: dict[str, tuple[Any, Any]]
    compared: dict[str, str]


def versions_of(of: type) -> Callable[[T], T]:
    """Make a class, a subclass of `Version`, the entity of everything that was stated of the entity `of`."""
    source = entities()[of.__name__].source
    assert isinstance(source, (Versioned, Fact))

    def declared(cls: T) -> T:
        copied = _copied(of, source)
        changed = column(
            description=_DIFFERS,
            sql=_changed(source, copied.compared),
            shows=f"{Versions(source).table.fullname}.published_in",  # that something changed, not what it is
        )
        own = {"changed": (list[str], changed), **_periods(source)}
        for name, (annotation, field) in {**copied.fields, **own}.items():
            cls.__annotations__[name] = annotation
            setattr(cls, name, field)
        return entity(Versions(source))(cls)

    return declared


def _copied(of: type, source: Versioned | Fact) -> _Copied:
    known = Versions(source).columns
    own = source.id_column if isinstance(source, Versioned) else None
    definition: StrawberryObjectDefinition = of.__strawberry_definition__  # type: ignore[attr-defined]
    made = _Copied({}, {})
    for field in definition.fields:
        declaration = field.metadata.get(METADATA)
        shown = to_camel_case(field.python_name)
        annotation = of.__annotations__.get(field.python_name, "")
        if isinstance(declaration, Column) and _is_stated(declaration, field, known):
            plain = column(declaration.name or field.python_name, field.description, sql=declaration.sql)
            made.fields[field.python_name] = (annotation, plain)
            if declaration.sql is None and (declaration.name or field.python_name) not in source.key:
                made.compared[shown] = declaration.name or field.python_name
        elif isinstance(declaration, Relation) and _is_parent(declaration, annotation, known, own):
            copy = relation(field.description or "", on=declaration.on)
            made.fields[field.python_name] = (annotation, copy)
            (ours,) = declaration.on.values()
            if ours not in source.key:
                made.compared[shown] = ours
    return made


def _is_stated(declaration: Column, field: StrawberryField, known: Mapping[str, Any]) -> bool:
    """Whether the versions' own table says it; what is looked up elsewhere has a history elsewhere."""
    if declaration.sql is None:
        return (declaration.name or field.python_name) in known
    return "select" not in declaration.sql and set(_PLACE.findall(declaration.sql)) <= set(known)


def _is_parent(declaration: Relation, annotation: str, known: Mapping[str, Any], own: str | None) -> bool:
    is_one = "[" not in annotation and declaration.rows is None and declaration.at is At.AS_OF
    ours = list(declaration.on.values())
    return is_one and len(ours) == 1 and ours[0] in known and ours[0] != own


def _periods(source: Versioned | Fact) -> dict[str, tuple[Any, Any]]:
    if isinstance(source, Fact):
        return {}
    since = column(
        description="First day it holds; null: nobody told a beginning.",
        sql="nullif({valid_from}, date '0001-01-01')",
    )
    return {
        "valid_from": (dt.date | None, since),
        "valid_to": (dt.date | None, column("valid_to", "Day after the last; null: open.")),
    }


def _changed(source: Versioned | Fact, compared: Mapping[str, str]) -> str:
    """The names whose values differ from those of the version before."""
    before = _before_entity(source) if isinstance(source, Versioned) else _before_fact(source)
    cases = ", ".join(
        f"case when {{{name}}} is distinct from b.{name} then '{shown}' end" for shown, name in compared.items()
    )
    if isinstance(source, Versioned):
        cases += ", case when b.is_same_day and {valid_to} is distinct from b.valid_to then 'validTo' end"
    return (
        f"select array_remove(array[{cases}]::text[], null) from (select 1) o"
        f" left join lateral ({before} limit 1) b on true"
    )


def _before_fact(source: Fact) -> str:
    same = " and ".join(f"p.{key} = {{{key}}}" for key in source.key)
    return f"select p.* from {source.table.fullname} p where {same} and p.superseded_in = {{published_in}}"


def _before_entity(source: Versioned) -> str:
    """What was known of the first day before this publication; else the period before this one."""
    known = "p.published_in < {published_in} and (p.superseded_in is null or p.superseded_in >= {published_in})"
    covered = "p.valid_from <= {valid_from} and (p.valid_to is null or {valid_from} < p.valid_to)"
    beside = f"{visible('p', '{published_in}')} and p.valid_to = {{valid_from}}"
    return (
        f"select p.*, ({known} and {covered}) as is_same_day from {source.version.fullname} p"
        f" where p.{source.id_column} = {{{source.id_column}}} and (({known} and {covered}) or ({beside}))"
        " order by is_same_day desc"
    )
