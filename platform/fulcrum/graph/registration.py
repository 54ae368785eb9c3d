"""Trusted documents as clients' builds register them: checked against schema, limits and rights, listed, retired.

How the API finds them again stands in `documents.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    OperationType,
    parse,
)

from fulcrum.entitlements.policy import Policy
from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import QueryError
from fulcrum.graph.documents import EVERYBODY, PREFIX, document_id
from fulcrum.graph.errors import ApiError, BadUserInputError, BadVariablesError, GraphQLApiError
from fulcrum.graph.limits import Limits
from fulcrum.graph.mutations.planning import plan_mutation
from fulcrum.graph.plans import Parsed, Plans
from fulcrum.graph.schema import Graph

Connection = psycopg.Connection[Any]

_SAMPLES: Mapping[str, Any] = {"Int": 1, "Float": 1.5, "Boolean": True, "Date": "2026-01-30", "Decimal": "1"}
_SAMPLE_TIME = "2026-01-30T00:00:00Z"


@dataclass(frozen=True)
class Candidate:
    """A document that is to be registered; `variables` is an example of what it will be sent with."""

    origin: str
    text: str
    variables: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Registered:
    """A registered document as it can be listed."""

    document_id: str
    client: str
    operations: tuple[str, ...]
    registered_by: str
    registered_at: dt.datetime
    is_active: bool


def read_candidates(paths: Sequence[Path]) -> list[Candidate]:
    """Documents in `.graphql` files, in folders of them, and in manifests (`.json`: id or hash -> text).

    `x.json` beside `x.graphql` holds example variables.

    Raises:
        QueryError: a file cannot be read, or there is none.
    """
    found = [candidate for path in paths for candidate in _candidates(path)]
    if not found:
        raise QueryError("There is no document in these files.", remedy="Name .graphql files, folders, or a manifest.")
    return found


def _candidates(path: Path) -> Iterator[Candidate]:
    try:
        if path.is_dir():
            for below in sorted(path.rglob("*.graphql")):
                yield from _candidates(below)
        elif path.suffix == ".json":
            manifest: dict[str, str] = orjson.loads(path.read_bytes())
            for number, text in enumerate(manifest.values(), 1):
                yield Candidate(f"{path.name}, document {number}", str(text))
        else:
            example = path.with_suffix(".json")
            variables = orjson.loads(example.read_bytes()) if example.exists() else None
            yield Candidate(path.name, path.read_text("utf-8"), variables)
    except (OSError, ValueError, AttributeError) as error:
        raise QueryError(f"{path.name} cannot be read: {error}") from error


class Checker:
    """Says whether documents could be answered for callers of some roles."""

    def __init__(self, graph: Graph, policy: Policy, limits: Limits | None = None) -> None:
        self._graph = graph
        self._policy = policy
        self._plans = Plans(graph, limits or Limits())

    def check(self, candidate: Candidate, roles: Sequence[str]) -> tuple[str, ...]:
        """The names of a document's operations.

        Raises:
            QueryError: it does not fit the schema, is beyond a limit, or asks for what a role may not.
        """
        try:
            parsed = self._plans.parsed(candidate.text)
            for role in roles:
                rights = self._policy.rights(role, [role], 0)
                for name in parsed.operations:
                    self._compile(candidate, parsed, name, rights)
        except ApiError as error:
            if isinstance(error, GraphQLApiError):
                error.with_suggestions()
            words = "; ".join(each["message"] for each in error.as_errors(""))
            raise QueryError(f"{candidate.origin}: {words}") from error
        return tuple(parsed.operations)

    def _compile(self, candidate: Candidate, parsed: Parsed, name: str, rights: Rights) -> None:
        if parsed.operations[name].operation is OperationType.SUBSCRIPTION:
            return
        refused: ApiError | None = None
        for variables in self._examples(candidate, parsed, name):
            try:
                self._plan(candidate, parsed, name, variables, rights)
            except (BadUserInputError, BadVariablesError) as error:
                refused = error  # an id of another entity may fit
                continue
            return
        if refused is not None and candidate.variables is None and parsed.types[name]:
            raise QueryError(
                f"{candidate.origin}: its variables cannot be guessed ({refused}).",
                remedy="Put an example of them beside it: the same name with .json.",
            )
        if refused is not None:
            raise refused

    def _plan(
        self, candidate: Candidate, parsed: Parsed, name: str, variables: Mapping[str, Any], rights: Rights
    ) -> None:
        operation = parsed.operations[name]
        if operation.operation is OperationType.MUTATION:
            coerced, _ = self._plans.coerced(parsed, operation, variables)
            plan_mutation(self._plans, self._graph.mutations, operation, parsed.fragments, coerced, rights)
            return
        planned = self._plans.find(candidate.text, name or None, variables, rights)
        if planned.plan.introspection and not rights.may(Permission.INTROSPECT):
            raise QueryError(f"{candidate.origin}: the role {rights.principal} may not ask for the schema.")

    def _examples(self, candidate: Candidate, parsed: Parsed, name: str) -> Iterator[Mapping[str, Any]]:
        if candidate.variables is not None:
            yield candidate.variables
            return
        wanted = {key: kind for key, kind in parsed.types[name].items() if isinstance(kind, GraphQLNonNull)}
        for entity in sorted(self._graph.bindings.nodes) if wanted else ("",):
            yield {key: _sample(kind, f"{entity}:1") for key, kind in wanted.items()}


def _sample(kind: GraphQLInputType, node_id: str) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _sample(kind.of_type, node_id)
    if isinstance(kind, GraphQLList):
        return [_sample(kind.of_type, node_id)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {name: field for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
        chosen = needed or dict(list(kind.fields.items())[:1])
        return {name: _sample(field.type, node_id) for name, field in chosen.items()}
    assert isinstance(kind, GraphQLScalarType)
    if kind.name == "ID":
        return node_id
    return _SAMPLE_TIME if kind.name == "DateTime" else _SAMPLES.get(kind.name, "1")


def roles_of(connection: Connection, client: str) -> tuple[str, ...]:
    """The roles of a client, which is a registered principal.

    Raises:
        QueryError: there is none of that name.
    """
    row = connection.execute(
        "select roles from governance.principal where principal_name = %s and is_active", [client]
    ).fetchone()
    if row is None:
        raise QueryError(
            f"There is no active principal {client!r}.",
            remedy=f"Name one of `fulcrum principals list`, or {EVERYBODY!r} for every client.",
        )
    return tuple(row[0])


def register(connection: Connection, texts: Sequence[str], client: str, registered_by: str) -> list[str]:
    """Register checked texts for a client, or again if they were retired; their ids. The caller commits."""
    ids = [document_id(text) for text in texts]
    for text, found in zip(texts, ids, strict=True):
        connection.execute(
            "insert into governance.trusted_document (sha256, client_name, document_text, registered_by)"
            " values (%s, %s, %s, %s)"
            " on conflict (sha256, client_name) do update set is_active = true, registered_by = excluded.registered_by,"
            " registered_at = clock_timestamp() where not trusted_document.is_active",
            [found.removeprefix(PREFIX), client, text, registered_by],
        )
    return ids


def list_registered(connection: Connection) -> list[Registered]:
    """Every registered document, by client and age."""
    rows = connection.execute(
        "select sha256, client_name, document_text, registered_by, registered_at, is_active"
        " from governance.trusted_document order by client_name, registered_at, sha256"
    )
    return [
        Registered(PREFIX + sha256, client, _names(text), by, at, is_active)
        for sha256, client, text, by, at, is_active in rows
    ]


def retire(connection: Connection, wanted: str, client: str | None) -> int:
    """End a document, given by its id or the start of its hash, for one client or all; how many. The caller commits.

    Raises:
        QueryError: fewer than 8 digits of the hash are given.
    """
    sha256 = wanted.removeprefix(PREFIX)
    if len(sha256) < 8 or not set(sha256) <= set("0123456789abcdef"):  # noqa: PLR2004 - a slip must not end many
        raise QueryError("This does not name a document.", remedy="Give its id, or at least 8 digits of the hash.")
    done = connection.execute(
        "update governance.trusted_document set is_active = false"
        " where is_active and starts_with(sha256, %s) and (%s::text is null or client_name = %s)",
        [sha256, client, client],
    )
    return done.rowcount


def _names(text: str) -> tuple[str, ...]:
    named = [getattr(found, "name", None) for found in parse(text).definitions if hasattr(found, "operation")]
    return tuple(name.value if name else "(without a name)" for name in named)
