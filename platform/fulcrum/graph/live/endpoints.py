"""The routes of subscriptions: a WebSocket at `/graphql`, server-sent events at `/graphql/stream`."""

from __future__ import annotations

from starlette.routing import Route, WebSocketRoute

from fulcrum.graph.http.routes import answered
from fulcrum.graph.live.sse import stream
from fulcrum.graph.live.websocket import converse


def routes() -> list[Route | WebSocketRoute]:
    """The application holds `state.endpoint` and `state.hub`."""
    return [
        WebSocketRoute("/graphql", converse),
        Route("/graphql/stream", answered(stream), methods=["GET", "POST"]),
    ]
