"""What an override reaches, as commands tell it: portfolios, positions and an estimate of what each NAV changes by."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.cli.acting import seeing
from fulcrum.cli.output import print_table, stdout

if TYPE_CHECKING:
    from fulcrum.governance.desk.reach import Reach

_COLUMNS = ("portfolio", "valued on", "positions", "quantity", "value", "under it", "change of NAV", "NAV", "estimated")


def read(number: int, permission: str) -> Reach:
    """What override `number` reaches, of what the caller sees.

    Raises:
        DecisionError: the caller may not do what needs `permission`, or there is no such override.
    """
    from fulcrum.analytics.policy import load_policy
    from fulcrum.governance.desk import overrides
    from fulcrum.governance.desk.reach import read_reach
    from fulcrum.settings import read_settings

    with seeing(permission) as (connection, rights):
        overrides.get(connection, number)
        return read_reach(connection, load_policy(read_settings()), number, rights)


def say(reach: Reach) -> None:
    """Print it."""
    if reach.is_hidden:
        stdout().print("Your roles mask amounts, so what it reaches is not shown.")
        return
    if not reach.is_whole_house:
        stdout().print("You do not see the whole house: it may reach more portfolios than these.")
    if not reach.largest:
        stdout().print("No portfolio that you see holds it, or is valued through it.")
        return
    days = " to ".join(dict.fromkeys((f"{reach.first_date}", f"{reach.last_date}")))
    changes = ", ".join(f"{change:f} {currency}".strip() for currency, change in reach.changes.items())
    stdout().print(
        f"It reaches {reach.portfolios} portfolio{'s' if reach.portfolios > 1 else ''}; their NAVs change by {changes}."
        f" Estimated from the valuations of {days} as known before it got in, the direct effect only.",
        markup=False,
    )
    left_out = reach.portfolios - len(reach.largest)
    is_in = any(one.nav_base_now is not None for one in reach.largest)
    rows = [
        [
            one.portfolio_code,
            f"{one.business_date}",
            str(one.positions),
            _plain(one.quantity),
            _plain(one.value_base_before),
            _plain(one.value_base_under),
            _plain(one.change_base),
            f"{_plain(one.nav_base_before)} {one.base_currency_code or ''}",
            _plain(one.nav_base_under),
            *([_plain(one.nav_base_now)] if is_in else []),
        ]
        for one in reach.largest
    ]
    print_table((*_COLUMNS, "NAV since") if is_in else _COLUMNS, rows, empty="")
    if left_out:
        stdout().print(f"... and {left_out} more, whose NAVs change by a smaller share.")


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"
