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
    api_workers: int = Field(default=1, ge=1, le=8, description="Processes that share the API's port.")
    api_rate: float = Field(
        default=500, ge=0, description="Requests per second of one client to one worker; 0: as many as it likes."
    )
    api_burst: int = Field(default=1_000, ge=1, description="Requests that one client may send at once after a pause.")
    api_concurrency: int = Field(default=64, ge=1, description="Operations of one client that run at once in a worker.")
    trusted_documents_only: bool = Field(
        default=False, description="Answer registered documents only, but for callers who may register them."
    )
    oidc_issuer: str | None = Field(
        default=None, description="Issuer of the tokens that are taken, as its `iss` says it; unset: API keys only."
    )
    oidc_audience: str = Field(default="fulcrum", min_length=1, description="What tokens must name in `aud`.")
    oidc_jwks_url: str | None = Field(
        default=None, description="The issuer's public keys; unset: as its discovery document says."
    )
    oidc_algorithms: str = Field(
        default="RS256,PS256,ES256,ES384,Ed25519,EdDSA", description="Signatures that are taken, separated by commas."
    )
    oidc_leeway_seconds: int = Field(
        default=30, ge=0, le=300, description="By how much the issuer's clock may differ from ours."
    )
    oidc_subject_claim: str = Field(default="sub", min_length=1, description="Claim that names the principal.")
    oidc_roles_claim: str | None = Field(
        default=None, description="Claim with roles; a token then opens only what these of the principal's roles open."
    )
    site_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+$",
        description="Address under which browsers reach the API's pages, for links; unset: 127.0.0.1 and its port.",
    )
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
    def site(self) -> str:
        """Where browsers find the pages."""
        return self.site_url or f"http://127.0.0.1:{self.api_port}"

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
