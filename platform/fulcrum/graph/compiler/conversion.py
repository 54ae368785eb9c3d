"""Amounts in one currency: the SQL of an exchange rate, and what is refused.

The rate is chosen by `core.chosen_rate` under the policy of `quality/valuation_policy.yaml`, as for
valuations. Refusals are raised inside the statement by `governance.refuse` and told to the caller.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.graph.compiler.values import Slot, Variables
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.sources import VERSION

if TYPE_CHECKING:
    from fulcrum.graph.compiler.objects import Compiler

MIXED = (
    "governance.refuse('The amounts are in several currencies: ' || {} || '.',"
    " 'Convert them (in: \"EUR\"), group by currency, or filter by it.')"
)
TOO_MANY_GROUPS = "governance.refuse('There are over 1000 groups.', 'Ask for the first of them, or filter.')"

_CODE = re.compile(r"[A-Z]{3}")


def currency_of(compiler: Compiler, slot: Slot) -> str:
    """The parameter of the currency that amounts are converted into."""

    def read(variables: Variables) -> str:
        code = str(slot.read(variables))
        if not _CODE.fullmatch(code):
            raise BadUserInputError(
                "A currency has three capital letters.", remedy="Use an ISO 4217 code, such as EUR."
            )
        return code

    return compiler.statement.read(
        read, "text", key=("currency", slot.variable, slot.path, slot.now if slot.is_constant else None)
    )


def rate(compiler: Compiler, currency: str, target: str, day: str, values: str) -> str:
    """The factor that turns amounts in `currency` (SQL) into `target`; only looked for where there are `values`."""
    policy = compiler.bindings.policy
    major, factor = _major(currency, policy)
    fx = policy.fx
    chosen = (
        f"core.chosen_rate({VERSION}, {day}, {major}, {target}, {_array(fx.source_ranking)},"
        f" {_array(fx.cross_through)}, {fx.flagged_after_days}, {fx.refused_after_days})"
    )
    refused = (
        f"governance.refuse('There is no rate from ' || coalesce({currency}, 'no currency') || ' to ' || {target}"
        f" || ' for ' || {day} || '.', 'Leave such amounts out by `where`, or convert into another currency.')"
    )
    return f"case when {values} > 0 then coalesce({chosen}, {refused}){factor} end"


def _major(currency: str, policy: ValuationPolicy) -> tuple[str, str]:
    """Codes of hundredths (`GBX`) become those of their currency; and the factor for it."""
    if not policy.minor_currencies:
        return currency, ""
    cases = " ".join(f"when {_text(minor)} then {_text(major)}" for minor, major in policy.minor_currencies.items())
    minors = ", ".join(_text(minor) for minor in policy.minor_currencies)
    return f"case {currency} {cases} else {currency} end", f" * case when {currency} in ({minors}) then 0.01 else 1 end"


def _array(values: tuple[str, ...]) -> str:
    return f"array[{', '.join(_text(value) for value in values)}]::text[]"


def _text(value: str) -> str:
    """A value of the policy file as an SQL constant."""
    return "'" + value.replace("'", "''") + "'"
