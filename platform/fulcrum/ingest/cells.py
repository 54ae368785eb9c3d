"""Parsers of single cells: text in the dialect of the file in, text that PostgreSQL types exactly out.

Numbers stay decimal text from file to column, so no digit is ever rounded. Which column needs which
parser is `fields.py`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from functools import lru_cache

from stdnum import cusip, figi, isin, lei
from stdnum.gb import sedol

CellParser = Callable[[str], str | None]

FIRST_DATE = dt.date(1700, 1, 1)
FORMULA = re.compile(r"[=@\t\r]|[+-].*(?:\||\w\()", re.DOTALL)
"""What a spreadsheet would run when it opens the cell; `-`, `-12.5` and `- unlisted` are none."""

_EXACT = Context(prec=1000)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jän jänner",
            "feb february februar",
            "mar march mär märz mrz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct october okt oktober",
            "nov november",
            "dec december dez dezember",
        ),
        1,
    )
    for name in names.split()
}
_DIRECTIVES = {
    "%d": r"(?P<d>\d{1,2})",
    "%m": r"(?P<m>\d{1,2})",
    "%Y": r"(?P<Y>\d{4})",
    "%y": r"(?P<y>\d{2})",
    "%b": r"(?P<b>[^\W\d]+)\.?",
    "%B": r"(?P<b>[^\W\d]+)\.?",
    "%T": r"\d{2}:\d{2}:\d{2}",  # a time of day says nothing of the business date
    "%z": r"[+-]\d{2}:?\d{2}",
}
_CHECKS: dict[str, Callable[[str], object]] = {
    "isin": isin.is_valid,
    "cusip": cusip.is_valid,
    "sedol": sedol.is_valid,
    "figi": figi.is_valid,
    "lei": lei.is_valid,
    "us_ticker": re.compile(r"[A-Z]{1,6}([./ -][A-Z]{1,3})?", re.ASCII).fullmatch,
}


class CellError(ValueError):
    """A cell does not say what its column should; the message is for people."""


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take this cell for a formula."""
    return bool(text) and text[0] in "=@+-\t\r" and FORMULA.match(text) is not None


def number_parser(
    decimal_mark: str = ".", thousands_mark: str | None = None, strip: Iterable[str] = (), scale: str | None = None
) -> CellParser:
    """Parser of numbers; `scale` is a decimal factor. Thousands marks must group by three, or not be there."""
    grouped = rf"\d{{1,3}}(?:{re.escape(thousands_mark)}\d{{3}})+|" if thousands_mark else ""
    mark = re.escape(decimal_mark)
    shape = re.compile(rf"[+-]?(?:(?:{grouped}\d+)(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d{{1,3}})?", re.ASCII)
    removed = tuple(strip)
    factor = Decimal(scale) if scale else None
    wanted = f"a number ({'1' + thousands_mark + '234' if thousands_mark else '1234'}{decimal_mark}56)"

    def parse(text: str) -> str:
        for mark in removed:
            text = text.replace(mark, "")
        text = text.strip()
        if text[:1] == "(" and text[-1:] == ")":  # accountants' minus
            text = f"-{text[1:-1].strip()}"
        if not shape.fullmatch(text):
            raise CellError(f"is not {wanted}")
        if thousands_mark:
            text = text.replace(thousands_mark, "")
        if decimal_mark != ".":
            text = text.replace(decimal_mark, ".")
        return text if factor is None else format(_EXACT.multiply(Decimal(text), factor), "f")

    return parse


def date_parser(formats: Iterable[str], first: dt.date = FIRST_DATE, last: dt.date = dt.date.max) -> CellParser:
    """Parser of dates to ISO 8601; month names are English or German, of any length and case."""
    shapes = [_date_shape(form) for form in formats]
    wanted = " or ".join(formats)

    @lru_cache(maxsize=4096)
    def parse(text: str) -> str:
        for shape in shapes:
            if found := shape.fullmatch(text):
                day = _date(found.groupdict())
                if not first <= day <= last:
                    raise CellError(f"is a date outside {first.isoformat()} to {last.isoformat()}")
                return day.isoformat()
        raise CellError(f"is not a date ({wanted})")

    return parse


def _date_shape(form: str) -> re.Pattern[str]:
    pattern, rest = "", form
    while rest:
        if rest[:2] in _DIRECTIVES:
            pattern, rest = pattern + _DIRECTIVES[rest[:2]], rest[2:]
        else:
            pattern, rest = pattern + (r"\s+" if rest[0] == " " else re.escape(rest[0])), rest[1:]
    return re.compile(pattern, re.ASCII if "%b" not in form.lower() else 0)


def _date(parts: dict[str, str | None]) -> dt.date:
    month = parts.get("m") or _MONTHS.get((parts.get("b") or "").casefold())
    if month is None:
        raise CellError(f"has no month that is known ({parts.get('b')!r})")
    year = parts.get("Y")
    if year is None:  # POSIX: 69..99 are 1969..1999, 00..68 are 2000..2068
        short = int(parts.get("y") or 0)
        year = str(short + (1900 if short > 68 else 2000))  # noqa: PLR2004
    try:
        return dt.date(int(year), int(month), int(parts.get("d") or 1))
    except ValueError as error:
        raise CellError("is no day of the calendar") from error


def boolean_parser() -> CellParser:
    """Parser of yes and no in the usual spellings."""
    words = dict.fromkeys(("true", "t", "yes", "y", "1"), "t") | dict.fromkeys(("false", "f", "no", "n", "0"), "f")

    def parse(text: str) -> str:
        try:
            return words[text.casefold()]
        except KeyError:
            raise CellError("is neither true nor false") from None

    return parse


def integer_parser(parse_number: CellParser) -> CellParser:
    """Parser of whole numbers, also when they are written `12.00`."""

    def parse(text: str) -> str:
        value = Decimal(parse_number(text) or "0")
        if value != value.to_integral_value():
            raise CellError("is not a whole number")
        return format(value.to_integral_value(), "f")

    return parse


def text_parser(extract: str | None = None) -> CellParser:
    """Parser of text: `extract` replaces a cell that it matches by its group `value`."""
    pattern = re.compile(extract) if extract else None

    def parse(text: str) -> str | None:
        if "\x00" in text:
            raise CellError("holds a NUL character")
        if pattern and (found := pattern.search(text)):
            return found["value"].strip() or None
        return text

    return parse


def has_form(form: str, text: str) -> bool:
    """Whether `text` is an identifier of that form, check digits included."""
    return bool(_CHECKS[form](text))


FORMS = frozenset(_CHECKS)
