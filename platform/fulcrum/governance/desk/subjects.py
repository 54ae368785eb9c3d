"""What an override can be of: the price of an instrument or an exchange rate, named as people name it.

Nothing is decided here; the names are turned into those under which the value is delivered.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from fulcrum.errors import DecisionError, Refusal

Connection = psycopg.Connection[Any]

KINDS = {"price": "core.price", "fx_rate": "core.fx_rate"}
"""Kind -> the table in which an override of it stands."""
FEEDS = {"core.price": "override_prices", "core.fx_rate": "override_fx_rates"}
"""Table -> the feed by which overrides reach it."""

IDENTIFIERS = {
    "INSTRUMENT": "instrument_code",
    "ISIN": "isin",
    "FIGI": "figi",
    "SEDOL": "sedol",
    "CUSIP": "cusip",
    "TICKER": "ticker",
}
"""Scheme -> column of the file in which it names an instrument, strongest first; a ticker with its `exchange_code`."""

# The instrument of a code or ISIN, with every identifier that names it on the day, strongest first.
_INSTRUMENT = """
with named as (
    select e.instrument_id, e.instrument_code from core.instrument e where e.instrument_code = %(code)s
    union
    select e.instrument_id, e.instrument_code
      from core.instrument_identifier i join core.instrument e using (instrument_id)
     where i.scheme = 'ISIN' and i.value = %(isin)s and i.superseded_in is null
       and i.valid_from <= %(date)s and (i.valid_to is null or %(date)s < i.valid_to)
)
select n.instrument_code, i.scheme, i.value
  from named n
  left join core.instrument_identifier i
    on i.instrument_id = n.instrument_id and i.superseded_in is null and split_part(i.scheme, '@', 1) = any(%(schemes)s)
   and i.valid_from <= %(date)s and (i.valid_to is null or %(date)s < i.valid_to)
 order by array_position(%(schemes)s, split_part(i.scheme, '@', 1)), i.value
"""
_PRICES = """
select p.source_code || ' ' || p.price_type_code as said_by, p.business_date, p.price as value, p.currency_code,
       p.quote_unit_code
  from core.price p join core.instrument e using (instrument_id)
 where e.instrument_code = %(instrument_code)s and p.superseded_in is null and p.source_code <> 'OVERRIDE'
   and p.business_date between %(date)s::date - 10 and %(date)s
 order by p.business_date desc, p.source_code, p.price_type_code limit 10
"""
_RATES = """
select f.source_code as said_by, f.business_date, f.rate as value, f.quote_currency_code as currency_code,
       'per ' || f.base_currency_code as quote_unit_code
  from core.fx_rate f
 where (f.base_currency_code, f.quote_currency_code) in (
         (%(base_currency_code)s, %(quote_currency_code)s), (%(quote_currency_code)s, %(base_currency_code)s))
   and f.superseded_in is null and f.source_code <> 'OVERRIDE'
   and f.business_date between %(date)s::date - 10 and %(date)s
 order by f.business_date desc, f.source_code limit 10
"""


_PUBLICATIONS = """
with own as (
    select p.publication_id from governance.delivery d join governance.publication p using (delivery_id)
     where d.feed = %(feed)s and d.parameters ->> 'override_id' = %(number)s
)
select p.publication_id, p.kind, p.known_at, p.rows_published, p.rows_superseded, p.delivery_id,
       not exists (select from governance.derivation w
                    where w.caused_by = p.publication_id and w.done_at is null) as is_valued
  from governance.publication p
 where p.publication_id in (
       select publication_id from own
        union
       select r.publication_id
         from governance.publication r join own on r.supersedes @> to_jsonb(own.publication_id)
        where r.kind = 'rollback')
 order by p.publication_id
"""


@dataclass(frozen=True)
class Publication:
    """A publication that an override made: `delivery` brought rows of it, `rollback` took some back.

    `is_valued`: nothing that it changes is still to derive.
    """

    publication_id: int
    kind: str
    known_at: dt.datetime
    rows_published: int
    rows_superseded: int
    delivery_id: int | None
    is_valued: bool


@dataclass(frozen=True)
class Subject:
    """What is overridden: its table, its names there, and all of it in one word."""

    target: str
    names: dict[str, str]
    key: str


@dataclass(frozen=True)
class Delivered:
    """A value that stands in the warehouse, to be held against an override."""

    said_by: str
    business_date: dt.date
    value: Decimal
    currency_code: str | None
    quote_unit_code: str | None


def find_subject(connection: Connection, kind: str, names: Mapping[str, str], date: dt.date) -> Subject:
    """What `names` mean on `date`.

    Raises:
        DecisionError: such a value cannot be overridden, or nothing is known by these names.
    """
    if kind == "price":
        return _instrument(connection, names, date)
    if kind == "fx_rate":
        return _pair(connection, names)
    raise DecisionError(
        f"Only prices (price) and exchange rates (fx_rate) can be overridden, not {kind!r}.",
        remedy="Have all else corrected where it comes from, and deliver it again.",
    )


def delivered(connection: Connection, subject: Mapping[str, str], date: dt.date) -> list[Delivered]:
    """What sources tell of a subject on `date` and the ten days before it, newest first; no overrides."""
    query = _PRICES if "instrument_code" in subject else _RATES
    rows = connection.execute(query, dict(subject) | {"date": date}).fetchall()
    return [Delivered(*row) for row in rows]


def named(text: str) -> tuple[str, dict[str, str]]:
    """Kind and names of what people write in one word: an ISIN, our code of an instrument, or EUR/USD."""
    if re.fullmatch(r"[A-Za-z]{3}/[A-Za-z]{3}", text):
        return "fx_rate", {"base_currency_code": text[:3], "quote_currency_code": text[4:]}
    is_isin = re.fullmatch(r"[A-Z]{2}[A-Z0-9]{9}[0-9]", text)
    return "price", {"isin" if is_isin else "instrument_code": text}


def publications(connection: Connection, target: str, override_id: int) -> list[Publication]:
    """The publications that brought an override into the warehouse or took it back, oldest first."""
    with connection.cursor(row_factory=class_row(Publication)) as cursor:
        return cursor.execute(_PUBLICATIONS, {"feed": FEEDS[target], "number": str(override_id)}).fetchall()


def refuse_unlisted(connection: Connection, currency: str) -> None:
    """Nothing, or a refusal.

    Raises:
        DecisionError: the code is none of ISO 4217, nor offshore renminbi.
    """
    row = connection.execute("select quality.is_currency(%s)", [currency]).fetchone()
    if currency != "CNH" and not (row and row[0]):
        raise DecisionError(
            f"{currency or 'Nothing'} is no currency of ISO 4217.", remedy="Pence are said by the quote unit MINOR."
        )


def _instrument(connection: Connection, names: Mapping[str, str], date: dt.date) -> Subject:
    code, isin = names.get("instrument_code") or None, names.get("isin") or None
    if (code is None) == (isin is None):
        raise DecisionError(
            "The price of which instrument?",
            remedy="Name it by its ISIN or by its code.",
            reason=Refusal.INCOMPLETE,
        )
    asked = {"code": code, "isin": isin, "date": date, "schemes": list(IDENTIFIERS)}
    rows = connection.execute(_INSTRUMENT, asked).fetchall()
    if len({row[0] for row in rows}) != 1:
        raise DecisionError(
            f"There is no instrument {isin or code!r} on {date}.",
            remedy="Check it and the date.",
            reason=Refusal.UNKNOWN,
        )
    own, scheme, value = rows[0]
    if scheme is None:
        raise DecisionError(
            f"{own} has no identifier by which a price could name it on {date}.",
            remedy="Deliver its identifiers first.",
        )
    known = next((row[2] for row in rows if row[1] == "ISIN"), None)
    found = {"instrument_code": own, "scheme": scheme, "value": value} | ({"isin": known} if known else {})
    return Subject(KINDS["price"], found, f"price:{own}")


def _pair(connection: Connection, names: Mapping[str, str]) -> Subject:
    base = (names.get("base_currency_code") or "").upper()
    quote = (names.get("quote_currency_code") or "").upper()
    if base == quote:
        raise DecisionError(
            "The rate of which pair?",
            remedy="Two different codes of ISO 4217, as in EUR and USD.",
            reason=Refusal.INCOMPLETE,
        )
    for code in (base, quote):
        refuse_unlisted(connection, code)
    found = {"base_currency_code": base, "quote_currency_code": quote}
    return Subject(KINDS["fx_rate"], found, f"fx_rate:{'/'.join(sorted((base, quote)))}")
