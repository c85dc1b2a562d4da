"""A receiver for one program, on a thread of this one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from agent_otel.errors import StoreError
from agent_otel.service.local import LocalReceiver
from agent_otel.store.sqlite import SqliteStore
from real.ports import wait_until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store of the test's own."""
    with closing(SqliteStore(tmp_path / "runs.db")) as opened:
        yield opened


def send(endpoint: str, spans: int) -> None:
    """Sends spans with the official exporter."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    for number in range(spans):
        provider.get_tracer("some.agent").start_span(f"step {number}").end()
    provider.shutdown()


def test_what_is_sent_is_kept(store):
    """On a free port of this machine; and nothing but exports is answered."""
    with closing(LocalReceiver(store, tuple)) as receiver:
        assert receiver.endpoint.startswith("http://127.0.0.1:")
        send(receiver.endpoint, 3)
        assert receiver.settle(10)
        assert store.stats().items == 3
        assert requests.get(f"{receiver.endpoint}/api/runs", timeout=10).status_code == 404
        assert receiver.said == ""


def test_what_arrives_may_be_changed(store):
    """Whoever listens says what is kept in place of it."""
    with closing(LocalReceiver(store, lambda items: items[:1])) as receiver:
        send(receiver.endpoint, 3)
        assert receiver.settle(10)
    assert store.stats().items == 1


def test_what_is_in_work_is_waited_for(store):
    """Until it is done, or time runs out."""
    go_on = threading.Event()

    def arrive(items):
        assert go_on.wait(30)
        return items

    with closing(LocalReceiver(store, arrive)) as receiver:
        sending = threading.Thread(target=send, args=(receiver.endpoint, 1))
        sending.start()
        wait_until(lambda: not receiver.settle(0.5), what="a request in work")
        go_on.set()
        assert receiver.settle(10)
        sending.join()
    assert store.stats().items == 1


def test_trouble_is_kept_for_later(store):
    """Nothing is written where the program may have drawn its screen."""

    def arrive(_):
        message = "the disk is gone"
        raise StoreError(message)

    with closing(LocalReceiver(store, arrive)) as receiver:
        answer = requests.post(
            f"{receiver.endpoint}/v1/traces",
            json={
                "resourceSpans": [
                    {"scopeSpans": [{"spans": [{"traceId": "01" * 16, "spanId": "02" * 8, "name": "x"}]}]}
                ]
            },
            timeout=10,
        )
        assert answer.status_code == 503
        assert "the disk is gone" in receiver.said


def test_two_have_ports_of_their_own(store):
    """Runs on one machine do not know each other."""
    with closing(LocalReceiver(store, tuple)) as first, closing(LocalReceiver(store, tuple)) as second:
        assert first.endpoint != second.endpoint
