"""How many known errors of price histories the rules find, by kind, and how often they cry wolf.

The files are `paired_series.py`; nothing is published, but judging leaves deliveries and results behind: use a
database that is thrown away.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fulcrum.contracts.catalog import contract_for
from fulcrum.errors import DeliveryError, QueryError
from fulcrum.ingest.landing import land
from fulcrum.ingest.staging import stage
from fulcrum.pipeline import bar_files, record
from fulcrum.pipeline.bar_files import BarFile
from fulcrum.pipeline.paired_series import bars_of, errors_of, is_right, kind_of, market_of, prices_differ, truth_of
from fulcrum.quality.gate import failed_rows, judge
from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse import migrations, server
from fulcrum.warehouse.engine import connect

if TYPE_CHECKING:
    from rich.table import Table

FEED = "yahoo_history"
OF_EVENTS = ("price.dividend", "price.adjust")
"""Beginnings of the rules that judge dividends and adjusted prices; the others judge prices."""
_REMEDY = "Name the folder of the histories: X.csv is wrong, X-fixed.csv true."

Dated = tuple[BarFile, Mapping[dt.datetime, dt.date]]
"""A file and the day of each of its bars."""


@dataclass
class Kind:
    """One kind of error: what was wrong and found, and what was flagged in series that are right."""

    errors: int = 0
    missed: list[str] = field(default_factory=list)
    points: int = 0
    alarms: dict[str, int] = field(default_factory=dict)
    """By file that is right: lines that were flagged."""
    beside: dict[str, int] = field(default_factory=dict)
    """By corrected file: lines flagged in what nobody corrected: the prices, where a dividend was."""
    notes: list[str] = field(default_factory=list)
    """What could not be measured, or not all of it, and why."""

    @property
    def recall(self) -> float:
        """Percent of the errors that a rule flagged."""
        return 100.0 * (self.errors - len(self.missed)) / self.errors if self.errors else 100.0

    @property
    def false_alarms(self) -> float:
        """Flagged lines per 1,000 of the series that are right."""
        return 1000.0 * sum(self.alarms.values()) / self.points if self.points else 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "errors": self.errors,
            "missed": self.missed,
            "recall_pct": round(self.recall, 2),
            "right_points": self.points,
            "false_alarms": self.alarms,
            "false_alarms_per_1000": round(self.false_alarms, 3),
            "other_findings": self.beside,
            "notes": self.notes,
        }


def measure_apart(folder: Path) -> dict[str, Kind]:
    """`measure` on an embedded server of its own, which is thrown away.

    Raises:
        QueryError: the folder holds no histories.
        GateError: a rule could not be measured.
    """
    if not any(folder.glob("*.csv")):
        raise QueryError(f"There are no .csv files in {folder.name}.", remedy=_REMEDY)
    with tempfile.TemporaryDirectory(prefix="fulcrum-measure-") as scratch:
        Path(scratch).chmod(0o711)
        settings = read_settings(home=Path(scratch) / "home")
        try:
            server.ensure_running(settings)
            migrations.upgrade(settings)
            return measure(settings, folder, Path(scratch))
        finally:
            server.erase(settings)


def measure(settings: Settings, folder: Path, scratch: Path) -> dict[str, Kind]:
    """What the rules find in the files of `folder`, by kind of error; copies are written to `scratch`.

    A file that cannot be read is noted and left out.

    Raises:
        QueryError: no file could be measured.
        GateError: a rule could not be measured.
    """
    kinds: dict[str, Kind] = defaultdict(Kind)
    corrected: dict[str, bool] = {}
    for file in sorted(folder.glob("*.csv"), key=lambda path: path.stem.endswith("fixed")):
        kind, truth = kinds[kind_of(file)], truth_of(file)
        try:
            bars, true = _pair(file, truth, kind)
            if truth is None and not is_right(file):
                kind.notes.append(
                    f"{file.name}: nothing says what is true; there is no {file.stem}-fixed{file.suffix}."
                )
                continue
            copy = scratch / _copied_name(settings, file)
            bar_files.write(*bars, copy)
            flagged = flagged_lines(settings, copy)
        except DeliveryError as refusal:
            kind.notes.append(str(refusal))
            continue
        numbers = bars_of(*bars)
        if true is None:
            _count_alarms(kind, file.name, len(numbers), flagged, was_price=corrected.get(file.name))
            continue
        truths = bars_of(*true)
        corrected[truth.name if truth else ""] = prices_differ(numbers, truths)
        if apart := len(numbers.keys() ^ truths.keys()):
            kind.notes.append(f"{file.name}: {apart} bars are in one of the two files only.")
        found = {line for lines in flagged.values() for line in lines}
        for error in errors_of(numbers, truths):
            kind.errors += 1
            kind.missed += [] if error.lines & found else [f"{file.name}: {error.what}"]
    if not any(kind.errors or kind.points for kind in kinds.values()):
        notes = " ".join(note for kind in kinds.values() for note in kind.notes)
        raise QueryError(f"No history in {folder.name} can be measured. {notes}".rstrip(), remedy=_REMEDY)
    return dict(kinds)


def _pair(file: Path, truth: Path | None, kind: Kind) -> tuple[Dated, Dated | None]:
    """The bars of a file and of its truth by the same days; what reading noticed goes to `kind`."""
    files = [bar_files.read(one) for one in (file, truth) if one is not None]
    kind.notes += files[0].notes
    days = bar_files.days_of(files)
    return (files[0], days), (files[1], days) if truth else None


def _copied_name(settings: Settings, file: Path) -> str:
    """A name that the feed's patterns read, whatever the file is called: of the name only the market matters."""
    known = next(fact.values for fact in contract_for(settings, FEED).found if fact.name == "exchange_code")
    market = market_of(file)
    return f"SERIES-{market}-1d.csv" if market in (known or ()) else "SERIES-1d.csv"


def _count_alarms(
    kind: Kind, name: str, points: int, flagged: Mapping[str, set[int]], *, was_price: bool | None
) -> None:
    """`was_price`: whether prices were what was corrected; None for a series that never was wrong."""
    kind.points += points
    events = {line for rule, lines in flagged.items() if rule.startswith(OF_EVENTS) for line in lines}
    prices = {line for rule, lines in flagged.items() if not rule.startswith(OF_EVENTS) for line in lines}
    counted = events | prices if was_price is None else prices if was_price else events
    kind.alarms |= {name: len(counted)} if counted else {}
    kind.beside |= {name: left} if (left := len((events | prices) - counted)) else {}


def flagged_lines(settings: Settings, file: Path) -> dict[str, set[int]]:
    """By critical or warning row rule, the lines of `file` that it flags; nothing is published.

    Raises:
        GateError: a rule could not be measured.
    """
    contract = contract_for(settings, FEED)
    landed = land(settings, file)
    with connect(settings) as connection:
        delivery_id = record.begin(connection, contract, landed, {})
        staged = stage(connection, contract, landed, delivery_id, {})
        record.staged(connection, delivery_id, staged)
        verdict = judge(settings, contract, staged, delivery_id)
        failed = [one for one in verdict.results if one.status in ("failed", "broken") and one.severity != "info"]
        found = failed_rows(settings, connection, contract, staged, delivery_id, [one.rule_id for one in failed])
        record.drop_staging(connection, delivery_id)
        connection.commit()
    return {rule: {line for line, _ in lines} for rule, lines in found.items()}


def total_of(kinds: Mapping[str, Kind]) -> Kind:
    """All kinds together."""
    whole = Kind()
    for kind in kinds.values():
        whole.errors, whole.points = whole.errors + kind.errors, whole.points + kind.points
        whole.missed += kind.missed
        whole.alarms |= kind.alarms
        whole.beside |= kind.beside
        whole.notes += kind.notes
    return whole


def table_of(kinds: Mapping[str, Kind]) -> Table:
    """What people read."""
    from rich.table import Table

    table = Table("kind", "errors", "found", "recall %", "right points", "false alarms", "per 1,000", "other findings")
    for name, kind in [*sorted(kinds.items()), ("all", total_of(kinds))]:
        found = kind.errors - len(kind.missed)
        recall = f"{kind.recall:.1f}" if kind.errors else "-"
        alarms, beside = sum(kind.alarms.values()), sum(kind.beside.values())
        row = (kind.errors, found, recall, kind.points, alarms, f"{kind.false_alarms:.2f}", beside)
        table.add_row(name, *map(str, row))
    return table
