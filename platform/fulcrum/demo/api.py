"""Asks the GraphQL API over HTTP, starting one for the occasion where none is up."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fulcrum.errors import ServiceError
from fulcrum.services import ports
from fulcrum.services.catalog import environment
from fulcrum.settings import Settings

_START_SECONDS = 60.0
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Api:
    """Where the API is, and the key to ask with."""

    port: int
    key: str

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The whole answer, errors included, as the server sent it.

        Raises:
            ServiceError: the API did not answer, or not with JSON.
        """
        connection = http.client.HTTPConnection(ports.LOOPBACK, self.port, timeout=_ANSWER_SECONDS)
        body = json.dumps({"query": query, "variables": dict(variables or {})})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        try:
            connection.request("POST", "/graphql", body, headers)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            raise ServiceError("The GraphQL API gave no answer.", remedy="`fulcrum status` says how it is.") from error
        finally:
            connection.close()
        return answer


@contextmanager
def temporary_api(settings: Settings, key: str) -> Iterator[Api]:
    """An API process on a free port, ended on the way out."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "fulcrum.graph.app:create_app", "--factory"]
    command += ["--host", ports.LOOPBACK, "--port", str(port), "--log-level", "warning", "--no-access-log"]
    process = subprocess.Popen(command, env=environment(settings), cwd=settings.project)
    try:
        _wait(process, port)
        yield Api(port, key)
    finally:
        process.terminate()
        process.wait(timeout=_START_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ports.LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while ports.is_free(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceError("The GraphQL API did not come up.", remedy="Its own messages stand above.")
        time.sleep(0.1)
