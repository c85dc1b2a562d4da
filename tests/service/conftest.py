"""Listeners in this process, whose store can be made to wait or to fail; and consumers of a real Kafka."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_otel.errors import StoreError
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.service import grpc as grpc_listener, security
from agent_otel.service.api.reply import reply as api_reply
from agent_otel.service.budget import Budget
from agent_otel.service.exchange import Reply, Request
from agent_otel.service.health import Health
from agent_otel.service.http import HttpApplication
from agent_otel.service.listen import HttpListener, address_of, bind
from agent_otel.service.logs import Rarely, logger
from agent_otel.service.metrics import Backlog, ServiceMetrics
from agent_otel.service.receiver import Lanes, Receiver
from agent_otel.service.routes import Route, routes
from agent_otel.service.security import Tokens
from agent_otel.service.settings import ProcessorSettings
from agent_otel.store.base import PutResult
from agent_otel.store.sqlite import SqliteStore
from agent_otel.store.writer import GroupCommit
from real.kafka_broker import Kafka
from real.processor import Processor

WAIT_S = 20


class Answered(msgspec.Struct, frozen=True):
    """A reply as a client sees it."""

    status: int
    body: bytes
    headers: dict[str, str]


class Listeners:
    """Both listeners on a SQLite store, in a thread of this process.

    ``gate`` holds commits back while it is clear. ``trouble`` is raised instead of a commit while it is set;
    with a ``refusal`` not even handing over works.
    """

    def __init__(self, folder: Path, *, settings: ProcessorSettings, limits: Limits, capacity: int) -> None:
        self.settings = settings
        self.limits = limits
        self.store = SqliteStore(folder / "runs.db")
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Semaphore(0)
        self.trouble: Exception | None = None
        self.refusal: Exception | None = None
        self.budget = Budget(capacity)
        self.metrics = ServiceMetrics(
            backlog=Backlog(self.store.stats, self.store.wake_at), in_flight=lambda: self.budget.used, memory=dict
        )
        self.log_file = (folder / "log").open("w+")
        self._writer = GroupCommit(self.store)
        self._commits = ThreadPoolExecutor(32)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT_S)
        if self._failure is not None:
            raise self._failure

    def submit(self, items: Any) -> Future[PutResult]:
        """Hands over, later or not at all."""
        if self.refusal is not None:
            raise self.refusal
        return self._commits.submit(self._commit, items)

    def _commit(self, items: Any) -> PutResult:
        self.waiting.release()
        assert self.gate.wait(WAIT_S)
        if self.trouble is not None:
            raise self.trouble
        return self._writer.put(items)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:  # whoever started it hears of it
            self._failure = exc
            self._ready.set()
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        settings = self.settings
        tokens = Tokens(settings.tokens, file=settings.token_file)
        rarely = Rarely(logger(settings, self.log_file))
        lanes, readers = Lanes(), ThreadPoolExecutor(2)
        self.receiver = Receiver(
            submit=self.submit,
            budget=self.budget,
            lanes=lanes,
            metrics=self.metrics,
            rarely=rarely,
            limits=self.limits,
        )
        health = Health(backlog=Backlog(self.store.stats, self.store.wake_at), ready_lag_s=settings.ready_lag_s)
        self.routes: tuple[Route, ...] = routes(
            healthz=health.alive, readyz=health.ready, metrics=self._expose, api=self._api
        )
        application = HttpApplication(
            routes=self.routes,
            receiver=self.receiver,
            tokens=tokens,
            local_only=not tokens.needed and settings.tls_client_ca is None,
            readers=readers,
            read_timeout_s=settings.read_timeout_s,
            rarely=rarely,
        )
        sockets = bind(security.addresses(settings.http, name="http"))
        tls = security.http_tls(settings)
        self.server = HttpListener(application, sockets, settings, tls=tls, drain_s=1)
        services = grpc_listener.ExportServices(
            receiver=self.receiver, tokens=tokens, read_timeout_s=settings.read_timeout_s
        )
        grpc_server, grpc_bound = grpc_listener.server(
            services, security.addresses(settings.grpc, name="grpc"), settings, most_bytes=self.limits.body_bytes
        )
        await grpc_server.start()
        await self.server.start()
        self.address = address_of(sockets[0])
        self.http = f"{'https' if tls else 'http'}://{self.address}"
        self.grpc = str(grpc_bound[0])
        self._ready.set()
        await self._over.wait()
        await asyncio.gather(self.server.stop(), grpc_server.stop(1))
        lanes.close()
        readers.shutdown()

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answered:
        """One request on a connection of its own; nothing is added to what is given but the length."""
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=WAIT_S)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            named = {name.lower(): value for name, value in reply.getheaders()}
            return Answered(reply.status, reply.read(), named)
        finally:
            connection.close()

    def counted(self, name: str, **labels: str) -> float:
        """The sum of a counter on ``/metrics``, over what the labels leave open."""
        text = self.metrics.exposition()[0].decode()
        found = 0.0
        for line in text.splitlines():
            if line.startswith((f"{name}{{", f"{name} ")) and all(f'{k}="{v}"' in line for k, v in labels.items()):
                found += float(line.rpartition(" ")[2])
        return found

    def connections(self) -> int:
        """How many HTTP connections are open."""
        return len(self.server._server.server_state.connections)

    def log(self) -> str:
        """What was logged."""
        self.log_file.flush()
        return Path(self.log_file.name).read_text()

    def close(self) -> None:
        """Ends everything."""
        self.gate.set()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(WAIT_S)
        self._commits.shutdown()
        self._writer.close()
        self.metrics.close()
        self.store.close()
        self.log_file.close()

    def _api(self, request: Request) -> Reply:
        if request.path == "/api/broken":
            raise ZeroDivisionError
        if request.path == "/api/large":
            return Reply(status=200, body=bytes(30 << 20))
        if request.path == "/api/gone":
            message = "the database is gone"
            raise StoreError(message)
        return api_reply(request, self.store)

    def _expose(self, _: Request) -> Reply:
        body, content_type = self.metrics.exposition()
        return Reply(status=200, body=body, headers={"content-type": content_type})


Listen = Callable[..., Listeners]


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Listen]:
    """Starts listeners with these settings, limits and bytes in flight; ends them after the test."""
    started: list[Listeners] = []

    def start(*, limits: Limits = DEFAULT_LIMITS, capacity: int = 64 << 20, **settings: Any) -> Listeners:
        folder = tmp_path / f"listeners-{len(started)}"
        folder.mkdir()
        given = {"http": "127.0.0.1:0", "grpc": "127.0.0.1:0", "log_format": "json", **settings}
        started.append(Listeners(folder, settings=ProcessorSettings(**given), limits=limits, capacity=capacity))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def listeners(listen: Listen) -> Listeners:
    """Listeners without tokens."""
    return listen()


Consume = Callable[..., Processor]


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker for all tests that ask for it."""
    broker = Kafka(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.stop()


@pytest.fixture
def topic(kafka: Kafka, request: pytest.FixtureRequest) -> str:
    """A topic of this test's own."""
    name = request.node.name.replace("[", "-").replace("]", "")
    kafka.create(name)
    return str(name)


@pytest.fixture
def consume(kafka: Kafka, topic: str, tmp_path: Path) -> Iterator[Consume]:
    """Starts consumers of the topic, on one file if no database is named; all are ended after the test."""
    started: list[Processor] = []

    def start(*arguments: str, db: str = "") -> Processor:
        options = ["--kafka", kafka.brokers, "--traces-topic", topic, "--logs-topic", "off", "--metrics-topic", "off"]
        log = tmp_path / f"consumer-{len(started)}.log"
        # Brokers wait this long for a consumer that was killed.
        config = tmp_path / "kafka.properties"
        config.write_text("# quick for a test\nsession.timeout.ms=6000\n\n")
        options += ["--group", topic, "--kafka-config", str(config), *arguments]
        started.append(Processor(*options, db=db or str(tmp_path / "runs.db"), log=log, command="consume"))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()
