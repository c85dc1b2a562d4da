"""The processor's life: what is started in which order, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

import grpc.aio
import msgspec
from msgspec.structs import replace

from agent_otel.compaction.policy import Policy
from agent_otel.errors import SettingsError
from agent_otel.sdk.state import VERSION
from agent_otel.service import grpc as grpc_listener, retention, security
from agent_otel.service.api.reply import reply as api_reply
from agent_otel.service.budget import Budget
from agent_otel.service.compactor import Compactor, Died
from agent_otel.service.emit import EVERY_S as EMIT_EVERY_S, Emission, Emitter, FileEmitter, LogEmitter
from agent_otel.service.exchange import Reply, Request
from agent_otel.service.health import Health
from agent_otel.service.http import HttpApplication
from agent_otel.service.listen import HttpListener, address_of, bind
from agent_otel.service.logs import Logger, Rarely, logger
from agent_otel.service.metrics import Backlog, ServiceMetrics
from agent_otel.service.periodic import Periodic
from agent_otel.service.receiver import Receiver
from agent_otel.service.routes import routes
from agent_otel.service.security import Address, Tokens
from agent_otel.service.settings import ProcessorSettings
from agent_otel.service.worker import Event, Settings as WorkerSettings, Trouble
from agent_otel.store.base import Store
from agent_otel.store.open import open_store
from agent_otel.store.urls import masked
from agent_otel.store.writer import GroupCommit

DECODERS: Final = 2
"""Threads that decode: inflating lets another one work, decoding does not."""

READERS: Final = 4
"""Threads that answer what is no export."""

REQUESTS_SHARE: Final = 0.6
"""The part of the time for ending that requests in work have; the rest is for the store and the folding."""


WORKERS_SHARE: Final = 0.2
CHORE_S: Final = 0.5


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """Where the processor can be reached, and its process."""

    http: tuple[str, ...]
    grpc: tuple[str, ...]
    db: str
    pid: int


def serve(settings: ProcessorSettings, *, announce: Callable[[Listening], None]) -> None:
    """Runs the processor until SIGTERM or SIGINT.

    Args:
        settings: its settings.
        announce: told where it listens, once everything works.

    Raises:
        SettingsError: what the settings say cannot be.
        StoreError: the database cannot be used.
        OSError: an address cannot be had.
    """
    http_at = security.addresses(settings.http, name="http")
    grpc_at = security.addresses(settings.grpc, name="grpc")
    security.check_exposure([*http_at, *grpc_at], settings)
    log = logger(settings)
    with ExitStack() as parts:
        processor = _Processor(settings, log, parts)
        sockets = bind(http_at)
        for each in sockets:
            parts.callback(each.close)
        asyncio.run(processor.run(sockets, grpc_at, announce))


class _Processor:
    """The parts, put together; ``parts`` closes them in the opposite order."""

    def __init__(self, settings: ProcessorSettings, log: Logger, parts: ExitStack) -> None:
        self._settings = settings
        self._log = log
        self._rarely = Rarely(log)
        self._tokens = Tokens(settings.tokens, file=settings.token_file)
        self._tls = security.http_tls(settings)
        # Two connections to one database: nobody who reads makes a sender wait.
        store, reading = open_store(settings.db), open_store(settings.db)
        parts.callback(store.close)
        parts.callback(reading.close)
        self._reading = reading
        backlog = Backlog(reading.stats, reading.wake_at)
        budget = Budget(settings.in_flight_bytes)
        self._metrics = ServiceMetrics(
            backlog=backlog,
            in_flight=lambda: budget.used,
            endpoint=settings.metrics_endpoint,
            version=VERSION,
        )
        parts.callback(self._metrics.close)
        self._compactor = Compactor(_worker_settings(settings), workers=settings.workers, tell=self._heard)
        self._chores = list(self._chores_of(settings, reading, parts))
        writer = GroupCommit(store)
        parts.callback(writer.close)
        decoders = ThreadPoolExecutor(DECODERS, thread_name_prefix="agent-otel-decode")
        parts.callback(decoders.shutdown, wait=False, cancel_futures=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="agent-otel-read")
        parts.callback(self._readers.shutdown, wait=False, cancel_futures=True)
        self._receiver = Receiver(
            submit=writer.submit, budget=budget, pool=decoders, metrics=self._metrics, rarely=self._rarely
        )
        self._health = Health(backlog=backlog, ready_lag_s=settings.ready_lag_s)

    async def run(
        self, sockets: list[socket.socket], grpc_at: list[Address], announce: Callable[[Listening], None]
    ) -> None:
        """Listens, waits for the end, and drains."""
        loop = asyncio.get_running_loop()
        ending = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, ending, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._compactor.start()
        for chore in self._chores:
            chore.start()
        application = HttpApplication(
            routes=routes(
                healthz=self._health.alive,
                readyz=self._health.ready,
                metrics=self._expose,
                api=self._read,
            ),
            receiver=self._receiver,
            tokens=self._tokens,
            local_only=not self._tokens.needed and self._settings.tls_client_ca is None,
            readers=self._readers,
            read_timeout_s=self._settings.read_timeout_s,
            rarely=self._rarely,
        )
        drain_s = self._settings.drain_s * REQUESTS_SHARE
        http_server = HttpListener(application, sockets, self._settings, tls=self._tls, drain_s=drain_s)
        services = grpc_listener.ExportServices(
            receiver=self._receiver, tokens=self._tokens, read_timeout_s=self._settings.read_timeout_s
        )
        grpc_server, grpc_bound = grpc_listener.server(
            services, grpc_at, self._settings, most_bytes=self._receiver.limits.body_bytes
        )
        await grpc_server.start()
        await http_server.start()
        scheme = "https" if self._tls else "http"
        listening = Listening(
            http=tuple(f"{scheme}://{address_of(each)}" for each in sockets),
            grpc=tuple(map(str, grpc_bound)),
            db=masked(self._settings.db),
            pid=os.getpid(),
        )
        self._log.info("listening", http=listening.http, grpc=listening.grpc, db=listening.db)
        announce(listening)
        await ending.wait()
        await self._drain(http_server, grpc_server, drain_s)

    async def _drain(self, http_server: HttpListener, grpc_server: grpc.aio.Server, drain_s: float) -> None:
        self._log.info("ending")
        late = threading.Timer(self._settings.drain_s, os._exit, (1,))
        late.daemon = True
        late.start()
        self._health.draining = True
        await asyncio.gather(http_server.stop(), grpc_server.stop(drain_s))
        for chore in self._chores:
            chore.stop(CHORE_S)
        await asyncio.to_thread(self._compactor.stop, self._settings.drain_s * WORKERS_SHARE)
        self._log.info("ended")

    def _chores_of(self, settings: ProcessorSettings, store: Store, parts: ExitStack) -> Iterator[Periodic]:
        """What is done now and then, beside requests."""
        emitters: list[Emitter] = []
        if settings.emit_file is not None:
            emitters.append(FileEmitter(settings.emit_file))
        if settings.emit_endpoint:
            emitters.append(LogEmitter(settings.emit_endpoint, clock=time.time_ns, version=VERSION))
        if emitters:
            emission = Emission(store, emitters, emitted=self._metrics.emitted)
            parts.callback(emission.close)
            yield Periodic("agent-otel-emit", emission.step, interval_s=EMIT_EVERY_S, failed=self._failed("emitting"))
        if settings.retention_days:
            expiry = retention.Retention(store, days=settings.retention_days)
            failed = self._failed("removing old items")
            yield Periodic("agent-otel-expire", expiry.step, interval_s=retention.EVERY_S, failed=failed)

    def _failed(self, what: str) -> Callable[[Exception], None]:
        return lambda exc: self._rarely.warning(f"{what} failed; it is tried again", error=str(exc))

    def _heard(self, event: Event | Died) -> None:
        """What the folding processes tell."""
        if isinstance(event, Died):
            self._log.error("a folding process died", exit_code=event.exit_code, again_in_s=event.delay_s)
        elif isinstance(event, Trouble):
            self._rarely.warning("folding waits for the store", error=event.error)
        else:
            self._metrics.folded(groups=event.groups, duration_s=event.duration_s)
            for group, error in event.failed.items():
                self._rarely.warning("a group cannot be folded", group=group, error=error)

    def _end(self, ending: asyncio.Event, number: int) -> None:
        if ending.is_set():
            os._exit(128 + number)
        ending.set()

    def _reload(self) -> None:
        try:
            self._tokens.reload()
        except SettingsError as exc:
            self._log.error("the tokens stay as they were", error=str(exc))
        else:
            self._log.info("tokens read again")

    def _read(self, request: Request) -> Reply:
        return api_reply(request, self._reading)

    def _expose(self, _: Request) -> Reply:
        body, content_type = self._metrics.exposition()
        return Reply(status=200, body=body, headers={"content-type": content_type})


def _worker_settings(settings: ProcessorSettings) -> WorkerSettings:
    made = WorkerSettings(database=settings.db, policy=Policy(abandoned_after_s=settings.abandoned_after_s))
    return replace(made, pace=replace(made.pace, debounce_s=settings.debounce_s))
