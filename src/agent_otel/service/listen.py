"""Sockets for the HTTP listener, and the server that runs on them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final, cast

import uvicorn

from agent_otel.service import http
from agent_otel.service.connection import BoundedProtocol, Bounds
from agent_otel.service.security import Address
from agent_otel.service.settings import ProcessorSettings

BACKLOG: Final = 1024
HEADERS_SHARE: Final = 3
"""Headers have this part of the time that a whole request has."""


def bind(listening: Sequence[Address]) -> list[socket.socket]:
    """Sockets that hold the addresses, and do not listen yet.

    Raises:
        OSError: an address cannot be had.
    """
    bound: list[socket.socket] = []
    for address in listening:
        made = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET, socket.SOCK_STREAM)
        bound.append(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            made.bind((address.host, address.port))
        except OSError as exc:
            for each in bound:
                each.close()
            message = f"cannot listen on {address} for HTTP: {exc.strerror or exc}"
            raise OSError(message) from exc
    return bound


def address_of(bound: socket.socket) -> Address:
    """Where a socket is."""
    host, port = bound.getsockname()[:2]
    return Address(host=host, port=port)


class HttpListener:
    """The HTTP server.

    Args:
        application: answers.
        sockets: bound.
        settings: how long and how many.
        tls: certificates, where it speaks TLS.
        drain_s: how long requests that are in work at the end may take.
    """

    def __init__(
        self,
        application: http.HttpApplication,
        sockets: Sequence[socket.socket],
        settings: ProcessorSettings,
        *,
        tls: ssl.SSLContext | None,
        drain_s: float,
    ) -> None:
        bounds = Bounds(connections=settings.connections, header_s=settings.read_timeout_s / HEADERS_SHARE)
        self._sockets = list(sockets)
        self._server = _Server(
            uvicorn.Config(
                cast("Any", application),
                # A factory is all that uvicorn needs of the class; its type says more.
                http=cast("Any", partial(BoundedProtocol, bounds=bounds, busy=application.busy)),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # what senders do wrong is counted, and told now and then, by us
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=cast("int", settings.idle_timeout_s),
                timeout_graceful_shutdown=cast("int", drain_s),
                ssl_context_factory=(lambda _, __: tls) if tls is not None else None,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listens."""
        self._task = asyncio.create_task(self._server.serve(sockets=self._sockets))
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._task, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Takes no more connections, and waits for the requests that are in work."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task


class _Server(uvicorn.Server):
    """Signals are not its business, and it says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()
