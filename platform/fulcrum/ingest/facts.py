"""Facts about a whole delivery (business date, portfolio code): from content, file name, then command.

Readers find what the content says of itself; here the sources are put in order and held against
each other.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract, Found
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.cells import CellError, date_parser
from fulcrum.warehouse.targets import target

FIRST_BUSINESS_DATE = dt.date(1900, 1, 1)
LEEWAY = dt.timedelta(days=366)
"""A business date may lie so far ahead of today; what is further is a slip (2062 for 2026)."""

SWITCHES = {"complete": ("yes", "no")}
"""`--set` names that every feed takes: `complete=yes` vouches for a file without its footer."""

_BY_NAME = "The file's name"
_CONTENT = ("preamble", "preamble_line", "document")


def last_business_date() -> dt.date:
    """The latest business date that is believed."""
    return dt.datetime.now(dt.UTC).date() + LEEWAY


def delivery_facts(
    contract: FeedContract,
    landed: Landed,
    content: Mapping[str, str],
    parameters: Mapping[str, str],
    in_rows: frozenset[str],
    messages: list[str],
) -> dict[str, str]:
    """What holds for every row, by staging column or fact name; dates as ISO 8601.

    `content` is what the reader found, `in_rows` the staging columns that each row tells itself;
    `messages` gets a sentence where the file's name says something else than the file.

    Raises:
        DeliveryRefusedError: two sources contradict each other, a value is no date, `--set` names
            nothing that the feed takes, or nothing tells a fact that is needed.
    """
    _refuse_unknown(contract, landed, parameters)
    names = dict.fromkeys([*(fact.name for fact in contract.found), *content, *parameters, "business_date"])
    facts: dict[str, str] = {}
    for name in names:
        if name in SWITCHES:
            continue
        told = _told(contract, landed, content, name)
        given = _typed(contract, landed, name, parameters[name], "the command", ()) if name in parameters else None
        if name in in_rows:
            continue  # compared with the rows once they are staged
        if told and given and told[0] != given:
            raise DeliveryRefusedError(
                f"{told[1]} says {name} is {told[0]}, the command says {given}.",
                file=landed.file_name,
                column=name,
                value=given,
                remedy=f"Leave {_option(name)} out, or deliver the right file.",
            )
        if told and content.get(name):
            messages += _misnamed(contract, landed, name, told[0])
        value = told[0] if told else given
        if value is not None:
            facts[name] = value
    _refuse_missing(contract, landed, facts, in_rows)
    return facts


def _told(contract: FeedContract, landed: Landed, content: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """The fact's value and who tells it, without the command."""
    sources = [fact for fact in contract.found if fact.name == name]
    formats = tuple(dict.fromkeys(form for fact in sources for form in fact.date_formats))
    if content.get(name):
        return _typed(contract, landed, name, content[name], "the file", formats), "The file"
    for fact in sources:
        if fact.origin == "file_name" and (value := cut(fact, landed.file_name)):
            return _typed(contract, landed, name, value, "the file name", formats), _BY_NAME
    for fact in sources:
        if fact.origin == "constant" and fact.value is not None:
            return fact.value, "The contract"
    return None


def _misnamed(contract: FeedContract, landed: Landed, name: str, told: str) -> list[str]:
    named = _told(contract, landed, {}, name)
    if named is None or named[1] != _BY_NAME or named[0] == told:
        return []
    return [f"The file's name says {name} is {named[0]}; the file says {told}, and was believed."]


def cut(fact: Found, text: str) -> str | None:
    """What the fact's pattern finds in `text` (all of it where there is none), in the words of `values`."""
    found = re.search(fact.pattern, text) if fact.pattern else None
    word = text if fact.pattern is None else found[fact.name] or "" if found else ""
    return word.strip() or None if fact.values is None else fact.values.get(word.strip())


def content_facts(contract: FeedContract, preamble: Iterable[tuple[int, list[str]]]) -> dict[str, str]:
    """Facts in the rows above the header, by name."""
    rows = list(preamble)
    facts: dict[str, str] = {}
    for fact in contract.found:
        if fact.origin not in _CONTENT or fact.name in facts:
            continue
        for number, (_, cells) in enumerate(rows, 1):
            text = None
            if fact.origin == "preamble" and cells and _same(cells[0], fact.label):
                text = next((cell for cell in cells[1:] if cell.strip()), None)
            elif fact.origin == "preamble_line" and number == fact.line and cells:
                text = cells[0]
            if text and (value := cut(fact, text.replace("\ufeff", ""))):
                facts[fact.name] = value
                break
    return facts


def _same(cell: str, label: str | None) -> bool:
    return label is not None and cell.replace("\ufeff", "").strip().rstrip(":").casefold() == label.casefold()


def _typed(contract: FeedContract, landed: Landed, name: str, value: str, teller: str, formats: tuple[str, ...]) -> str:
    """`value` as ISO 8601 if the fact is a date; business dates must be believable."""
    if target(contract.target).staging_types.get(name) != "date" and not name.endswith("_date"):
        return value.strip()
    is_business = name == "business_date"
    parse = date_parser(
        (*formats, "%Y-%m-%d"),
        *((FIRST_BUSINESS_DATE, last_business_date()) if is_business else ()),
    )
    try:
        return parse(value.strip()) or ""
    except CellError as error:
        raise DeliveryRefusedError(
            f"What {teller} tells as {name} {error}.",
            file=landed.file_name,
            column=name,
            value=value,
            remedy=f"Correct it, or the contract {contract.feed}.",
        ) from error


def _option(name: str) -> str:
    return "--date" if name == "business_date" else f"--set {name}=..."


def _refuse_unknown(contract: FeedContract, landed: Landed, parameters: Mapping[str, str]) -> None:
    known = {*contract.staging_columns, *(fact.name for fact in contract.found), *SWITCHES}
    known |= {"business_date", *contract.reader_options.get("parameters", ())}
    for name, value in parameters.items():
        if name not in known:
            takes = ", ".join(sorted(known & ({fact.name for fact in contract.found} | set(SWITCHES))))
            raise DeliveryRefusedError(
                f"Feed {contract.feed} takes no --set {name}.",
                file=landed.file_name,
                column=name,
                value=value,
                remedy=f"It takes {takes} and the columns of its contract.",
            )
        if name in SWITCHES and value not in SWITCHES[name]:
            raise DeliveryRefusedError(
                f"--set {name} must be {' or '.join(SWITCHES[name])}.",
                file=landed.file_name,
                column=name,
                value=value,
                remedy="Correct the command.",
            )


def _refuse_missing(contract: FeedContract, landed: Landed, facts: Mapping[str, str], in_rows: frozenset[str]) -> None:
    needed = {"business_date": True} | {fact.name: fact.is_required for fact in contract.found}
    for name, is_required in needed.items():
        if is_required and name not in facts and name not in in_rows:
            option = "--date YYYY-MM-DD" if name == "business_date" else f"--set {name}=<{name}>"
            raise DeliveryRefusedError(
                f"Neither the file nor its name tells {name}.",
                file=landed.file_name,
                column=name,
                remedy=f"Pass {option}.",
            )
