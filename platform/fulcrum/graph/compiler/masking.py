"""What a caller sees instead of a masked column, and the refusal to compute with it.

Which columns are masked for whom is decided in `fulcrum.entitlements.policy`.
"""

from __future__ import annotations

from fulcrum.entitlements.rights import Mask, Permission, Rights
from fulcrum.graph.binding import BoundField
from fulcrum.graph.errors import ForbiddenError

_STRICTEST_LAST = (Mask.PARTIAL, Mask.HASH, Mask.FULL, Mask.NULL)
_HASHED_LETTERS = 16  # 64 bits: enough to tell clients apart, too few to look anything up


def mask_of(bound: BoundField, rights: Rights) -> Mask | None:
    """How the caller sees a field: as the strictest mask on a column that it is made from."""
    if not rights.masks:
        return None
    found = [mask for path in bound.paths if (mask := rights.mask(path)) is not None]
    return max(found, key=_STRICTEST_LAST.index) if found else None


def refuse_masked(bound: BoundField, rights: Rights) -> None:
    """Refuse to filter, order, group or sum by a field that the caller may not read.

    Raises:
        ForbiddenError: it is masked.
    """
    if mask_of(bound, rights) is not None:
        raise ForbiddenError(
            f"`{bound.python_name}` is masked for your roles: it cannot be searched, ordered or computed with.",
            remedy="Select it only, or ask for a role that may read it.",
        )


def refuse_hidden(bound: BoundField, rights: Rights) -> None:
    """Refuse an object, as an explanation, that would show in its texts what the caller may not read.

    Raises:
        ForbiddenError: something in it is masked.
    """
    if mask_of(bound, rights) is not None:
        raise ForbiddenError(
            f"`{bound.python_name}` rests on values that are masked for your roles.",
            remedy="Leave it out, or ask for a role that may read them.",
        )


def refuse_without(needed: Permission | None, rights: Rights) -> None:
    """Refuse a field that needs a permission which the caller lacks.

    Raises:
        ForbiddenError: it is lacking.
    """
    if needed is not None and not rights.may(needed):
        raise ForbiddenError(
            f"This needs the permission `{needed}`, which your roles do not give.",
            remedy="Leave the field out, or ask for a role that has it (`fulcrum policy` lists them).",
        )


def masked(sql: str, bound: BoundField, rights: Rights) -> str:
    """The SQL of a field as the caller may see it.

    Raises:
        ForbiddenError: the field promises a value, and its mask has none.
    """
    mask = mask_of(bound, rights)
    if mask is None:
        return sql
    if bound.sql_type == "text":
        return _text(sql, mask, bound)
    if bound.sql_type == "date" and mask is Mask.PARTIAL:
        return f"date_trunc('year', {sql})::date"
    if not bound.is_nullable:
        raise ForbiddenError(f"`{bound.python_name}` is not shown to your roles.", remedy="Leave it out.")
    return f"null::{bound.sql_type}"


def _text(sql: str, mask: Mask, bound: BoundField) -> str:
    if mask is Mask.PARTIAL:
        return f"left({sql}, 1) || '***'"
    if mask is Mask.HASH:
        keyed = f"sha256(convert_to((select key from governance.hash_key) || {sql}, 'UTF8'))"
        return f"'sha256:' || left(encode({keyed}, 'hex'), {_HASHED_LETTERS})"
    if mask is Mask.NULL and bound.is_nullable:
        return "null::text"
    return "'***'::text"
