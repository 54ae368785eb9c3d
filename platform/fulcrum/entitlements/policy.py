"""The policy file: which role sees which columns how, and what else it may do.

Whose rows somebody sees is not here: that is the row scope of the principal, kept in the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fulcrum.entitlements.classification import CLASSIFICATIONS, read_classifications
from fulcrum.entitlements.rights import Mask, Permission, Rights
from fulcrum.errors import SettingsError
from fulcrum.settings import Settings

CLEAR = "clear"
_LEAST_FIRST = (Mask.PARTIAL, Mask.HASH, Mask.FULL, Mask.NULL)
_ROLE_WORDS = {"purpose", "masks", "permissions"}


@dataclass(frozen=True)
class Role:
    """What a role sees and may do; `masks` by classification or column, None: clear."""

    name: str
    purpose: str
    masks: Mapping[str, Mask | None]
    permissions: frozenset[Permission]

    def mask(self, column: str, classification: str) -> Mask | None:
        """How this role sees a column."""
        return self.masks[column] if column in self.masks else self.masks.get(classification)


@dataclass(frozen=True)
class Policy:
    """All roles, and the classified columns that they speak of."""

    roles: Mapping[str, Role]
    classifications: Mapping[str, str]

    def rights(self, principal: str, roles: Iterable[str], scope_id: int) -> Rights:
        """The rights of a principal with these roles; roles that the file does not name give nothing.

        A column is masked only if every role masks it, and then as the most generous does.
        """
        held = [self.roles[name] for name in sorted(set(roles)) if name in self.roles]
        masks = {
            column: mask
            for column, classification in self.classifications.items()
            if (mask := _most_generous([role.mask(column, classification) for role in held])) is not None
        }
        permissions = frozenset[Permission]().union(*(role.permissions for role in held))
        return Rights(principal, tuple(role.name for role in held), scope_id, masks, permissions)


def _most_generous(masks: list[Mask | None]) -> Mask | None:
    if not masks:
        return Mask.NULL
    if None in masks:
        return None
    return min((mask for mask in masks if mask is not None), key=_LEAST_FIRST.index)


def load_policy(settings: Settings) -> Policy:
    """The policy of the project.

    Raises:
        SettingsError: the file says something that nobody could mean.
        ContractError: a column is not classified.
    """
    schemas = settings.project / "schemas"
    return read_policy(schemas / "access" / "policy.yaml", read_classifications(schemas / "contracts"))


def read_policy(path: Path, classifications: Mapping[str, str]) -> Policy:
    """The policy in a file.

    Raises:
        SettingsError: a role, column, mask or permission in it is unknown.
    """
    try:
        document: Any = yaml.safe_load(path.read_text("utf-8"))
        stated: dict[str, dict[str, Any]] = document["roles"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SettingsError(f"{path.name}: there is no readable list of roles in it ({error}).") from error
    roles = {name: _role(path.name, name, said, classifications) for name, said in stated.items()}
    return Policy(roles, classifications)


def _role(file: str, name: str, said: Mapping[str, Any], classifications: Mapping[str, str]) -> Role:
    where = f"{file}: role {name}"
    if unknown := set(said) - _ROLE_WORDS:
        raise SettingsError(f"{where} says {', '.join(sorted(unknown))}, which means nothing.")
    if not said.get("purpose"):
        raise SettingsError(f"{where} has no purpose.", remedy="Say what for somebody has it.")
    masks: dict[str, Mask | None] = {}
    for what, word in (said.get("masks") or {}).items():
        if what not in CLASSIFICATIONS and what not in classifications:
            raise SettingsError(f"{where} masks {what}, which is neither a classification nor a published column.")
        if word != CLEAR and word not in list(Mask):
            raise SettingsError(f"{where} masks {what} by {word!r}.", remedy=f"Say {CLEAR}, {', '.join(Mask)}.")
        masks[what] = None if word == CLEAR else Mask(word)
    permitted = said.get("permissions") or []
    if unknown := set(permitted) - set(Permission):
        raise SettingsError(f"{where} may {', '.join(sorted(unknown))}.", remedy=f"Say {', '.join(Permission)}.")
    return Role(name, said["purpose"], masks, frozenset(map(Permission, permitted)))
