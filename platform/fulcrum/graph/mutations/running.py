"""Does the steps of a mutation in one transaction and reads their answers in it: all of them happen, or none.

It runs in a thread, beside the connections that serve queries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg import RawCursor
from psycopg.types.json import Jsonb

from fulcrum.entitlements.rights import Rights
from fulcrum.errors import DecisionError, Refusal
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.graph.compiler.statement import CLOCK
from fulcrum.graph.desk import access
from fulcrum.graph.errors import BadUserInputError, DecisionRefusedError
from fulcrum.graph.mutations.planning import Step, Steps
from fulcrum.graph.mutations.words import KEY, REPEATED, Act, Changed
from fulcrum.graph.wire import is_ours, translated
from fulcrum.settings import Settings

Connection = psycopg.Connection[Any]
Read = tuple[dict[str, Any], int, str]
"""A payload, and the publication and business date at which it was read."""

_NOTHING = f"select n, by_time, as_of, '{{}}' from {CLOCK}"


@dataclass(frozen=True)
class Done:
    """What came of an operation: the data of each step, and the publication and business date it was read at."""

    data: Mapping[str, Any]
    version: int
    as_of: str


@dataclass
class Running:
    """One operation of one caller."""

    settings: Settings
    rights: Rights
    steps: Steps

    def run(self) -> Done:
        """Do all steps, commit, and start what follows.

        Raises:
            DecisionRefusedError: a rule of the desk forbids one of them; none was done.
            ApiError: another fault of the input, or of the warehouse; none was done.
        """
        if any(step.bound.mutation.is_of_loader for step in self.steps.steps):
            return self._published(self.steps.steps[0])
        with access.writing(self.settings, self.rights) as connection:
            act = self._act(connection)
            read = {step.key: self._read(connection, step, *self._do(act, step)) for step in self.steps.steps}
        _follow(act)
        return _done(read)

    def _published(self, step: Step) -> Done:
        """A step under a role that sees every row; so what it did is read as its caller, when it is done."""
        with access.publishing(self.settings, self.rights) as connection:
            act = self._act(connection)
            done = self._do(act, step)
        _follow(act)
        with access.writing(self.settings, self.rights) as connection:
            return _done({step.key: self._read(connection, step, *done)})

    def _act(self, connection: Connection) -> Act:
        return Act(connection, self.settings, load_desk_policy(self.settings), self.rights.principal)

    def _do(self, act: Act, step: Step) -> tuple[Changed, bool]:
        """What a step changed, and whether that was done by an earlier request of the same key."""
        try:
            if step.idempotency_key is None:
                return step.bound.mutation.does(act, step.given), False
            known = _repeated(act, step, step.idempotency_key)
            if known is not None:
                return known, True
            changed = step.bound.mutation.does(act, step.given)
            _remember(act, step, step.idempotency_key, changed)
        except DecisionError as error:
            raise DecisionRefusedError(
                error.message, reason=error.reason, path=step.key, remedy=_of_api(error.remedy)
            ) from error
        except psycopg.errors.IntegrityError as error:  # constraints and triggers that the desk did not foresee
            raise DecisionRefusedError(
                "The warehouse refuses this decision.", reason=Refusal.OTHER, path=step.key
            ) from error
        return changed, False

    def _read(self, connection: Connection, step: Step, changed: Changed, is_repeated: bool) -> Read:  # noqa: FBT001
        """The payload of a step as it stands now, with the publication and business date."""
        own = {REPEATED: is_repeated, "__typename": step.bound.payload}
        shown, version, as_of = _fetched(connection, step.plan.sql or _NOTHING, step.values(changed))
        return {key: own[name] if name in own else shown[key] for key, name in step.asked}, version, as_of


def _follow(act: Act) -> None:
    """Start what follows a committed operation."""
    for follow in act.afterwards:
        follow()


def _done(read: Mapping[str, Read]) -> Done:
    *_, (_, version, as_of) = read.values()
    return Done({key: payload for key, (payload, _, _) in read.items()}, version, as_of)


def _fetched(connection: Connection, sql: str, values: list[str | None]) -> tuple[Any, int, str]:
    cursor = RawCursor(connection)
    try:
        cursor.execute(sql.encode(), values)
    except psycopg.Error as error:
        state = (error.sqlstate or "").encode()
        if isinstance(error, psycopg.OperationalError) and not is_ours(state):
            raise  # of the connection, or out of time: told by who opened it
        raise translated(state, error.diag.message_primary or "", error.diag.message_hint) from error
    assert cursor.pgresult is not None
    version, _, as_of, data = (cursor.pgresult.get_value(0, column) or b"null" for column in range(4))
    return orjson.loads(data), int(version), as_of.decode()


def _of_api(remedy: str | None) -> str | None:
    """Commands are of no use to callers of the API."""
    return None if remedy is None or "`fulcrum " in remedy else remedy


def _digest(step: Step) -> str:
    return hashlib.sha256(orjson.dumps(step.given, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def _repeated(act: Act, step: Step, key: str) -> Changed | None:
    """What an earlier request of this key changed; whoever sends the same at once waits for it here."""
    connection = act.connection
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"mutation:{act.actor}:{key}"])
    found = connection.execute(
        "select field_name, input_sha256, changed from governance.mutation"
        " where principal_name = %s and idempotency_key = %s",
        [act.actor, key],
    ).fetchone()
    if found is None:
        return None
    if (found[0], found[1]) != (step.name, _digest(step)):
        raise BadUserInputError(
            f"`{KEY}` was used for something else before.", remedy="Every mutation has a key of its own."
        )
    changed: Changed = found[2]
    return changed


def _remember(act: Act, step: Step, key: str, changed: Changed) -> None:
    act.connection.execute(
        "insert into governance.mutation (principal_name, idempotency_key, field_name, input_sha256, changed)"
        " values (%s, %s, %s, %s, %s)",
        [act.actor, key, step.name, _digest(step), Jsonb({name: list(found) for name, found in changed.items()})],
    )
