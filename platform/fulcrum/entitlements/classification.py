"""How sensitive each published column is, as its contract in `schemas/contracts/{core,mart}` says.

What follows from it for a caller is `policy.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from fulcrum.errors import ContractError

CLASSIFICATIONS = ("public", "internal", "confidential", "restricted")
_LAYERS = ("core", "mart")


def read_classifications(contracts: Path) -> Mapping[str, str]:
    """`schema.table.column` -> classification, of every contract of a published table.

    Raises:
        ContractError: a column has none, or an unknown one.
    """
    found: dict[str, str] = {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads the 24 files ten times as fast
    for layer in _LAYERS:
        for path in sorted((contracts / layer).glob("*.yaml")):
            document = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe ones
            for column in document["schema"][0]["properties"]:
                said = column.get("classification")
                if said not in CLASSIFICATIONS:
                    raise ContractError(
                        f"{layer}/{path.name}: column {column['name']} is classified {said!r}.",
                        remedy=f"Classify it as one of {', '.join(CLASSIFICATIONS)}.",
                    )
                found[f"{layer}.{path.stem}.{column['name']}"] = said
    return found
