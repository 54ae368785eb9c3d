"""Trading days of exchanges, kept in `quality.exchange_session` so that rules can count them in SQL.

Which exchange a feed or instrument follows is said by its contract or version, not here.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable
from typing import Any

import psycopg

SAME_DAYS = {
    "XNAS": "XNYS",
    "ARCX": "XNYS",
    "XASE": "XNYS",
    "BATS": "XNYS",
    "IEXG": "XNYS",
    "XTSX": "XTSE",
    "XSHE": "XSHG",
}
"""Exchanges that trade on the days of another, which the calendar library knows."""


def ensure(connection: psycopg.Connection[Any], exchanges: Iterable[str], first: dt.date, last: dt.date) -> None:
    """Fill in the trading days of the years from `first` to `last`; exchanges without a calendar stay empty.

    A year is asked of the library once (0.6 s per exchange, 2 s for its import); the caller commits.
    """
    wanted = sorted(set(exchanges))
    years = list(range(first.year, last.year + 1))
    known = connection.execute(
        "select distinct exchange_code, extract(year from session_date)::int from quality.exchange_session"
        " where exchange_code = any(%s) and session_date between %s and %s",
        (wanted, dt.date(years[0], 1, 1), dt.date(years[-1], 12, 31)),
    ).fetchall()
    missing = {exchange: [year for year in years if (exchange, year) not in known] for exchange in wanted}
    for exchange, lacking in missing.items():
        days = sessions(exchange, dt.date(lacking[0], 1, 1), dt.date(lacking[-1], 12, 31)) if lacking else []
        if lacking and not days:  # the calendar may end within the last of the years
            days = [day for year in lacking for day in sessions(exchange, dt.date(year, 1, 1), dt.date(year, 12, 31))]
        if days:
            connection.execute(
                "insert into quality.exchange_session (exchange_code, session_date)"
                " select %s, day from unnest(%s::date[]) day on conflict do nothing",
                (exchange, days),
            )


def sessions(exchange: str, first: dt.date, last: dt.date) -> list[dt.date]:
    """Trading days of an exchange, both ends included; empty if no calendar knows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 4.13.2 asks pandas 3.1 for something that pandas 4 will refuse
        import exchange_calendars  # type: ignore[import-untyped]
        from exchange_calendars.errors import CalendarError  # type: ignore[import-untyped]

        name = SAME_DAYS.get(exchange, exchange)
        if name not in exchange_calendars.get_calendar_names():
            return []
        try:
            calendar = exchange_calendars.get_calendar(name, start=first.isoformat(), end=last.isoformat())
        except (CalendarError, ValueError):  # holidays of some exchanges are announced for the next year only
            return []
        return [session.date() for session in calendar.sessions]
