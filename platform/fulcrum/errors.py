"""The errors that Fulcrum raises on purpose, and nothing else.

Foreign errors (psycopg, Great Expectations, Dagster) are translated where they enter.

    FulcrumError
    ├── SettingsError            a setting is missing, unknown or contradicts another
    ├── ContractError            a feed contract is invalid, unknown or ambiguous
    ├── DeliveryError            something about one file; names file, row, column, value, remedy
    │   ├── DeliveryRefusedError   the file cannot be read at all: it stays landed, nothing is staged
    │   └── DeliveryBlockedError   the gate stopped it: it stays landed and judged, nothing is published
    ├── WarehouseError           the database is absent, too old, not migrated or not ours
    │   ├── ServerStartError       the embedded server did not come up
    │   └── UnsafeRoleError        a serving role could bypass row-level security
    ├── GateError                the gate could not judge (a broken rule is not a failed rule)
    ├── PublishError             a publication could not be made; the last good one stands
    ├── QueryError               the caller's query, cursor, id or key is wrong
    ├── DecisionError            a move or decision at the quality desk is not allowed; it says which rule forbids it
    ├── EvidenceError            an evidence pack was changed, or cannot be made or read
    └── ServiceError             a process of `fulcrum up` did not come up, or its port is taken
"""

from __future__ import annotations

from enum import StrEnum

_SHOWN = 80  # characters of a value that a message repeats


class FulcrumError(Exception):
    """Base of all: `str(error)` is one sentence for people, `remedy` says what to do."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy else self.message


class SettingsError(FulcrumError):
    """A setting is missing, unknown or contradicts another."""


class ContractError(FulcrumError):
    """A feed contract is invalid, unknown or ambiguous."""


class DeliveryError(FulcrumError):
    """Something is wrong with one file; the parts name where."""

    def __init__(
        self,
        message: str,
        *,
        file: str,
        row: int | None = None,
        column: str | None = None,
        value: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.file = file
        self.row = row
        self.column = column
        self.value = value

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column!r}")
        if self.value is not None:
            shown = self.value if len(self.value) <= _SHOWN else self.value[: _SHOWN - 3] + "..."
            place.append(f"value {shown!r}")
        return f"{', '.join(place)}: {super().__str__()}"


class DeliveryRefusedError(DeliveryError):
    """The file cannot be read at all: it stays landed, nothing is staged."""


class DeliveryBlockedError(DeliveryError):
    """The gate stopped the delivery: it stays landed and judged, nothing is published."""


class WarehouseError(FulcrumError):
    """The database is absent, too old, not migrated or not ours."""


class ServerStartError(WarehouseError):
    """The embedded PostgreSQL server did not come up."""


class UnsafeRoleError(WarehouseError):
    """A serving role could bypass row-level security."""


class GateError(FulcrumError):
    """The gate could not judge a delivery."""


class PublishError(FulcrumError):
    """A publication could not be made; the last good one stands."""


class QueryError(FulcrumError):
    """The caller's query, cursor, identifier or key is wrong."""


class Refusal(StrEnum):
    """Which rule of the desk forbids a move or decision; stable words for programs."""

    ILLEGAL_MOVE = "illegal_move"
    """Not from the state in which it is: decided already, resolved already, nothing in force."""
    INCOMPLETE = "incomplete"
    """An owner, a reason, a comment or a date is missing, or is not one."""
    FOUR_EYES = "four_eyes"
    """Somebody else must do it."""
    NOT_YOURS = "not_yours"
    """Only who asked may do it."""
    PERIOD = "period"
    """The period is empty, too long or for ever."""
    UNKNOWN = "unknown"
    """There is nothing of this number."""
    BUILT_UPON = "built_upon"
    """Later publications rest on it, or nothing of it is current."""
    OTHER = "other"
    """Another rule, which the message names."""


class DecisionError(FulcrumError):
    """A move of a finding, or a decision on it, is not allowed; `reason` names the rule for programs."""

    def __init__(self, message: str, *, remedy: str | None = None, reason: Refusal = Refusal.OTHER) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


class EvidenceError(FulcrumError):
    """An evidence pack was changed, or cannot be made or read."""


class ServiceError(FulcrumError):
    """A process of `fulcrum up` did not come up, or its port is taken."""
