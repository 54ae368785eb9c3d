"""What the demo shows of what happened: faults and verdicts, counts by feed, values against the truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from rich.table import Table

from fulcrum.demo.arrivals import Arrival

CENT = Decimal("0.01")


def faults_table(arrivals: Sequence[Arrival]) -> Table:
    """One line for each planted fault: what was expected, and what Fulcrum said."""
    table = Table(title="What was planted, and what Fulcrum said", title_justify="left", expand=True)
    table.add_column("planted", style="bold", no_wrap=True)
    table.add_column("file", overflow="fold")
    table.add_column("said", no_wrap=True)
    table.add_column("quarantined", justify="right")
    table.add_column("because", ratio=1)
    for arrival in arrivals:
        if not arrival.planned.fault:
            continue
        said, style = str(arrival.report.outcome), "green" if arrival.as_expected else "red"
        table.add_row(
            arrival.planned.fault,
            arrival.report.file,
            f"[{style}]{said}[/]",
            f"{arrival.report.rows_quarantined:,}",
            _because(arrival),
        )
    return table


def _because(arrival: Arrival) -> str:
    changed = f"{arrival.report.rows_published:,} rows published, {arrival.report.rows_superseded:,} superseded"
    reasons = [message for message in arrival.report.messages if "critical" in message] or list(
        arrival.report.messages[:1]
    )
    return (reasons[0] if reasons else changed)[:220]


def feeds_table(arrivals: Sequence[Arrival]) -> Table:
    """Counts of files and rows by feed."""
    table = Table(title="What arrived and what became of it", title_justify="left")
    for heading in ("feed", "files", "rows in", "quarantined", "published", "superseded", "blocked", "refused"):
        table.add_column(heading, justify="left" if heading == "feed" else "right")
    for feed in dict.fromkeys(arrival.report.feed for arrival in arrivals):
        reports = [arrival.report for arrival in arrivals if arrival.report.feed == feed]
        table.add_row(
            feed,
            f"{len(reports):,}",
            *(
                f"{sum(getattr(report, name) for report in reports):,}"
                for name in ("rows_in", "rows_quarantined", "rows_published", "rows_superseded")
            ),
            *(f"{sum(report.outcome == outcome for report in reports):,}" for outcome in ("blocked", "refused")),
        )
    return table


@dataclass(frozen=True)
class NavCheck:
    """Net asset values in the warehouse against the known truth.

    `equal` agree to the cent and claim to be whole; `marked` differ or are missing and say so
    themselves (incomplete, or resting on an old price); `silent` differ and do not say so.
    """

    equal: int
    marked: int
    silent: tuple[str, ...]


def check_navs(connection: psycopg.Connection[Any], truth: Path) -> NavCheck:
    """Compare every (portfolio, day); a quarantined position shows as such in the day's deliveries."""
    wanted = json.loads(truth.read_text(encoding="utf-8"))["nav"]
    rows = connection.execute(
        """
        select p.portfolio_code, n.business_date::text, n.nav_base,
               n.is_complete and n.positions_flagged = 0
                 and not exists (select from quality.quarantined_row q join governance.delivery d using (delivery_id)
                                  where d.feed = 'house_holdings' and d.business_date_to = n.business_date
                                    and q.row_key ->> 'portfolio_code' = p.portfolio_code)
                 and not exists (select from governance.publication r
                                  where r.feed = 'house_holdings' and r.business_date_to = n.business_date
                                    and r.rows_superseded > 0)
          from mart.portfolio_nav n join core.portfolio p using (portfolio_id)
         where n.superseded_in is null
        """
    ).fetchall()
    found = {(code, day): (nav, is_clean) for code, day, nav, is_clean in rows}
    equal, marked, silent = 0, 0, []
    for code, days in wanted.items():
        for day, true in days.items():
            nav, is_clean = found.get((code, day), (None, False))
            if nav is not None and abs(nav - Decimal(true)) < CENT:
                equal += 1
            elif not is_clean:
                marked += 1
            else:
                silent.append(f"{code} {day}: {nav} instead of {true}")
    return NavCheck(equal, marked, tuple(silent))
