"""Who acts on the command line: the principal of an API key in the environment, so that no decision is anonymous.

What the API does with keys and tokens stands in `fulcrum.graph`.
"""

from __future__ import annotations

import json
import os
from typing import Any

import psycopg

from fulcrum.entitlements.keys import RECOGNISE, digest
from fulcrum.entitlements.policy import Policy
from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import DecisionError

VARIABLE = "FULCRUM_API_KEY"
"""Environment variable; an option would stay in the shell's history."""


def acting(connection: psycopg.Connection[Any], policy: Policy, permission: Permission) -> Rights:
    """The rights of whoever acts; the key is read from the environment.

    Raises:
        DecisionError: there is no valid key, or its principal may not do this.
    """
    key = os.environ.get(VARIABLE, "")
    row = connection.execute(RECOGNISE.replace("$1::text", "%s::text"), [digest(key)]).fetchone()
    if not key or row is None or row[0] is None:
        raise DecisionError(
            "Decisions are signed, and nobody is signed in.",
            remedy=f"Put your own API key into {VARIABLE}; `fulcrum keys create NAME` makes one.",
        )
    rights = policy.rights(row[0], json.loads(row[1]), int(row[2]))
    if not rights.may(permission):
        raise DecisionError(
            f"{rights.principal} may not do this: it needs the permission `{permission}`.",
            remedy="`fulcrum policy` shows which roles have it.",
        )
    return rights
