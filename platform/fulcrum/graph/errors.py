"""What the API answers when it cannot answer: stable codes, an HTTP status, nothing of the inside.

QueryError
└── ApiError                       code                          status
    ├── BadUserInputError            BAD_USER_INPUT                200 or 400
    ├── ParseFailedError             GRAPHQL_PARSE_FAILED          200 or 400
    ├── ValidationFailedError        GRAPHQL_VALIDATION_FAILED     200 or 400
    ├── BadVariablesError            BAD_USER_INPUT                200 or 400
    ├── LimitExceededError           LIMIT_EXCEEDED                200 or 400
    ├── DecisionRefusedError         DECISION_REFUSED              200 or 409
    ├── NotTrustedError              NOT_TRUSTED                   200 or 409
    ├── DocumentNotFoundError        PERSISTED_DOCUMENT_NOT_FOUND  200 or 400
    ├── DocumentRequiredError        PERSISTED_DOCUMENT_REQUIRED   403
    ├── BadRequestError              BAD_REQUEST                   400, 405, 406, 413, 415
    ├── UnauthenticatedError         UNAUTHENTICATED               401
    ├── ForbiddenError               FORBIDDEN                     403
    ├── NotFoundError                NOT_FOUND                     404
    ├── RateLimitedError             RATE_LIMITED                  429
    ├── TooManyRequestsError         TOO_MANY_REQUESTS             429
    ├── TimedOutError                TIMEOUT                       504
    ├── UnavailableError             UNAVAILABLE                   503
    └── InternalError                INTERNAL_SERVER_ERROR         500

"200 or 400", "200 or 409": mistakes of the caller are 400 (refused decisions 409) for clients that accept
`application/graphql-response+json` and 200 for those that accept plain JSON only, as GraphQL over
HTTP has it. `CODES` is this table for the API page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError

from fulcrum.errors import QueryError, Refusal

Header = tuple[bytes, bytes]

_SUGGESTION = re.compile(r" Did you mean .*\?$", re.DOTALL)


@dataclass(frozen=True)
class Code:
    """One stable code, for people: the HTTP statuses it comes with, what it means and what to do."""

    code: str
    status: str
    meaning: str
    remedy: str


CODES = (
    Code("BAD_USER_INPUT", "200 or 400", "An argument, a variable, a cursor or an id is wrong.", "Correct it."),
    Code("GRAPHQL_PARSE_FAILED", "200 or 400", "The text is not GraphQL.", "See the line and column."),
    Code(
        "GRAPHQL_VALIDATION_FAILED", "200 or 400", "The query does not fit the schema.", "Compare it with the schema."
    ),
    Code(
        "LIMIT_EXCEEDED",
        "200 or 400",
        "The query is deeper, longer or wider than allowed.",
        "Split it, or ask for smaller pages.",
    ),
    Code(
        "DECISION_REFUSED",
        "200 or 409",
        "A rule of the quality desk forbids a mutation; nothing of the operation was done.",
        "The message says which rule, `extensions.reason` names it for programs.",
    ),
    Code(
        "NOT_TRUSTED",
        "200 or 409",
        "The answer would rest on what `requireTrust` does not want; `extensions.restsOn` names it.",
        "Wait for a clean delivery, or ask for less or without it.",
    ),
    Code(
        "PERSISTED_DOCUMENT_NOT_FOUND",
        "200 or 400",
        "No document of this id is registered for this client.",
        "Register it: fulcrum documents register.",
    ),
    Code(
        "PERSISTED_DOCUMENT_REQUIRED",
        "403",
        "This installation answers registered documents only.",
        "Register the document and send its id.",
    ),
    Code(
        "BAD_REQUEST",
        "400, 405, 406, 413 or 415",
        "The HTTP request is not a GraphQL request.",
        "See the message; the README has examples.",
    ),
    Code(
        "UNAUTHENTICATED",
        "401",
        "There is no valid API key or token.",
        "Make a key: fulcrum keys create, or sign in again.",
    ),
    Code("FORBIDDEN", "403", "The caller is known but may not do this.", "Ask for the role that may."),
    Code("NOT_FOUND", "404", "There is nothing at this address.", "Look at / for what there is."),
    Code("RATE_LIMITED", "429", "More requests per second than one client may send.", "Wait as Retry-After says."),
    Code(
        "TOO_MANY_REQUESTS",
        "429",
        "More operations at once than one client may run.",
        "Wait for answers before you send more.",
    ),
    Code("INTERNAL_SERVER_ERROR", "500", "A fault of the platform.", "Tell the request id to the platform team."),
    Code("UNAVAILABLE", "503", "The warehouse does not answer.", "Try again as Retry-After says."),
    Code("TIMEOUT", "504", "The query took longer than the limit.", "Ask for less at once, or a shorter period."),
)
"""Every code that the API gives. Codes are never renamed; new ones may come."""


class ApiError(QueryError):
    """An answer that is an error; `status` is that of the HTTP answer."""

    code = "INTERNAL_SERVER_ERROR"
    status = 500
    is_of_query = False
    """Whether the mistake is in the query itself: clients of plain JSON then get status 200."""

    def as_errors(self, request_id: str) -> list[dict[str, Any]]:
        """The `errors` of the answer."""
        return [{"message": str(self), "extensions": {"code": self.code, "requestId": request_id, **self.details()}}]

    def details(self) -> dict[str, Any]:
        """What `extensions` tell besides the code."""
        return {}

    def headers(self) -> tuple[Header, ...]:
        """HTTP headers that go with it."""
        return ()


class GraphQLApiError(ApiError):
    """Errors that the GraphQL library found, with their places in the text."""

    status = 400
    is_of_query = True

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(_SUGGESTION.sub("", errors[0].message))
        self.errors = errors
        self.has_suggestions = False

    def with_suggestions(self) -> GraphQLApiError:
        """The same for callers who may see the schema: with names that are near a mistyped one."""
        self.has_suggestions = True
        return self

    def as_errors(self, request_id: str) -> list[dict[str, Any]]:
        """One entry per error."""
        extensions = {"code": self.code, "requestId": request_id}
        return [
            {
                "message": error.message if self.has_suggestions else _SUGGESTION.sub("", error.message),
                "locations": [{"line": at.line, "column": at.column} for at in error.locations or ()],
                "extensions": extensions,
            }
            for error in self.errors
        ]


class ParseFailedError(GraphQLApiError):
    """The text is not GraphQL."""

    code = "GRAPHQL_PARSE_FAILED"


class ValidationFailedError(GraphQLApiError):
    """The query does not fit the schema."""

    code = "GRAPHQL_VALIDATION_FAILED"


class MutationAskedError(ValidationFailedError):
    """The operation is a mutation, and came where only reading is done; HTTP's POST takes it to `mutations/`."""


class BadVariablesError(GraphQLApiError):
    """A variable does not fit its type."""

    code = "BAD_USER_INPUT"


class BadUserInputError(ApiError):
    """An argument, cursor or id is wrong."""

    code = "BAD_USER_INPUT"
    status = 400
    is_of_query = True


class LimitExceededError(ApiError):
    """The query is deeper, longer or wider than allowed."""

    code = "LIMIT_EXCEEDED"
    status = 400
    is_of_query = True


class DecisionRefusedError(ApiError):
    """A rule of the desk forbids what the root field at `path` asks for; `reason` is a word of `Refusal`."""

    code = "DECISION_REFUSED"
    status = 409
    is_of_query = True

    def __init__(self, message: str, *, reason: Refusal, path: str, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason
        self.path = path

    def as_errors(self, request_id: str) -> list[dict[str, Any]]:
        """With the root field that was refused."""
        return [each | {"path": [self.path]} for each in super().as_errors(request_id)]

    def details(self) -> dict[str, Any]:
        """The rule that forbids it."""
        return {"reason": self.reason.name}


class NotTrustedError(ApiError):
    """The answer would rest on publications that the caller's `requireTrust` does not want."""

    code = "NOT_TRUSTED"
    status = 409
    is_of_query = True

    def __init__(self, demanded: str, rests_on: Sequence[Mapping[str, Any]]) -> None:
        told = "; ".join(dict.fromkeys(map(_said_of, rests_on)))
        super().__init__(
            f"{demanded} is demanded, and the answer would rest on {told}.",
            remedy="Wait for a clean delivery, or ask for less or without `requireTrust`.",
        )
        self.demanded = demanded
        self.rests_on = rests_on

    @classmethod
    def read(cls, told: str) -> NotTrustedError:
        """From what PostgreSQL tells as JSON: `demanded`, and publications with their waivers."""
        found = orjson.loads(told)
        return cls(found["demanded"], found["rests_on"])

    def details(self) -> dict[str, Any]:
        """What was demanded, and each publication with the waiver that it was made under, 20 at most."""
        names = {"rule": "ruleId"}
        listed = [{names.get(key, key): value for key, value in one.items()} for one in self.rests_on]
        return {"requireTrust": self.demanded, "restsOn": listed}


def _said_of(one: Mapping[str, Any]) -> str:
    if one["waiver"] is None:
        return f"publication {one['publication']} of {one['feed']} ({one['verdict']})"
    return f"waiver {one['waiver']} of {one['rule']} ({one['feed']}, {one['state']}, until {one['until']})"


class DocumentNotFoundError(ApiError):
    """No document of this id is registered for the caller."""

    code = "PERSISTED_DOCUMENT_NOT_FOUND"
    status = 400
    is_of_query = True


class DocumentRequiredError(ApiError):
    """Only registered documents are answered here, and this is none."""

    code = "PERSISTED_DOCUMENT_REQUIRED"
    status = 403


class BadRequestError(ApiError):
    """The HTTP request is not a GraphQL request; `allow` lists the methods that it could have used."""

    code = "BAD_REQUEST"
    status = 400

    def __init__(self, message: str, *, status: int = 400, remedy: str | None = None, allow: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.allow = allow

    def headers(self) -> tuple[Header, ...]:
        """`Allow`, if the method was wrong."""
        return ((b"allow", self.allow.encode()),) if self.allow else ()


class UnauthenticatedError(ApiError):
    """There is no API key or token, or none that is known, or it has expired."""

    code = "UNAUTHENTICATED"
    status = 401

    def __init__(self, message: str, *, remedy: str | None = None, is_invalid: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.is_invalid = is_invalid

    def headers(self) -> tuple[Header, ...]:
        """The challenge of RFC 6750; `invalid_token` where something was sent that does not hold."""
        challenge = b'Bearer realm="fulcrum"'
        return ((b"www-authenticate", challenge + b', error="invalid_token"' if self.is_invalid else challenge),)


class ForbiddenError(ApiError):
    """The caller is known but may not do this."""

    code = "FORBIDDEN"
    status = 403


class NotFoundError(ApiError):
    """There is nothing at this address."""

    code = "NOT_FOUND"
    status = 404


class RateLimitedError(ApiError):
    """More requests per second than one client may send; `wait` seconds until the next may come."""

    code = "RATE_LIMITED"
    status = 429

    def __init__(self, message: str, *, wait: float, policy: bytes, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.wait = wait
        self.policy = policy

    def headers(self) -> tuple[Header, ...]:
        """`Retry-After`, and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-10."""
        seconds = str(max(1, math.ceil(self.wait))).encode()
        return (
            (b"retry-after", seconds),
            (b"ratelimit-policy", self.policy),
            (b"ratelimit", b'"client";r=0;t=' + seconds),
        )


class TooManyRequestsError(ApiError):
    """More operations at once than one client may run."""

    code = "TOO_MANY_REQUESTS"
    status = 429

    def headers(self) -> tuple[Header, ...]:
        """One second: operations end soon, and when is not known."""
        return ((b"retry-after", b"1"),)


class TimedOutError(ApiError):
    """The statement took longer than the limit."""

    code = "TIMEOUT"
    status = 504


class UnavailableError(ApiError):
    """The warehouse does not answer."""

    code = "UNAVAILABLE"
    status = 503

    def headers(self) -> tuple[Header, ...]:
        """Two seconds: a restart of the warehouse takes about one."""
        return ((b"retry-after", b"2"),)


class InternalError(ApiError):
    """A fault of ours; the log has it under the request id."""

    code = "INTERNAL_SERVER_ERROR"
    status = 500
