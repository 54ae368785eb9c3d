"""Carries out what was decided on overrides: delivers them like any file, day by day, and takes ended ones back.

Who may decide is `fulcrum.governance.desk.overrides`'s. An override stands in the warehouse for the days that have
begun; each derivation carries it on, so it neither needs a clock of its own nor outlives its last day.
"""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from fulcrum.governance.desk.overrides import Override
from fulcrum.governance.desk.subjects import FEEDS, IDENTIFIERS
from fulcrum.settings import Settings
from fulcrum.warehouse import locks
from fulcrum.warehouse.engine import connect
from fulcrum.warehouse.withdrawal import withdraw

Connection = psycopg.Connection[Any]
Progress = Callable[[str], None]

_LOCK_KEY = 0x4F564552  # "OVER": one process at a time carries out
_DAY = dt.timedelta(days=1)

_DUE = """
select o.* from quality.override o
 cross join lateral (select least(coalesce(o.last_date, o.end_date), %(today)s::date) as last) wanted
 where o.state in ('approved', 'ended')
   and ((o.carried_to is null and o.begin_date <= wanted.last)
     or o.carried_to < wanted.last
     or o.carried_to > o.last_date
     or (%(is_again)s and exists (
           select from governance.delivery d
            where d.delivery_id = o.delivery_id and d.outcome in ('blocked', 'refused', 'failed'))))
 order by o.override_id
"""
_DELIVERIES = "select delivery_id from governance.delivery where feed = %s and parameters ->> 'override_id' = %s"


@dataclass(frozen=True)
class CarriedOut:
    """What was done for one override: `outcome` of its delivery, or `withdrawn`; the publication, if it made one."""

    override_id: int
    outcome: str
    publication_id: int | None
    delivery_id: int | None = None
    messages: tuple[str, ...] = ()


def carry_out(
    settings: Settings, *, today: dt.date | None = None, is_again: bool = False, progress: Progress | None = None
) -> list[CarriedOut]:
    """Bring the warehouse to what is decided, as of `today` (UTC); what stands already costs one query.

    A delivery that the gate blocks is not repeated unless `is_again`.

    Raises:
        FulcrumError: the platform failed; the next call goes on where this one stopped.
    """
    today = today or dt.datetime.now(dt.UTC).date()
    with connect(settings, application_name="fulcrum overrides") as connection:
        if not _due(connection, today, is_again=is_again):
            return []
        with locks.held(connection, _LOCK_KEY):
            found = _due(connection, today, is_again=is_again)
            return [_carry(settings, connection, override, today, progress) for override in found]


def _due(connection: Connection, today: dt.date, *, is_again: bool) -> list[Override]:
    with connection.cursor(row_factory=class_row(Override)) as cursor:
        found = cursor.execute(_DUE, {"today": today, "is_again": is_again}).fetchall()
    connection.commit()
    return found


def _carry(
    settings: Settings, connection: Connection, override: Override, today: dt.date, progress: Progress | None
) -> CarriedOut:
    if override.carried_to is not None and override.carried_to > override.stands_to:
        return _take_back(connection, override)
    return _deliver(settings, connection, override, min(override.stands_to, today), progress)


def _deliver(
    settings: Settings, connection: Connection, override: Override, last: dt.date, progress: Progress | None
) -> CarriedOut:
    from fulcrum.pipeline.deliver import deliver  # the gate is seconds to import, and mostly nothing is due

    with tempfile.TemporaryDirectory(prefix="fulcrum-override-") as folder:
        file = Path(folder) / f"override_{override.override_id}_to_{last}.csv"
        _write(override, last, file)
        parameters = {"override_id": str(override.override_id)}
        report = deliver(settings, FEEDS[override.target], file, parameters=parameters, progress=progress)
    _note(connection, override, last, report.delivery_id)
    return CarriedOut(
        override.override_id, str(report.outcome), report.publication_id, report.delivery_id, report.messages
    )


def _take_back(connection: Connection, override: Override) -> CarriedOut:
    feed, last = FEEDS[override.target], override.stands_to
    numbers = [row[0] for row in connection.execute(_DELIVERIES, [feed, str(override.override_id)])]
    done = withdraw(connection, override.target, feed, numbers, last, override.end_date)
    _note(connection, override, last, override.delivery_id)
    return CarriedOut(override.override_id, "withdrawn", None if done is None else done.publication_id)


def _note(connection: Connection, override: Override, last: dt.date, delivery_id: int | None) -> None:
    connection.execute(
        "update quality.override set carried_to = %s, delivery_id = %s where override_id = %s",
        [last, delivery_id, override.override_id],
    )
    connection.commit()


def _write(override: Override, last: dt.date, file: Path) -> None:
    said = {
        "end_date": override.stands_to.isoformat(),
        "reason": f"{override.reason_code}: {' '.join(override.reason.split())}",
        "asked_by": override.asked_by,
        "approved_by": override.decided_by,
    }
    value = f"{override.value:f}"
    if override.target == "core.price":
        scheme, _, market = override.subject["scheme"].partition("@")
        names = dict.fromkeys([*IDENTIFIERS.values(), "exchange_code"], "")
        names |= {IDENTIFIERS[scheme]: override.subject["value"], "exchange_code": market}
        told = {"price": value, "currency_code": override.currency_code, "quote_unit_code": override.quote_unit_code}
    else:
        names, told = dict(override.subject), {"rate": value}
    days = [override.begin_date + n * _DAY for n in range((last - override.begin_date).days + 1)]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*names, "business_date", *told, *said], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**names, "business_date": day.isoformat(), **told, **said} for day in days)
