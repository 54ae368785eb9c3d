"""The check that a serving role cannot see more than the policies give it."""

from __future__ import annotations

from fulcrum.errors import UnsafeRoleError

CAN_BYPASS = """
select current_user::text, r.rolname::text
from (select 1) one
left join pg_roles r on (r.rolsuper or r.rolbypassrls) and pg_has_role(current_user, r.oid, 'member')
limit 1
"""
"""One row: the current role, and a role it is or may become that bypasses row-level security."""


def refuse_bypass(role: str, bypassing: str | None) -> None:
    """Refuse to serve as a role that bypasses row-level security.

    Raises:
        UnsafeRoleError: `bypassing` names such a role.
    """
    if bypassing is not None:
        raise UnsafeRoleError(
            f"The API connects as {role}, which is or may become {bypassing}: that role bypasses row-level security.",
            remedy="Give the API a role without SUPERUSER and BYPASSRLS, such as fulcrum_api.",
        )
