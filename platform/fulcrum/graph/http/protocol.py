"""uvicorn's HTTP protocol with head and body of an answer in one write.

uvicorn writes them one after the other and uvloop sends at once, so a small answer costs two system calls and
wakes the client twice. What is answered is none of its business.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Joined:
    """A transport that keeps a write until the next one, or for the rest of this turn of the loop.

    Everything else goes through to the plain transport.
    """

    def __init__(self, plain: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.plain = plain
        self._loop = loop
        self._kept: bytes | None = None

    def write(self, data: bytes) -> None:
        """Send `data` with what was kept, or keep it."""
        if self._kept is None:
            self._kept = data
            self._loop.call_soon(self.flush)
        else:
            kept, self._kept = self._kept, None
            self.plain.writelines((kept, data))

    def flush(self) -> None:
        """Send what is kept."""
        if self._kept is not None:
            kept, self._kept = self._kept, None
            if not self.plain.is_closing():
                self.plain.write(kept)

    def close(self) -> None:
        """Send what is kept, then close."""
        self.flush()
        self.plain.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


class Protocol(HttpToolsProtocol):
    """One connection of a client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection."""
        super().connection_made(_Joined(transport, self.loop))  # type: ignore[arg-type]

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection, as it was, to the WebSocket protocol."""
        joined: Any = self.transport
        joined.flush()
        self.transport = joined.plain
        super().handle_websocket_upgrade()
