"""Bounds on what an HTTP connection may do before the application hears of it; uvicorn has none of its own."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_BYTES: Final = 64 << 10
"""Size of the headers of a request; also of what frames a body, beyond a fair share of the body itself."""

FRAME_BYTES: Final = 8
"""What a chunk of one byte costs beside that byte, and a little more."""

PIPELINE: Final = 16
"""Requests that may wait on one connection; no sender of telemetry does that."""

DISCARD_S: Final = 5.0
"""How long the rest of a request that is answered already is read and thrown away.

Closing at once would reset the connection, and the sender would not see the answer.
"""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection may do: ``connections`` at once, and ``header_s`` for the headers of a request to arrive."""

    connections: int
    header_s: float


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits on time and size of headers, on pipelining and on connections.

    Args:
        bounds: the limits.
        busy: the application that answers where there are too many connections.
        **uvicorn: what uvicorn hands over.
    """

    def __init__(self, *, bounds: Bounds, busy: Any, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._bounds = bounds
        self._busy = busy
        self._timer: asyncio.TimerHandle | None = None
        self._in_message = False
        self._in_headers = False
        self._framing = 0
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begins to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > self._bounds.connections:
            self.app = self._busy
        if len(self.connections) > 2 * self._bounds.connections:
            transport.abort()
            return
        self._limit(self._bounds.header_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing any more."""
        self._unlimit()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads on, within bounds."""
        if not self._in_message and self._timer is None:
            self._limit(self._bounds.header_s)
        self._framing += len(data)
        super().data_received(data)
        if self._in_headers and self._timer is None:  # those of a next request, behind one that was whole
            self._limit(self._bounds.header_s)
        if self._framing > HEADER_BYTES and not self.transport.is_closing():
            self._end(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= PIPELINE:
            message = "too many requests at once on one connection"
            raise ValueError(message)
        self._in_message = self._in_headers = True
        self._header_bytes = 0
        self._framing = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers are there: the application has the rest of the time."""
        self._in_headers = False
        self._unlimit()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._framing = max(0, self._framing - (1 + FRAME_BYTES) * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_message = False
        self._framing = 0
        self._unlimit()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written; the request may still be on its way."""
        super().on_response_complete()
        if self._in_message and not self._in_headers and not self.pipeline and not self.transport.is_closing():
            self._limit(DISCARD_S)

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for long; whoever did not even read the last answer is not waited for."""
        if self.transport.get_write_buffer_size() > 0:
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > HEADER_BYTES:
            message = "headers too large"
            raise ValueError(message)  # httptools makes an error of it that uvicorn answers with 400

    def _limit(self, seconds: float) -> None:
        self._unlimit()
        self._timer = self.loop.call_later(seconds, self._too_late)

    def _unlimit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        if self.transport.is_closing():
            return
        self._end(b"408 Request Timeout")

    def _end(self, status: bytes) -> None:
        """Ends the connection; with an answer, where none was given and none is under way."""
        answering = self.cycle is not None and not self.cycle.response_complete
        answered = self._in_message and not self._in_headers
        if not answering and not answered:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        if answering:
            self.transport.abort()
        else:
            self.transport.close()
