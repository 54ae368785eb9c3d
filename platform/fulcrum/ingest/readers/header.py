"""Finds the header row of a table, and says what is wrong with a file whose header no contract fits.

Reading what stands under the header is `tabular.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fulcrum.contracts.catalog import contracts_at
from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.layout import Layout, layout, nearest_feed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError

CellRow = tuple[int, list[str]]
"""Physical line (1-based) and its cells."""


def find_header(
    landed: Landed, contract: FeedContract, cell_rows: Iterator[CellRow]
) -> tuple[list[CellRow], int, Layout]:
    """The rows above the header, the header's line and how it fits the contract."""
    above: list[CellRow] = []
    best: tuple[int, list[str], Layout] | None = None
    for number, cells in cell_rows:
        found = layout(contract, cells)
        if found.fits and found.known:
            return above, number, found
        if found.known and (best is None or found.known > best[2].known):
            best = number, cells, found
        above.append((number, cells))
        if len(above) >= contract.dialect.header_within:
            break
    raise layout_refusal(landed, contract, above, best)


def layout_refusal(
    landed: Landed,
    contract: FeedContract,
    above: Sequence[CellRow],
    best: tuple[int, list[str], Layout] | None,
) -> DeliveryRefusedError:
    """Say what the file's header is instead, and which feed is nearest."""
    siblings = contracts_at(contract.place).values()
    candidates = [(number, cells, near) for number, cells in above if (near := nearest_feed(cells, siblings))]
    if candidates:
        number, cells, near = max(candidates, key=lambda candidate: (candidate[2].fits, candidate[2].known))
    elif best:
        number, cells, near = best
    else:
        number, cells = above[0] if above else (1, [""])
        return _unknown_header(landed, contract, number, cells)
    own = layout(contract, cells)
    if near.feed == contract.feed:
        return DeliveryRefusedError(
            f"The header is not the one of feed {contract.feed}: it {own.difference}.",
            file=landed.file_name,
            row=number,
            column=(own.repeated or own.unknown or own.missing)[0],
            value=contract.dialect.delimiter.join(cells),
            remedy="If this is a new edition, add its columns to the contract; no code is needed.",
        )
    says = "it is that of" if near.fits else f"the nearest is {near.feed}, of which it {near.difference};"
    return DeliveryRefusedError(
        f"The header is not the one of feed {contract.feed} (it {own.difference}): "
        + (f"it is that of feed {near.feed}." if near.fits else f"{says} see that contract."),
        file=landed.file_name,
        row=number,
        column=(own.repeated or own.unknown or own.missing)[0],
        value=contract.dialect.delimiter.join(cells),
        remedy=f"Deliver it to {near.feed}." if near.fits else "Add a contract for this layout; no code is needed.",
    )


_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def _unknown_header(landed: Landed, contract: FeedContract, number: int, cells: list[str]) -> DeliveryRefusedError:
    text = contract.dialect.delimiter.join(cells)
    counts = {mark: text.count(mark) for mark in _DELIMITERS if mark != contract.dialect.delimiter}
    likely = max(counts, key=lambda mark: counts[mark])
    if len(cells) == 1 and counts[likely]:
        return DeliveryRefusedError(
            f"The cells are separated by {_DELIMITERS[likely]}, feed {contract.feed} expects "
            f"{_DELIMITERS.get(contract.dialect.delimiter, repr(contract.dialect.delimiter))}.",
            file=landed.file_name,
            row=number,
            column=text.split(likely)[0],
            value=text,
            remedy="Export it again with the right separator, or add a contract for this dialect.",
        )
    expected = ", ".join(dict.fromkeys(field.header for field in contract.fields if not field.may_be_absent))
    return DeliveryRefusedError(
        f"No row of the first {contract.dialect.header_within} is a header that any feed knows; "
        f"{contract.feed} expects {expected}.",
        file=landed.file_name,
        row=number,
        column=cells[0] if cells else "",
        value=text,
        remedy="Check that this is the right file, or add a contract for it.",
    )
