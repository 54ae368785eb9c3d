"""What a caller may demand of all that an answer rests on, and the SQL that finds the publications which fall short.

Where it is held: `compiler/demanding.py`, `ordinary/demanding.py` and `export/`. Decision 0037 says what is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from fulcrum.governance.desk.subjects import FEEDS
from fulcrum.graph.declare import Group, Relation
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.sources import AS_OF, Derived

if TYPE_CHECKING:
    from fulcrum.graph.binding import Bindings

ARGUMENT = "requireTrust"
_UNTRUSTED = "untrusted.ids"


@strawberry.enum(description="What everything in an answer must rest on; else it is refused with NOT_TRUSTED.")
class RequireTrust(Enum):
    """The demands."""

    CLEAN = strawberry.enum_value(
        "CLEAN", description="On nothing that a waiver let through, and on no overridden value; warnings may be."
    )
    WAIVED = strawberry.enum_value(
        "WAIVED", description="On waivers only that are in force on the business date; overrides may be."
    )
    ANY = strawberry.enum_value("ANY", description="On whatever was published: the same as no demand.")


_OVERRIDES = ", ".join(f"'{feed}'" for feed in sorted(FEEDS.values()))
_FALLING_SHORT = {
    "CLEAN": f"""
  select publication_id from governance.publication_waiver
  union select publication_id from governance.publication where verdict not in ('passed', 'warned')
  union select publication_id from governance.publication where feed in ({_OVERRIDES})""",
    # Of what is derived, only that it is waived is known: such rows name their inputs, so it matters for old versions.
    "WAIVED": f"""
  select m.publication_id from governance.publication_waiver m join quality.waiver w using (waiver_id)
   where w.state <> 'approved' or w.end_date < {AS_OF}
  union select p.publication_id from governance.publication p where p.verdict not in ('passed', 'warned')
    and not exists (select from governance.publication_waiver m where m.publication_id = p.publication_id)""",
}


def untrusted(demand: str) -> str:
    """What stands behind the clock to give, once, the publications which fall short.

    They are the keys of an object, where one is found quickly: with 2,000 of them, looking through an array took
    526 ms for a list of 5,000 rows.
    """
    short = _FALLING_SHORT[demand]
    return f"lateral (select coalesce(jsonb_object_agg(u.publication_id, 1), '{{}}') as ids from ({short}) u) untrusted"


def falls_short(publication: str) -> str:
    """Whether a publication is one of these."""
    return f"{_UNTRUSTED} ? {publication}::text"


def held(rests_on: str, demand: str) -> str:
    """A condition that is true, or ends the statement in words for the caller; `rests_on` gives publications."""
    short = f"array(select k::bigint from jsonb_object_keys({_UNTRUSTED}) k)"
    is_short = f"coalesce({_UNTRUSTED} ?| ({rests_on})::text[], false)"
    return f"(not {is_short} or governance.hold_trust({rests_on}, {short}, '{demand}'))"


def demanded(found: Iterable[str]) -> str | None:
    """The one demand of an operation, from those of its root fields; None: there is none.

    Raises:
        BadUserInputError: there are several.
    """
    names = sorted(set(found))
    if len(names) > 1:
        raise BadUserInputError(
            f"One operation has one {ARGUMENT}, and this one has {', '.join(names)}.", remedy="Ask in two operations."
        )
    return names[0] if names and names[0] in _FALLING_SHORT else None


def rests_on(bindings: Bindings, type_name: str) -> str | None:
    """The template of the publications that an object rests on; None: it shows nothing that was published.

    Raises:
        BadUserInputError: it does, and cannot tell on what.
    """
    fields: Mapping[str, object] = {
        name: bound.declaration for name, bound in bindings.fields.get(type_name, {}).items()
    }
    told = [
        declaration.rests_on
        for declaration in fields.values()
        if isinstance(declaration, (Relation, Group)) and declaration.rests_on is not None
    ]
    if told:
        return told[0]
    entity = bindings.entities.get(type_name)
    if entity is not None and isinstance(entity.source, Derived):
        raise BadUserInputError(
            f"{type_name} cannot tell what it rests on.", remedy=f"Ask for it without `{ARGUMENT}`."
        )
    return None


def refuse_conversion(given: Mapping[str, object], demand: str | None) -> None:
    """Refuse sums that are converted: which rates are chosen is known inside the statement only.

    Raises:
        BadUserInputError: a currency is asked for, and trust demanded.
    """
    if demand is not None and given.get("in") is not None:
        raise BadUserInputError(
            "What the rates rest on that convert with `in` cannot be told.",
            remedy=f"Leave out `in`, or `{ARGUMENT}`.",
        )
