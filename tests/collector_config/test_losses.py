"""Nothing that was acknowledged is lost, whichever program is killed while agents send."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import agent_spans
import pytest
from senders import Senders

from real.configured import Configured
from real.documents import documents_in, documents_of, items_in
from real.jaeger import Jaeger
from real.kafka_broker import Kafka
from real.ports import wait_until
from real.processor import Processor

RUNS, SPANS = 60, 20
SOON_S = 150
"""Brokers and groups take their time to come back, and more of it where much else runs."""


class Sending:
    """Agents that send ``RUNS`` runs, each request until it is acknowledged; ``acknowledged`` says how many were.

    Args:
        to: an OTLP/HTTP endpoint.
        large: spans of one more run, which come in one request, the first.
    """

    def __init__(self, to: str, *, large: int = 0) -> None:
        self.spans = RUNS * SPANS + large
        self.bodies = list(agent_spans.requests(runs=RUNS, spans=SPANS, batch=20, size=600))
        if large:
            self.bodies[:0] = agent_spans.requests(runs=1, spans=large, batch=large, first_run=RUNS)
        where = urlsplit(to)
        self._senders = Senders(
            (where.hostname, where.port), iter(enumerate(self.bodies)), connections=2, per_second=40
        )
        self._senders.start()

    @property
    def acknowledged(self) -> int:
        """How many requests were."""
        return self._senders.account.acknowledged

    def reaches(self, share: float) -> None:
        """Waits until this share of all was acknowledged."""
        wait_until(lambda: self.acknowledged >= share * len(self.bodies), what="acknowledgements", timeout_s=60)

    def ends(self) -> None:
        """Waits until all was acknowledged."""
        self._senders.join()
        assert self.acknowledged == len(self.bodies)


class Service:
    """A processor at a fixed place, which can be killed and started again."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder, self._arguments, self._numbers = folder, arguments, count()
        self.db = str(folder / "runs.db")
        self.start()

    def start(self, *arguments: str) -> None:
        """Starts it, with more arguments."""
        log = self._folder / f"processor-{next(self._numbers)}.log"
        self.running = Processor(*self._arguments, *arguments, db=self.db, log=log)

    def restart(self) -> None:
        """Kills it, and starts it where it was."""
        where = urlsplit(self.running.http).netloc
        self.running.kill()
        self.start("--http", where)


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    """A processor that takes OTLP/HTTP."""
    found = Service(tmp_path, "--grpc", "off")
    yield found
    found.running.kill()


def in_jaeger(jaeger: Jaeger) -> int:
    """How many of the spans Jaeger has."""
    return sum(len(jaeger.trace(agent_spans.trace_id(run).hex())) for run in range(RUNS + 1))


def is_everywhere(sending: Sending, jaeger: Jaeger, *databases: str) -> None:
    """Every span is in Jaeger and in each database, once; and the records are those of the spans."""
    sending.ends()
    wanted = documents_of(sending.bodies)
    wait_until(lambda: in_jaeger(jaeger) == sending.spans, what="all spans in Jaeger", timeout_s=SOON_S)
    for db in databases:
        wait_until(lambda db=db: items_in(db) == sending.spans, what="all spans in the processor", timeout_s=SOON_S)
        wait_until(lambda db=db: documents_in(db) == wanted, what="their records", timeout_s=SOON_S)


@pytest.mark.parametrize("killed", ["processor", "backend", "collector"])
def test_on_one_machine(killed, service, run, tmp_path):
    """``local.yaml``: each part is killed while agents send, and started again."""
    jaeger = run(Jaeger, tmp_path / "jaeger")
    env = {"AGENT_OTEL_PROCESSOR": service.running.http, "OTELCOL_BACKEND": jaeger.grpc}
    collector = run(Configured, tmp_path / "collector", "local.yaml", env=env)

    def again(program) -> None:
        program.kill()
        program.start()

    parts = {
        "processor": service.restart,
        "backend": lambda: again(jaeger.program),
        "collector": lambda: again(collector.program),
    }
    sending = Sending(collector.http)
    for share in (0.2, 0.6):
        sending.reaches(share)
        parts[killed]()
    is_everywhere(sending, jaeger, service.db)


def test_what_waits_survives_the_collector(service, run, tmp_path):
    """``local.yaml``: acknowledged while nobody took it, and the collector was killed: it is delivered all the same."""
    where = urlsplit(service.running.http).netloc
    service.running.kill()
    jaeger = run(Jaeger, tmp_path / "jaeger")
    jaeger.program.kill()
    env = {"AGENT_OTEL_PROCESSOR": f"http://{where}", "OTELCOL_BACKEND": jaeger.grpc}
    collector = run(Configured, tmp_path / "collector", "local.yaml", env=env)
    sending = Sending(collector.http)
    sending.ends()
    collector.program.kill()
    assert items_in(service.db) == 0
    service.start("--http", where)
    jaeger.program.start()
    collector.program.start()
    is_everywhere(sending, jaeger, service.db)


def test_with_kafka_between(service, run, tmp_path):
    """``kafka.yaml`` and ``kafka-consumer.yaml``: both collectors, the broker and Jaeger are killed in turn.

    A request larger than what a broker takes is no exception.
    """
    folder = tmp_path / "kafka"
    folder.mkdir()
    kafka = Kafka(folder)
    consumer = Processor(
        "--kafka", kafka.brokers, db=str(tmp_path / "read.db"), log=tmp_path / "consumer.log", command="consume"
    )
    try:
        kafka.create("otlp_spans", "otlp_logs", "otlp_metrics")
        env = {"KAFKA_BROKERS": f"[{kafka.brokers}]"}
        jaeger = run(Jaeger, tmp_path / "jaeger")
        writes = run(Configured, tmp_path / "writes", "kafka.yaml", env=env)
        to = {"AGENT_OTEL_PROCESSOR": service.running.http, "OTELCOL_BACKEND": jaeger.grpc}
        reads = run(Configured, tmp_path / "reads", "kafka-consumer.yaml", env={**env, **to})
        sending = Sending(writes.http, large=1_000)
        sending.reaches(0.2)
        writes.program.kill()
        writes.program.start()
        sending.reaches(0.4)
        kafka.kill()
        kafka.start()
        sending.reaches(0.6)
        reads.program.kill()
        reads.program.start()
        sending.reaches(0.8)
        jaeger.program.kill()
        jaeger.program.start()
        is_everywhere(sending, jaeger, service.db, consumer.db)
    finally:
        consumer.kill()
        kafka.stop()
