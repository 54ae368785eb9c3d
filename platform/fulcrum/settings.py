"""The one settings class, frozen, read from `FULCRUM_*` by a function and never at import.

Numbers that risk staff tune do not belong here; they live in `quality/tolerances.yaml`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fulcrum.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """Everything that may differ between two installations."""

    model_config = SettingsConfigDict(env_prefix="FULCRUM_", frozen=True, extra="forbid")

    home: Path = Field(
        default=PROJECT_ROOT / ".fulcrum",
        description="State folder: landing zone, embedded server, logs, inbox, Dagster home.",
    )
    project: Path = Field(
        default=PROJECT_ROOT,
        description="Folder that holds schemas/, quality/ and assets/.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="Any PostgreSQL 18, as postgresql://...; unset: the embedded server in home.",
    )
    role_password: SecretStr | None = Field(
        default=None,
        description="Password of Fulcrum's roles on an external server; unset: the URL's own.",
    )
    pg_bin: Path | None = Field(
        default=None,
        description="The bin folder of a PostgreSQL 18 to run instead of the wheel's.",
    )
    api_port: int = Field(default=8400, ge=1, le=65535, description="GraphQL API, on 127.0.0.1.")
    dagster_port: int = Field(default=8401, ge=1, le=65535, description="Dagster UI, on 127.0.0.1.")
    contracts_extra: Path | None = Field(
        default=None,
        description="A further folder of feed contracts, read after schemas/contracts/raw.",
    )

    @field_validator("home", "project", "pg_bin", "contracts_extra")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        """Services start in the project's folder, so a relative path would mean another place there."""
        return value.expanduser().absolute() if value is not None else None

    @property
    def landing(self) -> Path:
        """Files as they arrived, one per SHA-256, never changed."""
        return self.home / "landing"

    @property
    def inbox(self) -> Path:
        """Drop folder watched by Dagster: inbox/<feed>/<file>."""
        return self.home / "inbox"

    @property
    def logs(self) -> Path:
        """Logs of the services that `fulcrum up` starts."""
        return self.home / "logs"

    @property
    def contracts(self) -> tuple[Path, ...]:
        """Folders of raw-feed contracts, in the order they are read."""
        own = self.project / "schemas" / "contracts" / "raw"
        return (own, self.contracts_extra) if self.contracts_extra else (own,)


def read_settings(**overrides: Any) -> Settings:
    """Build the settings from the environment and `overrides`.

    Raises:
        SettingsError: a value has the wrong type or range.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "FULCRUM_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"Setting {name}: {first['msg']}.", remedy="Correct or unset it.") from error
