"""The three questions that end the demo; their texts are the example queries of the API."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from fulcrum.demo import faults
from fulcrum.demo.plan import Plan
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect


@dataclass(frozen=True)
class Question:
    """A query, and the variables to ask it with, each under a label."""

    title: str
    query: str
    asked: tuple[tuple[str, dict[str, Any]], ...]


def questions(settings: Settings, plan: Plan) -> tuple[Question, ...]:
    """A client's wealth, holdings as known before and after the restatement, one number explained."""
    portfolio, last = plan.market.universe.portfolios[0], plan.market.days[-1]
    restated = plan.market.days[faults.RESTATED_DAY]
    with connect(settings) as connection:
        before, after = _known(connection, restated)
    holdings = {"portfolio": portfolio.code, "asOf": restated.isoformat()}
    return (
        Question(
            "A client's wealth",
            _text(settings, "client_wealth"),
            (("today", {"client": plan.market.universe.clients[0].code, "asOf": last.isoformat()}),),
        ),
        Question(
            f"Holdings of {restated}, as known before and after their restatement",
            _text(settings, "holdings_as_known"),
            (
                ("as known before", holdings | {"knownAt": before.isoformat()}),
                ("as known after", holdings | {"knownAt": after.isoformat()}),
            ),
        ),
        Question(
            "One number, down to the rows of its files",
            _text(settings, "number_explained"),
            (("today", {"portfolio": portfolio.code, "asOf": last.isoformat()}),),
        ),
    )


def _text(settings: Settings, name: str) -> str:
    path = settings.project / "schemas" / "graphql" / "examples" / f"{name}.graphql"
    return path.read_text(encoding="utf-8")


def _known(connection: psycopg.Connection[Any], day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """When the day's holdings were first published, and when they were last restated."""
    row = connection.execute(
        "select min(known_at), max(known_at) from governance.publication"
        " where feed = 'house_holdings' and business_date_to = %s",
        (day,),
    ).fetchone()
    assert row is not None
    return row[0], row[1]
