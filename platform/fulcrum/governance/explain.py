"""Explains a number: its formula with the numbers in it, and each input down to file and row.

The shapes are in `explanation.py`, the look-ups in `origins.py`. Whoever calls this has checked
that the asker may see the portfolio.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise
from typing import Any

import psycopg

from fulcrum.errors import QueryError
from fulcrum.governance.explanation import STATUS_MEANINGS, Explanation, Input, Source
from fulcrum.governance.origins import Origins, Row
from fulcrum.settings import Settings

__all__ = ["Explanation", "Input", "Source", "explain_holding", "explain_nav", "explain_price", "explain_valuation"]

Connection = psycopg.Connection[Any]


def explain_valuation(
    connection: Connection,
    *,
    portfolio: str,
    date: dt.date,
    isin: str | None = None,
    instrument: str | None = None,
    position: str | None = None,
    known_at: dt.datetime | None = None,
    settings: Settings | None = None,
) -> Explanation:
    """One position's value in the portfolio's currency; with `settings` also the source lines' text.

    Raises:
        QueryError: portfolio, instrument or valuation is unknown, or several positions match.
    """
    origins = Origins(connection, settings, known_at)
    found = origins.instrument(date, isin=isin, code=instrument)
    row = _one_position(origins, "mart.position_valuation", portfolio, found, date, position)
    inputs = [_holding_input(origins, row), _price_input(origins, row), *_terms_inputs(origins, row)]
    return Explanation(
        subject="valuation",
        keys=_keys(portfolio, found["instrument_code"], date, row["position_code"]),
        value=row["market_value_base"],
        unit=row["base_currency_code"],
        formula=_formula(row),
        status=row["valuation_status_code"],
        meaning=STATUS_MEANINGS.get(row["valuation_status_code"], ""),
        publication_id=row["published_in"],
        known_as_of=origins.known,
        inputs=(*inputs, *_rate_inputs(origins, row)),
        details={"market_value_local": row["market_value_local"], "local_currency": row["price_currency_code"]},
    )


def explain_nav(
    connection: Connection, *, portfolio: str, date: dt.date, known_at: dt.datetime | None = None
) -> Explanation:
    """A portfolio's net asset value as the sum of its positions, largest first.

    Raises:
        QueryError: portfolio or NAV is unknown.
    """
    origins = Origins(connection, None, known_at)
    key = {"portfolio": origins.portfolio(portfolio), "date": date}
    row = origins.one(
        "select * from mart.portfolio_nav v where portfolio_id = %(portfolio)s and business_date = %(date)s and {v}",
        **key,
    )
    if row is None:
        raise _not_found("NAV", portfolio, date)
    positions = origins.rows(
        """
        select v.*, e.instrument_code from mart.position_valuation v join core.instrument e using (instrument_id)
         where v.portfolio_id = %(portfolio)s and v.business_date = %(date)s and {v}
         order by abs(v.market_value_base) desc nulls first, e.instrument_code, v.position_code
        """,
        **key,
    )
    unit = row["base_currency_code"]
    return Explanation(
        subject="nav",
        keys={"portfolio": portfolio, "date": date.isoformat()},
        value=row["nav_base"],
        unit=unit,
        formula=f"sum of {row['positions_valued']} valued of {row['positions']} positions"
        f" = {_text(row['nav_base'])} {unit or '?'}",
        status="COMPLETE" if row["is_complete"] else "INCOMPLETE",
        meaning=f"{row['positions'] - row['positions_valued']} positions have no value,"
        f" {row['positions_flagged']} are flagged.",
        publication_id=row["published_in"],
        known_as_of=origins.known,
        inputs=tuple(
            Input(
                f"{each['instrument_code']}{' ' + each['position_code'] if each['position_code'] else ''}",
                each["market_value_base"],
                unit,
                each["valuation_status_code"],
                origins.source(each) if each["market_value_base"] is None else None,
            )
            for each in positions
        ),
        details={
            "overrides": [str(each) for each in origins.overrides(_OF_PUBLICATIONS, _prices_and_rates(positions))],
            "oldest_price_date": row["oldest_price_date"],
            "reported_value": row["reported_value"],
            "reported_currency": row["reported_currency_code"],
        },
    )


def explain_holding(
    connection: Connection,
    *,
    portfolio: str,
    date: dt.date,
    isin: str | None = None,
    instrument: str | None = None,
    position: str | None = None,
    known_at: dt.datetime | None = None,
    settings: Settings | None = None,
) -> Explanation:
    """One holding as its source reports it.

    Raises:
        QueryError: portfolio, instrument or holding is unknown, or several positions match.
    """
    origins = Origins(connection, settings, known_at)
    found = origins.instrument(date, isin=isin, code=instrument)
    row = _one_position(origins, "core.holding", portfolio, found, date, position)
    source = origins.source(row)
    names = ("price", "market_value", "notional_value", "cost", "fx_rate", "weight_pct")
    return Explanation(
        subject="holding",
        keys=_keys(portfolio, found["instrument_code"], date, row["position_code"]),
        value=row["quantity"],
        unit="units",
        formula="as reported",
        status="REPORTED",
        meaning="What the source's file says, in the model's units.",
        publication_id=row["published_in"],
        known_as_of=origins.known,
        inputs=(
            Input("quantity", row["quantity"], "units", source=source),
            *(Input(name, row[name], row["currency_code"]) for name in names if row[name] is not None),
        ),
    )


def explain_price(
    connection: Connection,
    *,
    date: dt.date,
    isin: str | None = None,
    instrument: str | None = None,
    known_at: dt.datetime | None = None,
    settings: Settings | None = None,
) -> Explanation:
    """Every price of an instrument on a date, each with its source; the first by type is the value.

    Raises:
        QueryError: the instrument is unknown or has no price on that date.
    """
    origins = Origins(connection, settings, known_at)
    found = origins.instrument(date, isin=isin, code=instrument)
    rows = origins.rows(
        """
        select * from core.price p where instrument_id = %(instrument)s and business_date = %(date)s and {p}
         order by price_type_code <> 'CLOSE', price_type_code, source_code
        """,
        instrument=found["instrument_id"],
        date=date,
    )
    if not rows:
        raise _not_found("price", found["instrument_code"], date)
    return Explanation(
        subject="price",
        keys={"instrument": found["instrument_code"], "date": date.isoformat()},
        value=rows[0]["price"],
        unit=rows[0]["currency_code"],
        formula="as reported",
        status="REPORTED",
        meaning="What the sources say, as quoted.",
        publication_id=rows[0]["published_in"],
        known_as_of=origins.known,
        inputs=tuple(
            Input(
                f"{row['price_type_code']} of {row['source_code']}",
                row["price"],
                row["currency_code"],
                f"quoted {row['quote_unit_code']}" if row["quote_unit_code"] else "",
                origins.source(row),
            )
            for row in rows
        ),
    )


_OF_PUBLICATIONS = "d.publication_id = any(%(wanted)s)"


def _prices_and_rates(positions: list[Row]) -> list[int]:
    """The publications whose prices and rates they are valued with."""
    rates = (number for each in positions for number in each["fx_publication_ids"] or ())
    prices = (each["price_publication_id"] for each in positions if each["price_publication_id"] is not None)
    return sorted({*prices, *rates})


def _one_position(
    origins: Origins, table: str, portfolio: str, instrument: Row, date: dt.date, position: str | None
) -> Row:
    rows = origins.rows(
        f"""
        select * from {table} v
         where portfolio_id = %(portfolio)s and business_date = %(date)s and instrument_id = %(instrument)s and {{v}}
           and (%(position)s::text is null or position_code = %(position)s)
         order by position_code
        """,  # noqa: S608 the table is one of two constants of this module
        portfolio=origins.portfolio(portfolio),
        date=date,
        instrument=instrument["instrument_id"],
        position=position,
    )
    if not rows:
        raise _not_found(table.partition(".")[2], f"{portfolio}, {instrument['instrument_code']}", date)
    if len(rows) > 1:
        codes = ", ".join(repr(row["position_code"]) for row in rows[:10])
        raise QueryError(f"{portfolio} has {len(rows)} positions in it: {codes}.", remedy="Say which position.")
    return rows[0]


def _holding_input(origins: Origins, row: Row) -> Input:
    holding = origins.one(
        """
        select * from core.holding where portfolio_id = %(portfolio)s and business_date = %(date)s
           and instrument_id = %(instrument)s and position_code = %(position)s and published_in = %(publication)s
        """,
        portfolio=row["portfolio_id"],
        date=row["business_date"],
        instrument=row["instrument_id"],
        position=row["position_code"],
        publication=row["holding_publication_id"],
    )
    return Input("quantity", row["quantity"], "units", source=origins.source(holding))


def _price_input(origins: Origins, row: Row) -> Input:
    kind, note = row["price_type_code"], ""
    price = None
    if kind == "CASH":
        note = "cash is worth 1 in its own currency by the valuation policy"
    elif kind == "REPORTED":
        note = "reported by the holding's own file: no usable market price"
        return Input("price", row["price"], row["price_currency_code"], note, _holding_input(origins, row).source)
    elif kind is not None:
        age = (row["business_date"] - row["price_date"]).days
        note = f"{kind} of {row['price_source_code']} of {row['price_date']}, {age} days old"
        price = origins.one(
            """
            select * from core.price where instrument_id = %(instrument)s and business_date = %(date)s
               and price_type_code = %(kind)s and source_code = %(source)s and published_in = %(publication)s
            """,
            instrument=row["instrument_id"],
            date=row["price_date"],
            kind=kind,
            source=row["price_source_code"],
            publication=row["price_publication_id"],
        )
    return Input("price", row["price"], row["price_currency_code"], note, origins.source(price))


def _terms_inputs(origins: Origins, row: Row) -> list[Input]:
    """Quote factor and contract size, which the instrument's version (or the price itself) states."""
    version = origins.one(
        """
        select * from core.instrument_version where instrument_id = %(instrument)s
           and published_in < %(publication)s and (superseded_in is null or superseded_in >= %(publication)s)
           and (valid_to is null or %(date)s < valid_to) order by valid_from limit 1
        """,
        instrument=row["instrument_id"],
        publication=row["published_in"],
        date=row["business_date"],
    )
    source = origins.source(version)
    unit = f"instrument is quoted {version['quote_unit_code']}" if version else "nothing is known of the instrument"
    return [
        Input("quote_factor", row["quote_factor"], None, unit, source),
        Input("contract_size", row["contract_size"], None, "of the same statement"),
    ]


def _rate_inputs(origins: Origins, row: Row) -> list[Input]:
    path, numbers = row["fx_path"], row["fx_publication_ids"]
    if path is None:
        return []
    if not numbers:
        return [Input("fx_rate", row["fx_rate"], path, "the same currency")]
    currencies = path.split(">")
    legs = [
        _leg(origins, pair, number, row["business_date"])
        for pair, number in zip(pairwise(currencies), numbers, strict=True)
    ]
    note = f"by {path}, oldest leg of {row['fx_date']}"
    return [Input("fx_rate", row["fx_rate"], f"{currencies[-1]} per {currencies[0]}", note), *legs]


def _leg(origins: Origins, pair: tuple[str, str], number: int, date: dt.date) -> Input:
    rate = origins.one(
        """
        select * from core.fx_rate where published_in = %(publication)s and business_date <= %(date)s
           and ((base_currency_code, quote_currency_code) = (%(one)s, %(two)s)
             or (base_currency_code, quote_currency_code) = (%(two)s, %(one)s))
         order by business_date desc, base_currency_code <> %(one)s limit 1
        """,
        publication=number,
        date=date,
        one=pair[0],
        two=pair[1],
    )
    if rate is None:
        return Input("rate", None, f"{pair[1]} per {pair[0]}", "no longer found")
    way = "direct" if rate["base_currency_code"] == pair[0] else "inverse"
    note = f"{way}, of {rate['source_code']} of {rate['business_date']}"
    unit = f"{rate['quote_currency_code']} per {rate['base_currency_code']}"
    return Input(f"rate {pair[0]}>{pair[1]}", rate["rate"], unit, note, origins.source(rate))


def _formula(row: Row) -> str:
    factors = " x ".join(_text(row[name]) for name in ("quantity", "price", "quote_factor", "contract_size"))
    local = f"{factors} = {_text(row['market_value_local'])} {row['price_currency_code'] or '?'}"
    return f"{local}; x {_text(row['fx_rate'])} = {_text(row['market_value_base'])} {row['base_currency_code'] or '?'}"


def _text(value: Decimal | None) -> str:
    return "?" if value is None else format(value, "f")


def _keys(portfolio: str, instrument: str, date: dt.date, position: str) -> dict[str, str]:
    keys = {"portfolio": portfolio, "instrument": instrument, "date": date.isoformat()}
    return keys | ({"position": position} if position else {})


def _not_found(what: str, key: str, date: dt.date) -> QueryError:
    return QueryError(
        f"There is no {what.replace('_', ' ')} of {key} on {date} as known then.",
        remedy="Check the date; `fulcrum publications` shows what is there.",
    )
