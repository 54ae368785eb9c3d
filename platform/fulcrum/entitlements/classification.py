"""How sensitive each published column is, as its contract in `schemas/contracts/{core,mart}` says.

What follows from it for a caller is `policy.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fulcrum.contracts.model import FeedContract
from fulcrum.errors import ContractError
from fulcrum.kit.documents import read_yaml

CLASSIFICATIONS = ("public", "internal", "confidential", "restricted")
PERSONAL = "restricted"
"""The class of what tells about a person."""
_LAYERS = ("core", "mart")


def read_classifications(contracts: Path) -> Mapping[str, str]:
    """`schema.table.column` -> classification, of every contract of a published table.

    Raises:
        ContractError: a column has none, or an unknown one.
    """
    found: dict[str, str] = {}
    for layer in _LAYERS:
        for path in sorted((contracts / layer).glob("*.yaml")):
            document = read_yaml(path.read_text("utf-8"))
            for column in document["schema"][0]["properties"]:
                said = column.get("classification")
                if said not in CLASSIFICATIONS:
                    raise ContractError(
                        f"{layer}/{path.name}: column {column['name']} is classified {said!r}.",
                        remedy=f"Classify it as one of {', '.join(CLASSIFICATIONS)}.",
                    )
                found[f"{layer}.{path.stem}.{column['name']}"] = said
    return found


def personal_columns(
    contract: FeedContract, classifications: Mapping[str, str]
) -> tuple[frozenset[str], frozenset[str]]:
    """The personal columns of a feed, by every name that they have in file and staging; and all that are known.

    A column is personal by the feed's own contract, or by that of what it is published as.
    """
    personal: set[str] = set()
    known: set[str] = set()
    for one in contract.fields:
        names = {one.name, one.header, *one.staged_as}
        published = {
            classifications.get(f"{contract.target}{end}.{name}") for end in ("", "_version") for name in names
        }
        known |= names
        if one.classification == PERSONAL or PERSONAL in published:
            personal |= names
    return frozenset(personal), frozenset(known)
