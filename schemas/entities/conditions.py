"""The conditions on time that SQL templates of entities share; `{version}` and `{as_of}` are filled in later.

No template as a whole stands here.
"""

from __future__ import annotations

from fulcrum.warehouse.reads import valid, visible

VERSION = "{version}"
AS_OF = "{as_of}"


def known(alias: str, version: str = VERSION) -> str:
    """The row of `alias` is known at the operation's publication."""
    return visible(alias, version)


def on_day(alias: str, version: str = VERSION) -> str:
    """The fact of `alias` is of the business date, and known."""
    return f"{alias}.business_date = {AS_OF} and {visible(alias, version)}"


def holds(alias: str) -> str:
    """The version of `alias` is known and holds on the business date."""
    return f"{visible(alias, VERSION)} and {valid(alias, AS_OF)}"


def code_of(entity: str, key: str) -> str:
    """The code of the `entity` whose surrogate key is the SQL `key`."""
    return f"(select c.{entity}_code from core.{entity} c where c.{entity}_id = {key})"
