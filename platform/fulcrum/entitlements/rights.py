"""What one caller may see and do, as every path of the API consults it.

Where rights come from (policy file, principals, keys, tokens) stands in `policy.py` and
`principals.py`; row-level security in PostgreSQL enforces `scope_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Mask(StrEnum):
    """What a caller sees instead of a classified value."""

    FULL = "full"
    """`***`; of dates and numbers nothing."""
    PARTIAL = "partial"
    """The first letter of a text, the year of a date; of numbers nothing."""
    HASH = "hash"
    """A keyed SHA-256, the same for the same value within one installation; of dates and numbers nothing."""
    NULL = "null"
    """Nothing."""


class Permission(StrEnum):
    """What a caller may do besides querying the entities of its rows."""

    INTROSPECT = "introspect"
    """Ask for the schema, and be told names that are near a mistyped one."""
    EXPORT = "export"
    """Take whole connections as files."""
    SUBSCRIBE = "subscribe"
    """Be told of publications and quality events."""
    QUALITY = "quality"
    """Read refused rows and what was said about files, which may quote them."""
    USAGE = "usage"
    """Read who used what."""
    REGISTER = "register"
    """Register trusted documents."""
    WORK = "work"
    """Move findings of the quality desk, and ask for waivers, overrides and rollbacks."""
    DECIDE = "decide"
    """Decide what others have asked for."""


@dataclass(frozen=True)
class Rights:
    """Rights of one caller; `masks` is by column (schema.table.column), for those that are not shown as they are."""

    principal: str
    roles: tuple[str, ...]
    scope_id: int
    masks: Mapping[str, Mask] = field(default_factory=dict)
    permissions: frozenset[Permission] = frozenset()

    def mask(self, column: str | None) -> Mask | None:
        """How values of a column are shown; None: as they are."""
        return None if column is None else self.masks.get(column)

    def may(self, permission: Permission) -> bool:
        """Whether the caller may do this."""
        return permission in self.permissions

    @cached_property
    def profile(self) -> str:
        """All that a compiled plan depends on; callers of one profile share plans."""
        return repr((sorted(self.masks.items()), sorted(self.permissions)))


EVERYTHING = Rights("", (), 0, {}, frozenset(Permission))
"""Rights of our own processes that have no caller: checks and tests of the compiler."""
