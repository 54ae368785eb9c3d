"""Whether a Form 13F filing states its values in thousands of dollars or in dollars.

Nothing in the table says so: the rule changed with the filing date, which is found here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from fulcrum.errors import DeliveryRefusedError

DOLLARS_SINCE = dt.date(2023, 1, 3)
"""SEC release 34-95148: filings from this day on state dollars, all before thousands of dollars."""

FIRST_PERIOD_IN_DOLLARS = dt.date(2022, 12, 31)
"""A Saturday; EDGAR opened again on 2023-01-03, so nothing about that day was filed in thousands."""

OVERNIGHT = dt.timedelta(days=5)
"""After 17:30 on a Friday before New Year, a filing is dated the Tuesday after."""

ACCESSION = re.compile(r"(?<!\d)\d{10}-(?P<year>\d{2})-\d{6}(?!\d)", re.ASCII)
DATE_FORMATS = ("%Y-%m-%d", "%Y%m%d", "%m-%d-%Y")
WHOLE = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True)
class Unit:
    """How a filing states its values, and what says so."""

    is_thousands: bool
    evidence: str

    def in_dollars(self, value: str) -> str:
        """The value in dollars, exactly; a text that is no number comes back as it is."""
        if not self.is_thousands or not value:
            return value
        if WHOLE.fullmatch(value):
            return f"{value}000"
        try:
            return f"{Decimal(value).scaleb(3):f}"
        except InvalidOperation:
            return value

    @property
    def message(self) -> str:
        """For the report of the delivery."""
        stated = "thousands of dollars, stored as dollars" if self.is_thousands else "dollars"
        return f"Values are in {stated}: {self.evidence}."


@dataclass(frozen=True)
class Clues:
    """What is known of a filing's dates: texts as found, empty where they are not told."""

    file: str
    filed: str = ""
    signed: str = ""
    period: str = ""
    parameters: Mapping[str, str] | None = None


def unit_of(clues: Clues) -> Unit:
    """Decide by the first that is told: header, signature, command, accession number, period.

    The accession number tells the year of filing. That is enough: in 2023 EDGAR's first working
    day was the day of the change.

    Raises:
        DeliveryRefusedError: nothing tells the filing date, or the command contradicts the file, or
            the filing is older than its period.
    """
    found = list(_from_file(clues))
    told = (clues.parameters or {}).get("filed_date", "")
    if told:
        command = _by_date(clues.file, told, "`--set filed_date` says", "filed_date")
        if found and found[0].is_thousands != command.is_thousands and not _is_overnight(clues, told):
            raise DeliveryRefusedError(
                f"The file and the command contradict each other: {found[0].evidence}, but {command.evidence}.",
                file=clues.file,
                value=told,
                remedy="Leave out `--set filed_date`, or fetch the right file.",
            )
        if not (clues.filed or clues.signed):
            found.insert(0, command)
    if not found and clues.period and parse_date(clues.file, clues.period, "period") >= FIRST_PERIOD_IN_DOLLARS:
        evidence = f"a report of {clues.period} can only be filed since {DOLLARS_SINCE}"
        found.append(Unit(is_thousands=False, evidence=evidence))
    if not found:
        raise DeliveryRefusedError(
            "Neither the file nor its name tells when it was filed, so its values may be in dollars "
            f"or in thousands of dollars (the rule changed on {DOLLARS_SINCE}).",
            file=clues.file,
            column="value",
            remedy="Pass the filing date with `--set filed_date=YYYY-MM-DD`, keep the accession number in the "
            "file name (0000950123-22-012275), or deliver the full submission text file.",
        )
    _check_order(clues, told)
    return found[0]


def parse_date(file: str, text: str, column: str) -> dt.date:
    """A date of an EDGAR header, a cover page or a command.

    Raises:
        DeliveryRefusedError: it is none.
    """
    for pattern in DATE_FORMATS:
        try:
            return dt.datetime.strptime(text.strip(), pattern).replace(tzinfo=dt.UTC).date()
        except ValueError:
            continue
    raise DeliveryRefusedError(
        "This is no date.", file=file, column=column, value=text, remedy="Write it as YYYY-MM-DD."
    )


def _from_file(clues: Clues) -> Iterator[Unit]:
    if clues.filed:
        yield _by_date(clues.file, clues.filed, "the submission header says", "FILED AS OF DATE")
    elif clues.signed:
        yield _by_date(clues.file, clues.signed, "the cover page is signed", "signatureDate")
    if accession := ACCESSION.search(clues.file):
        year = _accession_year(accession)
        yield Unit(year < DOLLARS_SINCE.year, f"accession number {accession[0]} is of {year}")


def _accession_year(accession: re.Match[str]) -> int:
    year = int(accession["year"])
    return year + (1900 if year >= 90 else 2000)  # noqa: PLR2004 - EDGAR began in 1993


def _is_overnight(clues: Clues, told: str) -> bool:
    """Whether a filing got its number on the last evening of a year and its date in the next."""
    accession = ACCESSION.search(clues.file)
    if clues.filed or clues.signed or not accession:
        return False
    last_day = dt.date(_accession_year(accession), 12, 31)
    return dt.timedelta(0) < parse_date(clues.file, told, "filed_date") - last_day <= OVERNIGHT


def _by_date(file: str, text: str, who: str, column: str) -> Unit:
    filed = parse_date(file, text, column)
    side = "before" if filed < DOLLARS_SINCE else "not before"
    return Unit(filed < DOLLARS_SINCE, f"{who} {filed}, {side} {DOLLARS_SINCE}")


def _check_order(clues: Clues, told: str) -> None:
    filed = clues.filed or clues.signed or told
    if not filed or not clues.period:
        return
    if parse_date(clues.file, filed, "filed_date") < parse_date(clues.file, clues.period, "period"):
        raise DeliveryRefusedError(
            f"Filed {filed}, before its period ended ({clues.period}): one of the two dates is wrong.",
            file=clues.file,
            column="filed_date",
            value=filed,
            remedy="Check the dates that the file, its name and the command tell.",
        )
