"""Principals and row scopes: registered, listed, changed, ended.

What a role means is `policy.py`'s; the bits behind a scope are made in the warehouse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from fulcrum.entitlements.policy import Policy
from fulcrum.errors import QueryError

Connection = psycopg.Connection[Any]
Kind = Literal["person", "service", "partner"]
KINDS: tuple[Kind, ...] = ("person", "service", "partner")
WHOLE_HOUSE = "house"

RECOGNISE = """
select p.principal_name, array_to_json(p.roles)::text, p.scope_id::text
from (select $1::text as name) asked
left join governance.principal p on p.principal_name = asked.name and p.is_active
"""
"""One row for the name of a principal: name, roles as JSON, row scope; or nulls."""


@dataclass(frozen=True)
class Principal:
    """Somebody who may ask, and with which rights."""

    name: str
    kind: Kind
    roles: tuple[str, ...]
    scope: str
    is_active: bool = True


@dataclass(frozen=True)
class RowScope:
    """Whose rows somebody sees: everything, or what belongs to these clients and portfolios."""

    name: str
    is_whole_house: bool = False
    has_funds: bool = False
    client_codes: tuple[str, ...] = ()
    portfolio_codes: tuple[str, ...] = ()


def register(connection: Connection, policy: Policy, principal: Principal) -> None:
    """Make a principal, or change the one of that name; the caller commits.

    Raises:
        QueryError: a role or the scope is unknown, or the name is empty.
    """
    if not principal.name.strip():
        raise QueryError("A principal needs a name.")
    check_roles(policy, principal.roles)
    done = connection.execute(
        """
        insert into governance.principal (principal_name, principal_kind, roles, scope_id, is_active)
        select %(name)s, %(kind)s, %(roles)s, scope_id, %(is_active)s
          from governance.row_scope where scope_name = %(scope)s
        on conflict (principal_name) do update set principal_kind = excluded.principal_kind,
            roles = excluded.roles, scope_id = excluded.scope_id, is_active = excluded.is_active
        """,
        {
            "name": principal.name.strip(),
            "kind": principal.kind,
            "roles": list(principal.roles),
            "scope": principal.scope,
            "is_active": principal.is_active,
        },
    )
    if done.rowcount == 0:
        raise QueryError(
            f"There is no row scope {principal.scope!r}.", remedy="`fulcrum scopes list` shows them; `set` makes one."
        )


def check_roles(policy: Policy, roles: Sequence[str]) -> None:
    """See that the policy knows every role.

    Raises:
        QueryError: it does not, or there is none.
    """
    unknown = sorted(set(roles) - set(policy.roles))
    if unknown or not roles:
        raise QueryError(
            f"Unknown role: {', '.join(unknown)}." if unknown else "A principal needs a role.",
            remedy=f"The policy names {', '.join(policy.roles)}.",
        )


def end(connection: Connection, name: str) -> bool:
    """Let a principal ask no more; whether there was an active one. The caller commits."""
    done = connection.execute(
        "update governance.principal set is_active = false where principal_name = %s and is_active", [name]
    )
    return done.rowcount == 1


def list_principals(connection: Connection) -> list[Principal]:
    """Every principal, by name."""
    rows = connection.execute(
        "select principal_name, principal_kind, roles, scope_name, is_active"
        " from governance.principal join governance.row_scope using (scope_id) order by principal_name"
    )
    return [Principal(name, kind, tuple(roles), scope, is_active) for name, kind, roles, scope, is_active in rows]


def set_scope(connection: Connection, scope: RowScope) -> None:
    """Make a row scope, or change the one of that name; the caller commits.

    Codes that are not known yet are kept: they begin to count when they are published.

    Raises:
        QueryError: the scope of the whole house would be narrowed.
    """
    if scope.name == WHOLE_HOUSE and not scope.is_whole_house:
        raise QueryError("The scope `house` is the whole house.", remedy="Make a scope of another name.")
    connection.execute(
        """
        insert into governance.row_scope (scope_name, is_whole_house, has_funds, client_codes, portfolio_codes)
        values (%s, %s, %s, %s, %s)
        on conflict (scope_name) do update set is_whole_house = excluded.is_whole_house,
            has_funds = excluded.has_funds, client_codes = excluded.client_codes,
            portfolio_codes = excluded.portfolio_codes
        """,
        [scope.name, scope.is_whole_house, scope.has_funds, list(scope.client_codes), list(scope.portfolio_codes)],
    )


def list_scopes(connection: Connection) -> list[RowScope]:
    """Every row scope, by name."""
    rows = connection.execute(
        "select scope_name, is_whole_house, has_funds, client_codes, portfolio_codes"
        " from governance.row_scope order by scope_name"
    )
    return [
        RowScope(name, is_whole, has_funds, tuple(clients), tuple(portfolios))
        for name, is_whole, has_funds, clients, portfolios in rows
    ]
