"""The valuation policy of `quality/valuation_policy.yaml`, checked; what each number means is there.

How the policy becomes SQL is in `prices.py` and `rates.py`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fulcrum.errors import SettingsError
from fulcrum.settings import Settings


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RankedPrice(_Strict):
    """One line of the ranking; without `source_code` it matches every source.

    A price that is `own_day_only` stands for its own date and no later one.
    """

    price_type_code: str
    source_code: str | None = None
    own_day_only: bool = False


class AgeLimits(_Strict):
    """Calendar days: used silently up to `flagged_after_days`, flagged up to `refused_after_days`."""

    flagged_after_days: int = Field(ge=0)
    refused_after_days: int = Field(ge=0)
    looked_back_days: int = Field(ge=0, le=400)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if not self.flagged_after_days <= self.refused_after_days <= self.looked_back_days:
            raise ValueError("flagged_after_days <= refused_after_days <= looked_back_days must hold")
        return self


class PricePolicy(AgeLimits):
    """Which prices may be used, best first."""

    ranking: tuple[RankedPrice, ...] = Field(min_length=1)
    reported_price: Literal["last_resort", "never"]


class FxPolicy(AgeLimits):
    """Which rates may be used, best first, and through which currencies they are crossed."""

    source_ranking: tuple[str, ...] = ()
    own_day_only: tuple[str, ...] = ()
    """Sources whose rates stand for their own date and no later one."""
    cross_through: tuple[str, ...] = ()


class ValuationPolicy(_Strict):
    """Everything that decides which inputs a valuation takes."""

    version: int
    owner: str
    price: PricePolicy
    fx: FxPolicy
    cash_asset_classes: tuple[str, ...] = ()
    settled_daily_asset_classes: tuple[str, ...] = ()
    minor_currencies: dict[str, str] = Field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of what the policy says; comments and order of keys do not matter."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def policy_file(settings: Settings) -> Path:
    """Where the policy is."""
    return settings.project / "quality" / "valuation_policy.yaml"


def load_policy(settings: Settings) -> ValuationPolicy:
    """Read and check the policy.

    Raises:
        SettingsError: the file is absent, is not YAML, or a value is unknown or out of range.
    """
    file = policy_file(settings)
    try:
        return ValuationPolicy.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(
            "There is no quality/valuation_policy.yaml.", remedy="Restore it from version control."
        ) from error
    except yaml.YAMLError as error:
        where = str(error).splitlines()[-1].strip()
        raise SettingsError(f"quality/valuation_policy.yaml is not YAML: {where}.", remedy="Correct it.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SettingsError(f"quality/valuation_policy.yaml, {place}: {first['msg']}.", remedy="Correct it.") from error
