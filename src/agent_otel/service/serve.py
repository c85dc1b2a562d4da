"""The processor's life: what is started in which order, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final, Protocol

import grpc.aio
import msgspec

from agent_otel.errors import SettingsError
from agent_otel.sdk.state import VERSION
from agent_otel.service import allocator, grpc as grpc_listener, security
from agent_otel.service.api.reply import reply as api_reply
from agent_otel.service.arrival import arrival
from agent_otel.service.background import Background
from agent_otel.service.budget import Budget
from agent_otel.service.exchange import Reply, Request
from agent_otel.service.health import Health
from agent_otel.service.http import HttpApplication
from agent_otel.service.listen import HttpListener, address_of, bind
from agent_otel.service.logs import Logger, Rarely, logger
from agent_otel.service.memory import of_processor
from agent_otel.service.metrics import Backlog, ServiceMetrics
from agent_otel.service.receiver import Lanes, Receiver
from agent_otel.service.routes import routes
from agent_otel.service.security import Address, Tokens
from agent_otel.service.settings import ProcessorSettings
from agent_otel.store.base import Store
from agent_otel.store.open import open_store
from agent_otel.store.urls import masked
from agent_otel.store.writer import GroupCommit

PATIENCE_S: Final = 3.0
"""How long a locked database is waited for until senders are told to come back; they give up after ten."""

READERS: Final = 4
"""Threads that answer what is no export."""

REQUESTS_SHARE: Final = 0.6
"""The part of the time for ending that requests in work have."""

BACKGROUND_SHARE: Final = 0.25
"""The part that folding has; the rest is for the store."""

LOOK_AGAIN_S: Final = 1.0
"""How often the file of tokens is looked at, and whether there was much to do."""

MUCH_BYTES: Final = 16 << 20
"""After so much in work at a time, what is left of it is given back to the system; everyday load stays far below."""


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """Where the processor can be reached, and its process."""

    http: tuple[str, ...]
    grpc: tuple[str, ...]
    db: str
    pid: int


class Source(Protocol):
    """Brings telemetry from somewhere else than the listeners."""

    def start(self) -> None:
        """Begins."""

    def stop(self, timeout_s: float) -> None:
        """Ends; what is in hand is finished, or comes again."""


MakeSource = Callable[[Store, ServiceMetrics, Rarely], Source]
"""Makes a source that puts into the store, counts what it does, and tells what goes wrong."""


def serve(
    settings: ProcessorSettings, *, announce: Callable[[Listening], None], source: MakeSource | None = None
) -> None:
    """Runs the processor until SIGTERM or SIGINT.

    Args:
        settings: its settings.
        announce: told where it listens, once everything works.
        source: brings telemetry besides the listeners, if given.

    Raises:
        SettingsError: what the settings say cannot be.
        StoreError: the database cannot be used.
        OSError: an address cannot be had.
    """
    allocator.keep_little()
    http_at = security.addresses(settings.http, name="http")
    grpc_at = security.addresses(settings.grpc, name="grpc")
    security.check_exposure([*http_at, *grpc_at], settings)
    with ExitStack() as parts:
        processor = _Processor(settings, logger(settings), parts, source)
        sockets = bind(http_at)
        for each in sockets:
            parts.callback(each.close)
        asyncio.run(processor.live(sockets, grpc_at, announce))


class _Processor:
    """The parts, put together; ``parts`` closes them in the opposite order."""

    def __init__(self, settings: ProcessorSettings, log: Logger, parts: ExitStack, source: MakeSource | None) -> None:
        self._settings = settings
        self._log = log
        self._parts = parts
        self._rarely = Rarely(log)
        self._tokens = Tokens(settings.tokens, file=settings.token_file)
        self._tls = security.http_tls(settings)
        # Two connections to one database: nobody who reads makes a sender wait.
        store = open_store(settings.db, patience_s=PATIENCE_S)
        self._reading = open_store(settings.db, patience_s=PATIENCE_S)
        parts.callback(store.close)
        parts.callback(self._reading.close)
        backlog = Backlog(self._reading.stats, self._reading.wake_at)
        self._folding: Callable[[], list[int]] = list
        self._budget = budget = Budget(settings.in_flight_bytes)
        self._metrics = ServiceMetrics(
            backlog=backlog,
            in_flight=lambda: budget.used,
            memory=lambda: of_processor(self._folding()),
            endpoint=settings.metrics_endpoint,
            version=VERSION,
        )
        parts.callback(self._metrics.close)
        writer = GroupCommit(store)
        parts.callback(writer.close)
        arrive = arrival(settings)
        lanes = Lanes()
        parts.callback(lanes.close)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="agent-otel-read")
        parts.callback(self._readers.shutdown, wait=False, cancel_futures=True)
        self._receiver = Receiver(
            submit=lambda items: writer.submit(arrive(items)),
            budget=budget,
            lanes=lanes,
            metrics=self._metrics,
            rarely=self._rarely,
        )
        self._source = source(store, self._metrics, self._rarely) if source is not None else None
        self._health = Health(backlog=backlog, ready_lag_s=settings.ready_lag_s)
        self._background = Background(settings, self._reading, metrics=self._metrics, log=log, rarely=self._rarely)
        self._folding = self._background.folding

    async def live(
        self, sockets: Sequence[socket.socket], grpc_at: Sequence[Address], announce: Callable[[Listening], None]
    ) -> None:
        """Starts everything, the listeners last; waits for a signal; ends everything, the listeners first."""
        ending = asyncio.Event()
        self._heed_signals(ending)
        drain_s = self._settings.drain_s * REQUESTS_SHARE
        grpc_server, grpc_bound = self._grpc(grpc_at)
        # Whatever fails from here on: processes that were started are ended.
        self._parts.callback(self._background.stop, self._settings.drain_s * BACKGROUND_SHARE)
        self._background.start()
        http_server = HttpListener(self._application(), sockets, self._settings, tls=self._tls, drain_s=drain_s)
        await grpc_server.start()
        await http_server.start()
        if self._source is not None:
            self._parts.callback(self._source.stop, drain_s)
            self._source.start()
        self._tell(sockets, grpc_bound, announce)
        watching = [asyncio.create_task(each) for each in (self._watch_tokens(), self._tidy())]
        await ending.wait()
        for each in watching:
            each.cancel()
        self._limit_ending()
        self._health.draining = self._receiver.draining = True
        await asyncio.gather(http_server.stop(), grpc_server.stop(drain_s))
        await asyncio.to_thread(self._parts.close)
        self._log.info("ended")

    def _application(self) -> HttpApplication:
        return HttpApplication(
            routes=routes(
                healthz=self._health.alive, readyz=self._health.ready, metrics=self._expose, api=self._answer
            ),
            receiver=self._receiver,
            tokens=self._tokens,
            local_only=not self._tokens.needed and self._settings.tls_client_ca is None,
            readers=self._readers,
            read_timeout_s=self._settings.read_timeout_s,
            rarely=self._rarely,
        )

    def _grpc(self, listening: Sequence[Address]) -> tuple[grpc.aio.Server, list[Address]]:
        services = grpc_listener.ExportServices(
            receiver=self._receiver, tokens=self._tokens, read_timeout_s=self._settings.read_timeout_s
        )
        most_bytes = self._receiver.limits.body_bytes
        return grpc_listener.server(services, listening, self._settings, most_bytes=most_bytes)

    def _tell(
        self, sockets: Sequence[socket.socket], grpc_bound: Sequence[Address], announce: Callable[[Listening], None]
    ) -> None:
        scheme = "https" if self._tls else "http"
        listening = Listening(
            http=tuple(f"{scheme}://{address_of(each)}" for each in sockets),
            grpc=tuple(map(str, grpc_bound)),
            db=masked(self._settings.db),
            pid=os.getpid(),
        )
        self._log.info("listening", http=listening.http, grpc=listening.grpc, db=listening.db)
        announce(listening)

    def _heed_signals(self, ending: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, ending, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload, self._tokens.reload)

    def _end(self, ending: asyncio.Event, number: int) -> None:
        if ending.is_set():
            os._exit(128 + number)
        self._log.info("ending", signal=signal.Signals(number).name)
        ending.set()

    def _limit_ending(self) -> None:
        """Whatever hangs, the process is gone when the time is over; nothing that was answered is lost by it."""
        late = threading.Timer(self._settings.drain_s, os._exit, (1,))
        late.daemon = True
        late.start()

    def _reload(self, reload: Callable[[], bool | None]) -> None:
        try:
            if reload() is not False:
                self._log.info("the tokens were read again")
        except SettingsError as exc:
            self._rarely.warning("the tokens cannot be read; those known before stay", error=str(exc))

    async def _watch_tokens(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            self._reload(self._tokens.reload_if_changed)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            if self._budget.most() > MUCH_BYTES:
                await asyncio.to_thread(allocator.give_back)

    def _expose(self, _: Request) -> Reply:
        body, content_type = self._metrics.exposition()
        return Reply(status=200, body=body, headers={"content-type": content_type})

    def _answer(self, request: Request) -> Reply:
        return api_reply(request, self._reading)
