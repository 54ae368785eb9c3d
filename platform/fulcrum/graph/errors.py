"""What the API answers when it cannot answer: stable codes, an HTTP status, nothing of the inside.

QueryError
└── ApiError                  code                     status
    ├── BadUserInputError       BAD_USER_INPUT           200 or 400
    ├── ParseFailedError        GRAPHQL_PARSE_FAILED     200 or 400
    ├── ValidationFailedError   GRAPHQL_VALIDATION_FAILED 200 or 400
    ├── LimitExceededError      LIMIT_EXCEEDED           200 or 400
    ├── BadRequestError         BAD_REQUEST              400, 405, 413, 415
    ├── UnauthenticatedError    UNAUTHENTICATED          401
    ├── NotFoundError           NOT_FOUND                404
    ├── TimedOutError           TIMEOUT                  504
    ├── UnavailableError        UNAVAILABLE              503
    └── InternalError           INTERNAL_SERVER_ERROR    500
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from fulcrum.errors import QueryError


class ApiError(QueryError):
    """An answer that is an error; `status` is that of the HTTP answer."""

    code = "INTERNAL_SERVER_ERROR"
    status = 500

    def as_errors(self, request_id: str) -> list[dict[str, Any]]:
        """The `errors` of the answer."""
        return [{"message": str(self), "extensions": {"code": self.code, "requestId": request_id}}]


class GraphQLApiError(ApiError):
    """Errors that the GraphQL library found, with their places in the text."""

    status = 400

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors

    def as_errors(self, request_id: str) -> list[dict[str, Any]]:
        """One entry per error."""
        extensions = {"code": self.code, "requestId": request_id}
        return [
            {
                "message": error.message,
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


class BadVariablesError(GraphQLApiError):
    """A variable does not fit its type."""

    code = "BAD_USER_INPUT"


class BadUserInputError(ApiError):
    """An argument, cursor or id is wrong."""

    code = "BAD_USER_INPUT"
    status = 400


class LimitExceededError(ApiError):
    """The query is deeper, longer or wider than allowed."""

    code = "LIMIT_EXCEEDED"
    status = 400


class BadRequestError(ApiError):
    """The HTTP request is not a GraphQL request."""

    code = "BAD_REQUEST"
    status = 400

    def __init__(self, message: str, *, status: int = 400, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class UnauthenticatedError(ApiError):
    """There is no API key, or none that is known, or it has expired."""

    code = "UNAUTHENTICATED"
    status = 401


class NotFoundError(ApiError):
    """There is nothing at this address."""

    code = "NOT_FOUND"
    status = 404


class TimedOutError(ApiError):
    """The statement took longer than the limit."""

    code = "TIMEOUT"
    status = 504


class UnavailableError(ApiError):
    """The warehouse does not answer."""

    code = "UNAVAILABLE"
    status = 503


class InternalError(ApiError):
    """A fault of ours; the log has it under the request id."""

    code = "INTERNAL_SERVER_ERROR"
    status = 500
