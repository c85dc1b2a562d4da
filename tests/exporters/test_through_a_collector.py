"""A real collector stands between agents and processors: it keeps what they do not take."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from urllib.parse import urlsplit
from urllib.request import urlopen

import agent_spans
import pytest
from senders import Senders

from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from real.collector import Collector
from real.documents import documents, documents_of
from real.ports import wait_until

MANY = 40_000


KEEPS = {
    "retry_on_failure": {"enabled": True, "initial_interval": "100ms", "max_interval": "1s", "max_elapsed_time": "0s"},
    "sending_queue": {"enabled": True, "queue_size": 10_000, "block_on_overflow": True},
}
"""How an exporter is told to lose nothing while the collector lives."""


@pytest.fixture
def forward(tmp_path):
    """Starts a collector that sends traces to a server; it ends in good order after the test."""
    started = []

    def start(exporter, options):
        started.append(Collector(tmp_path, {"traces": [exporter]}, exporters={exporter: options}))
        return started[-1]

    yield start
    assert [each.stop() for each in started] == [0] * len(started)


def test_nothing_is_lost_when_the_processor_is_killed(serve, export, held, forward):
    """What a killed processor had not acknowledged its successor gets; what it had is there once."""
    first = serve("--workers", "0")
    collector = forward("otlphttp", {"endpoint": first.http, **KEEPS})
    sending = export("python", "http", collector, count=MANY)
    wait_until(lambda: held(first.db) > 0)
    first.kill()
    before = held(first.db)
    second = serve("--workers", "0", "--http", urlsplit(first.http).netloc)
    sending.succeeds()
    wait_until(lambda: held(second.db) == MANY, timeout_s=120, what=f"all spans: {collector.log()}")
    assert 0 < before < MANY


def test_a_collector_retries_for_exporters_that_do_not(serve, export, held, forward):
    """JavaScript's gRPC exporter, which drops what is refused, loses nothing through a collector."""
    processor = serve("--workers", "0")
    collector = forward("otlp", {"endpoint": processor.grpc, "tls": {"insecure": True}, **KEEPS})
    with closing(sqlite3.connect(processor.db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        sending = export("js", "grpc", collector)
        wait_until(lambda: "requests are refused" in processor.log(), what="a refusal")
        other.execute("ROLLBACK")
    sending.succeeds()
    wait_until(lambda: held(processor.db) == 2_000, what=f"all spans: {collector.log()}")


def test_processors_share_the_load_by_trace(serve, forward):
    """A collector that balances by trace id keeps several processors busy; the records are those of one alone."""
    first, second = serve(), serve()
    sent = list(agent_spans.requests(runs=200, spans=20, size=400, batch=250))
    collector = forward(
        "load_balancing",
        {
            "routing_key": "traceID",
            "protocol": {"otlp": {"tls": {"insecure": True}, **KEEPS}},
            "resolver": {"static": {"hostnames": [first.grpc, second.grpc]}},
        },
    )
    where = urlsplit(collector.http)
    senders = Senders((where.hostname, where.port), iter(enumerate(sent)), connections=4)
    senders.start()
    senders.join()
    alone = documents_of(sent)
    with closing(open_store(first.db)) as store:
        wait_until(lambda: documents(store.records(RecordQuery(limit=1_000))) == alone, what="the same records")
    shares = [stored(each) for each in (first, second)]
    assert sum(shares) == 200 * 20
    assert min(shares) > 200 * 20 / 10


def stored(processor):
    """How many spans a processor says it has stored."""
    with urlopen(f"{processor.http}/metrics", timeout=10) as page:
        said = page.read().decode()
    (line,) = re.findall(r'^agent_otel_processor_items_stored_total\{signal="span"\} (.*)$', said, re.MULTILINE)
    return float(line)
