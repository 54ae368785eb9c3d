"""What holds for every entity that is declared: currency beside amounts, words everywhere, masks on what is derived."""

from __future__ import annotations

from decimal import Decimal

import pytest
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, get_named_type

from fulcrum.entitlements.rights import EVERYTHING, Mask, Rights
from fulcrum.graph.declare import Column, Relation
from fulcrum.graph.errors import ForbiddenError
from fulcrum.graph.limits import Limits
from fulcrum.graph.plans import Plans
from fulcrum.graph.schema import load_graph
from fulcrum.graph.sources import Derived, Fact, Versioned

NO_MONEY = {
    "contractSize",
    "couponPct",
    "fxRate",
    "measured",  # in the unit beside it
    "quantity",
    "quantityAfter",
    "quantityBefore",
    "quoteFactor",
    "rate",
    "threshold",  # in the unit beside it
    "units",
    "unitsOutstanding",
    "volume",
    "weight",
    "weightPct",
}
"""Decimals that are no amounts: counts, factors and fractions."""
SELECTED = '{ portfolio(code: "x") { %s } }'
CLIENT = '{ client(code: "x") { %s } }'
REFUSED = (
    ("mart.position_valuation.market_value_base", SELECTED % "exposure(by: CURRENCY) { nodes { code } }"),
    ("mart.position_valuation.market_value_base", SELECTED % "nav { explain { calculation } }"),
    ("mart.position_valuation.price", SELECTED % "valuations { nodes { explain { calculation } } }"),
    ("core.price.price", SELECTED % "valuations { nodes { explain { calculation } } }"),
    ("core.holding.quantity", SELECTED % "holdings { nodes { explain { calculation } } }"),
    ("core.holding.quantity", SELECTED % "changes(since: {publication: 1}) { positions { nodes { kindCode } } }"),
    ("mart.portfolio_nav.nav_base", SELECTED % "changes(since: {publication: 1}) { nav { deltaBase } }"),
    ("mart.portfolio_nav.nav_base", "{ changes(since: {publication: 1}) { navs { nodes { deltaBase } } } }"),
    ("mart.portfolio_nav.nav_base", CLIENT % "wealth { amount }"),
    ("core.unit_holding.units", CLIENT % "wealthByAssetClass { amount }"),
    ("core.unit_holding.units", CLIENT % "unitHoldings { nodes { value { amount } } }"),
    ("core.client_identifier.value", '{ client(by: {lei: "x"}) { code } }'),
    ("core.client_identifier.value", '{ client(by: {identifier: {scheme: "A", value: "x"}}) { code } }'),
    ("core.portfolio_version.lei", '{ portfolio(by: {lei: "x"}) { code } }'),
    ("core.issuer_version.lei", '{ issuer(by: {lei: "x"}) { code } }'),
)


def sql_of(query: str, rights: Rights) -> str:
    """The statement for a caller."""
    return Plans(load_graph(), Limits()).find(query, None, {}, rights).plan.sql or ""


@pytest.mark.parametrize(("column", "query"), REFUSED)
def test_what_is_computed_from_or_found_by_a_masked_column_is_refused(column: str, query: str) -> None:
    assert "select" in sql_of(query, EVERYTHING)
    masked = Rights("p", ("r",), 1, {column: Mask.PARTIAL}, EVERYTHING.permissions)
    with pytest.raises(ForbiddenError):
        sql_of(query, masked)


def test_a_history_masks_values_but_tells_that_they_changed() -> None:
    query = CLIENT % "history { nodes { name changed } }"
    masked = Rights("p", ("r",), 1, {"core.client_version.client_name": Mask.FULL}, EVERYTHING.permissions)
    assert "'***'::text as \"name\"" in sql_of(query, masked)
    assert "then 'name' end" in sql_of(query, masked)


def test_the_currency_stands_beside_every_amount() -> None:
    graph, bare = load_graph(), []
    for name, kind in graph.schema.type_map.items():
        if name not in graph.bindings.fields or not isinstance(kind, GraphQLObjectType):
            continue  # aggregates give amounts with their currency, as a type of their own
        amounts = [
            field
            for field, known in kind.fields.items()
            if get_named_type(known.type).name == "Decimal" and field not in NO_MONEY
        ]
        if amounts and not any("currency" in field.lower() for field in kind.fields):
            bare += [f"{name}.{field}" for field in amounts]
    assert bare == []


def test_every_entity_and_fact_has_a_history_and_every_fact_an_explanation() -> None:
    graph = load_graph()
    for name, found in graph.bindings.entities.items():
        if isinstance(found.source, (Versioned, Fact)):
            history = graph.bindings.fields[name]["history"]
            assert history.child == f"{name}Version"
            assert isinstance(history.declaration, Relation)
        if isinstance(found.source, Fact):
            assert "explain" in graph.bindings.fields[name], name


def test_a_version_has_the_columns_of_its_entity() -> None:
    fields = load_graph().bindings.fields
    for name in ("Client", "Portfolio", "Instrument", "Holding", "Price", "Nav"):
        shown = {key for key, bound in fields[name].items() if isinstance(bound.declaration, Column)}
        missing = shown - set(fields[f"{name}Version"])
        assert missing <= {"code", "isin", "riskClassSinceDate", "isRiskClassValid"}, name


def test_derived_rows_say_what_each_of_their_columns_is() -> None:
    for name, found in load_graph().bindings.entities.items():
        if not isinstance(found.source, Derived):
            continue
        assert set(found.source.key) <= set(found.source.columns), name
        for field, bound in load_graph().bindings.fields[name].items():
            if isinstance(bound.declaration, Column) and bound.declaration.sql is None:
                facts = found.source.columns[bound.declaration.name or bound.python_name]
                assert facts.sql_type == bound.sql_type, f"{name}.{field}"


def test_nothing_in_the_schema_is_without_words() -> None:
    bare = []
    for name, kind in load_graph().schema.type_map.items():
        if name.startswith("__"):
            continue
        bare += [] if kind.description else [name]
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
            bare += [f"{name}.{field}" for field, known in kind.fields.items() if not (known.description or "").strip()]
    assert bare == []


def test_amounts_are_decimals() -> None:
    fields = load_graph().bindings.fields
    money = {name for kind in fields.values() for name, bound in kind.items() if bound.sql_type == "numeric"}
    assert {"marketValue", "navBase", "amount", "price", "valueBase", "deltaBase"} <= money
    assert Decimal("0.1") + Decimal("0.2") == Decimal("0.3")
