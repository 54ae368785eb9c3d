"""Where a server can be reached, and the URLs made from it, for every database, role and driver.

Starting, stopping and checking the server do not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from fulcrum.errors import SettingsError

DATABASE = "fulcrum"
DAGSTER_DATABASE = "fulcrum_dagster"

OWNER_ROLE = "fulcrum_owner"
LOADER_ROLE = "fulcrum_loader"
API_ROLE = "fulcrum_api"
ROLES = (OWNER_ROLE, LOADER_ROLE, API_ROLE)

_SUPERUSER = "postgres"


@dataclass(frozen=True)
class ServerAddress:
    """One PostgreSQL server and the name that its main database has there.

    `parameters` are libpq's (host, port, sslmode ...) without user, password and database.
    """

    parameters: Mapping[str, str]
    database: str = DATABASE
    admin: str = _SUPERUSER
    password: str | None = field(default=None, repr=False)
    role_password: str | None = field(default=None, repr=False)
    is_embedded: bool = False

    def url(self, database: str = DATABASE, user: str = OWNER_ROLE, driver: str | None = None) -> str:
        """The libpq URL, or SQLAlchemy's when `driver` (psycopg, psycopg2) is given.

        `database` is Fulcrum's name for it: on a server where the main database is called `acme`,
        `fulcrum_dagster` becomes `acme_dagster`.
        """
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        password = self.password if user == self.admin else self.role_password
        login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
        query = urlencode(dict(self.parameters), quote_via=quote, safe="")
        return f"{scheme}://{login}@/{quote(self.database_name(database), safe='')}?{query}"

    def admin_url(self, database: str = DATABASE) -> str:
        """The libpq URL of the user that may create roles and extensions."""
        return self.url(database, self.admin)

    def database_name(self, database: str) -> str:
        """The name on this server of the database that Fulcrum calls `database`."""
        if database == DATABASE:
            return self.database
        if database.startswith(f"{DATABASE}_"):
            return self.database + database.removeprefix(DATABASE)
        return database


def embedded_address(socket_dir: str) -> ServerAddress:
    """The address of an embedded server that listens in `socket_dir`."""
    return ServerAddress({"host": socket_dir, "port": "5432"}, is_embedded=True)


def external_address(url: str, role_password: str | None) -> ServerAddress:
    """The address that `FULCRUM_DATABASE_URL` names.

    Raises:
        SettingsError: the URL is not one of libpq's, or names no database or user.
    """
    try:
        parameters = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except ProgrammingError as error:
        raise SettingsError(
            "FULCRUM_DATABASE_URL is not a PostgreSQL URL.",
            remedy="Write it as postgresql://user:password@host:5432/database?sslmode=verify-full.",
        ) from error
    user, database = parameters.pop("user", None), parameters.pop("dbname", None)
    password = parameters.pop("password", None)
    if not user or not database:
        raise SettingsError(
            "FULCRUM_DATABASE_URL names no user or no database.",
            remedy="Write it as postgresql://user:password@host:5432/database.",
        )
    return ServerAddress(
        parameters,
        database=database,
        admin=user,
        password=password,
        role_password=role_password or password,
    )
