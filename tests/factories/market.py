"""A small market written straight into `core`, for tests of what is computed from it.

Each call that writes facts is one publication, which asks for derivation as a delivery's would.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.warehouse.models.base import SINCE_EVER
from fulcrum.warehouse.publications import Publication, next_publication, record_publication

Row = Mapping[str, Any]


class Market:
    """Writes instruments, portfolios and facts; remembers the surrogate keys by code.

    Amounts may be written as text: `"12.34"`. Dates are `datetime.date`.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.instruments: dict[str, int] = {}
        self.portfolios: dict[str, int] = {}

    def instrument(self, code: str, currency: str | None = "USD", **attributes: Any) -> int:
        """Register an instrument known since ever, with ISIN `code`."""
        return self._entity("instrument", code, {"currency_code": currency, **attributes})

    def portfolio(self, code: str, base: str | None = "USD", **attributes: Any) -> int:
        """Register a portfolio known since ever."""
        return self._entity("portfolio", code, {"base_currency_code": base, **attributes})

    def holdings(self, portfolio: str, date: dt.date, rows: Iterable[Row], **options: Any) -> int:
        """Publish the whole of a portfolio's holdings of one date, superseding what differs."""
        keyed = [
            {"portfolio_id": self.portfolios[portfolio], "business_date": date, "position_code": ""} | self._keyed(row)
            for row in rows
        ]
        key = ("portfolio_id", "business_date", "instrument_id", "position_code")
        scope = {"portfolio_id": self.portfolios[portfolio], "business_date": date}
        return self.publish("core.holding", key, keyed, scope=scope, **options)

    def prices(self, date: dt.date, rows: Iterable[Row], **options: Any) -> int:
        """Publish prices of one date; types default to CLOSE, the source to VENDOR."""
        keyed = [
            {"business_date": date, "price_type_code": "CLOSE", "source_code": "VENDOR"} | self._keyed(row)
            for row in rows
        ]
        key = ("instrument_id", "business_date", "price_type_code", "source_code")
        return self.publish("core.price", key, keyed, **options)

    def rates(self, date: dt.date, rates: Mapping[str, str], *, source: str = "ECB", **options: Any) -> int:
        """Publish rates of one date, as in `{"EUR/USD": "1.10"}`."""
        keyed = [
            {
                "base_currency_code": pair[:3],
                "quote_currency_code": pair[4:],
                "business_date": date,
                "source_code": source,
                "rate": Decimal(rate),
            }
            for pair, rate in rates.items()
        ]
        key = ("base_currency_code", "quote_currency_code", "business_date", "source_code")
        return self.publish("core.fx_rate", key, keyed, **options)

    def publish(
        self,
        table: str,
        key: Sequence[str],
        rows: list[dict[str, Any]],
        *,
        scope: Row | None = None,
        delivery_id: int | None = None,
        verdict: str = "passed",
        feed: str = "test",
    ) -> int:
        """Publish `rows`; within `scope` (None: their keys) whatever is current and differs goes."""
        connection = self.connection
        number = next_publication(connection)
        dates = sorted({row["business_date"] for row in rows} | ({scope["business_date"]} if scope else set()))
        for date in dates:
            connection.execute("select governance.ensure_month(%s, %s)", (table, date))
        wanted = [scope] if scope else [{column: row[column] for column in key} for row in rows]
        gone = sum(self._supersede(table, condition, number) for condition in wanted)
        for place, row in enumerate(rows, 2):
            origin = {"delivery_id": delivery_id, "source_row": place} if delivery_id else {}
            self._insert(table, {**row, **{k: v for k, v in origin.items() if k not in row}, "published_in": number})
        record_publication(
            connection,
            Publication(
                number, "delivery", feed, table, (dates[0], dates[-1]), delivery_id, verdict, len(rows), gone, "digest"
            ),
        )
        for date in dates:
            connection.execute(
                "insert into governance.derivation (target, business_date, caused_by) values (%s, %s, %s)",
                ("mart.position_valuation", date, number),
            )
        connection.commit()
        return number

    def restate_version(self, entity: str, code: str, valid_from: dt.date, **attributes: Any) -> int:
        """A statement that `attributes` hold from `valid_from` on; the last version ends there."""
        number = next_publication(self.connection)
        table, keys = f"core.{entity}_version", self.instruments if entity == "instrument" else self.portfolios
        with self.connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            old = cursor.execute(
                f"update {table} set superseded_in = %s where {entity}_id = %s and superseded_in is null"
                " and valid_to is null returning *",
                (number, keys[code]),
            ).fetchone()
        assert old is not None
        kept = old | {"published_in": number, "superseded_in": None}
        if valid_from > old["valid_from"]:
            self._insert(table, kept | {"valid_to": valid_from})
        self._insert(table, kept | {"valid_from": valid_from} | attributes)
        record_publication(
            self.connection,
            Publication(
                number, "delivery", "test", f"core.{entity}", (valid_from, valid_from), None, "passed", 1, 1, "digest"
            ),
        )
        self.connection.execute(
            "insert into governance.derivation (target, business_date, caused_by) values (%s, %s, %s)",
            ("mart.position_valuation", valid_from, number),
        )
        self.connection.commit()
        return number

    def delivery(self, feed: str, file_name: str, sha256: str) -> int:
        """A delivery to hang rows on."""
        row = self.connection.execute(
            "insert into governance.delivery (feed, file_name, sha256, size_bytes) values (%s, %s, %s, 0)"
            " returning delivery_id",
            (feed, file_name, sha256),
        ).fetchone()
        assert row is not None
        self.connection.commit()
        return int(row[0])

    def _entity(self, entity: str, code: str, attributes: dict[str, Any]) -> int:
        number = next_publication(self.connection)
        row = self.connection.execute(
            f"insert into core.{entity} ({entity}_code, created_in) values (%s, %s) returning {entity}_id",
            (code, number),
        ).fetchone()
        assert row is not None
        known = {f"{entity}_id": row[0], "valid_from": SINCE_EVER, "published_in": number}
        self._insert(f"core.{entity}_version", known | attributes)
        if entity == "instrument":
            self._insert("core.instrument_identifier", known | {"scheme": "ISIN", "value": code})
        record_publication(
            self.connection,
            Publication(number, "delivery", "test", f"core.{entity}", (None, None), None, "passed", 1, 0, "digest"),
        )
        self.connection.commit()
        (self.instruments if entity == "instrument" else self.portfolios)[code] = row[0]
        return int(row[0])

    def _keyed(self, row: Row) -> dict[str, Any]:
        amounts = ("quantity", "price", "market_value", "cost", "fx_rate")
        plain: dict[str, Any] = {
            name: Decimal(value) if name in amounts and value is not None else value for name, value in row.items()
        }
        return {"instrument_id": self.instruments[plain.pop("instrument")]} | plain

    def _supersede(self, table: str, condition: Row, number: int) -> int:
        conditions = sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in condition)
        statement = sql.SQL("update {} set superseded_in = %s where superseded_in is null and {}").format(
            sql.Identifier(*table.split(".")), conditions
        )
        return self.connection.execute(statement, (number, *condition.values())).rowcount

    def _insert(self, table: str, row: Row) -> None:
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(sql.Identifier(name) for name in row),
            sql.SQL(", ").join(sql.Placeholder() for _ in row),
        )
        self.connection.execute(statement, tuple(row.values()))
