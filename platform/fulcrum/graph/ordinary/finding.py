"""Single rows of an operation's root: by look-ups, by ids and by the references of gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fulcrum.graph.declare import Lookup
from fulcrum.graph.ordinary.rows import Item
from fulcrum.graph.ordinary.session import Session
from fulcrum.graph.ordinary.sql import Sql, where
from fulcrum.graph.references import ID, Reference
from fulcrum.graph.relay import read_id
from fulcrum.graph.sources import render


def identified(text: str) -> Reference:
    """The reference that an id is."""
    return Reference(text.partition(":")[0], ID, text)


async def find_reference(session: Session, one: Reference) -> Item | None:
    """The row that a reference names, if there is one."""
    entity = session.graph.bindings.entities[one.entity]
    if one.key != ID:
        return await _found(session, one.entity, {entity.keys[one.key]: (one.value, "text")})
    types = [entity.source.columns[name].sql_type for name in entity.source.key]
    key = read_id(one.value, one.entity, types)
    templates = {
        f"{{{name}}} = {{value}}": (value, sql_type)
        for name, value, sql_type in zip(entity.source.key, key, types, strict=True)
    }
    return await _found(session, one.entity, templates)


async def look_up(session: Session, entity: str, declaration: Lookup, given: Mapping[str, Any]) -> Item | None:
    """The row that the arguments of a look-up name, if there is one."""
    named = {**given, **(given.get("by") or {})}
    way, value = next((name, value) for name, value in named.items() if name in declaration.by)
    return await _found(session, entity, {declaration.by[way]: (value, "bigint" if way == "number" else "text")})


async def _found(session: Session, entity: str, templates: Mapping[str, tuple[Any, str]]) -> Item | None:
    """The row for which all templates hold with their values."""
    sql = Sql(session.clock)
    source = session.graph.bindings.entities[entity].source
    rows = source.rows(sql.alias(), must_exist=False)

    def condition(template: str, value: Any, sql_type: str) -> str:
        def ref(column: str) -> str:
            if column == "value":
                return sql.bind(value, sql_type)
            if column.startswith("value_"):
                return sql.bind(value[column.removeprefix("value_")], "text")
            return rows.ref(column)

        return render(template, ref)

    conditions = [condition(template, *given) for template, given in templates.items()]
    taken = ", ".join(f'{rows.ref(name)} as "{name}"' for name in source.columns)
    select = f"select 0, {taken} from {rows.from_sql()}{where([*conditions, *rows.conditions()])}"
    (found,) = await session.fetch_items(sql.finished(select), sql.values, entity, 1)
    return found[0] if found else None
