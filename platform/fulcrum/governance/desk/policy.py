"""The desk's own numbers and words, from `quality/desk.yaml`.

Tolerances of rules are `fulcrum.quality`'s.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fulcrum.errors import SettingsError
from fulcrum.kit.documents import read_yaml
from fulcrum.settings import Settings

HEALED = "healed"
_SATURDAY = 5

Days = Annotated[int, Field(ge=1, le=366)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DueDays(_Strict):
    """Weekdays until a finding of each severity is overdue."""

    critical: Days
    warning: Days
    info: Days


class Longest(_Strict):
    """The longest period of a decision, in calendar days."""

    longest_days: Days


class Overrides(Longest):
    """The longest period of an override, and the reasons that there are."""

    reason_codes: dict[str, str] = Field(min_length=1)


class Closing(_Strict):
    """When a month's report stands, in calendar days after the month, or after its first file if that came later."""

    closing_days: Days


class DeskPolicy(_Strict):
    """What `quality/desk.yaml` says."""

    version: int
    owner: str = Field(min_length=1)
    due_days: DueDays
    waivers: Longest
    overrides: Overrides
    reports: Closing
    reason_codes: dict[str, str] = Field(min_length=1)

    def due_date(self, severity: str, today: dt.date) -> dt.date:
        """The last day on time for a finding of `severity` that opens `today`."""
        day, left = today, int(getattr(self.due_days, severity))
        while left:
            day += dt.timedelta(days=1)
            left -= day.weekday() < _SATURDAY
        return day


def load_desk_policy(settings: Settings) -> DeskPolicy:
    """The policy of the project.

    Raises:
        SettingsError: the file is absent or says something that nobody could mean.
    """
    path = settings.project / "quality" / "desk.yaml"
    try:
        return DeskPolicy.model_validate(read_yaml(path.read_text("utf-8")))
    except OSError as error:
        raise SettingsError(f"quality/{path.name} cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise SettingsError(f"quality/{path.name}: {error}") from error
