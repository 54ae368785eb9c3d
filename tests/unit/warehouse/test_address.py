"""URLs lead to the right database as the right role, whatever characters their parts have."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from fulcrum.errors import SettingsError
from fulcrum.warehouse.server.address import ROLES, embedded_address, external_address

SOCKET = "/a b/c'd/$e"


def test_embedded_url_is_read_back_by_libpq() -> None:
    found = conninfo_to_dict(embedded_address(SOCKET).url())
    assert found == {"user": "fulcrum_owner", "dbname": "fulcrum", "host": SOCKET, "port": "5432"}


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_embedded_url_is_read_back_by_sqlalchemy(driver: str) -> None:
    found = make_url(embedded_address(SOCKET).url("fulcrum_dagster", "fulcrum_loader", driver))
    assert found.drivername == f"postgresql+{driver}"
    assert (found.username, found.database, found.query["host"]) == ("fulcrum_loader", "fulcrum_dagster", SOCKET)


def test_external_roles_have_their_own_password_and_the_admin_his() -> None:
    address = external_address("postgresql://chief:p%40ss@db.example:6432/acme?sslmode=verify-full", "r/les")
    assert conninfo_to_dict(address.admin_url()) == {
        "user": "chief",
        "password": "p@ss",
        "dbname": "acme",
        "host": "db.example",
        "port": "6432",
        "sslmode": "verify-full",
    }
    for role in ROLES:
        found = conninfo_to_dict(address.url(user=role))
        assert (found["user"], found["password"], found["sslmode"]) == (role, "r/les", "verify-full")


def test_databases_of_an_external_server_are_named_after_its_main_one() -> None:
    address = external_address("postgresql://chief@db.example/acme", None)
    assert address.database_name("fulcrum") == "acme"
    assert address.database_name("fulcrum_dagster") == "acme_dagster"
    assert address.database_name("postgres") == "postgres"


def test_keyword_form_is_understood() -> None:
    address = external_address("host=db.example user=chief dbname=acme", None)
    assert address.admin == "chief"
    assert not address.is_embedded


def test_passwords_are_not_shown() -> None:
    address = external_address("postgresql://chief:s3cret@db.example/acme", "r0les")
    assert "s3cret" not in repr(address)
    assert "r0les" not in repr(address)


@pytest.mark.parametrize("url", ["mysql://x@y/z", "postgresql://db.example/acme", "postgresql://chief@db.example", "%"])
def test_a_url_that_leaves_something_open_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="FULCRUM_DATABASE_URL"):
        external_address(url, None)
