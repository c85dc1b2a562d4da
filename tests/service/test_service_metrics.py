"""What the processor measures of itself, and how Prometheus and collectors see it."""

from __future__ import annotations

import http.server
import re
import threading

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from agent_otel.errors import StoreError
from agent_otel.otlp.received import Received, Rejection
from agent_otel.service.metrics import METRICS, REASONS, Backlog, Metric, ServiceMetrics, word_for
from agent_otel.store.base import PutResult, Stats

STATS = Stats(items=7, duplicates=0, expired=4, notes=2, groups=2, due=1, records={"open": 3, "settled": 4})


def measured(**given) -> ServiceMetrics:
    """Metrics that have seen one of everything."""
    made = ServiceMetrics(
        backlog=Backlog(lambda: STATS, lambda: 1_000_000_000, clock=lambda: 3_500_000_000),
        in_flight=lambda: 5,
        memory=lambda: {"receiver": 6, "workers": 7},
        **given,
    )
    made.answered(signal="span", transport="http", status=200, duration_s=0.01)
    made.accepted(
        Received(rejected=(Rejection("span whose span id is empty", 2),), repaired=1, ignored=1),
        PutResult(4, 3),
        signal="span",
    )
    made.refused("memory")
    made.committed(0.004)
    made.folded(groups=2, duration_s=0.5)
    made.emitted(6)
    return made


def exposed(row: Metric) -> str:
    """The name that Prometheus knows a metric by."""
    unit = {"s": "_seconds", "By": "_bytes"}.get(row.unit, "")
    return row.name.replace(".", "_") + unit + {"counter": "_total"}.get(row.kind, "")


def test_the_table_is_what_metrics_show():
    """Every row, with its kind, its labels and its words; and nothing else."""
    metrics = measured()
    text = metrics.exposition()[0].decode()
    metrics.close()
    kinds = dict(re.findall(r"^# TYPE (agent_otel\w+) (\w+)$", text, re.MULTILINE))
    assert kinds == {exposed(row): row.kind for row in METRICS}
    for row in METRICS:
        assert f"# HELP {exposed(row)} {row.help}\n" in text
        suffix = "_count" if row.kind == "histogram" else ""
        labels = re.search(rf"^{exposed(row)}{suffix}(?:{{(.*)}})? ", text, re.MULTILINE)
        assert labels is not None, row.name
        assert set(re.findall(r'(\w+)="', labels[1] or "")) == set(row.labels), row.name


def test_the_values_are_what_happened():
    """Accepted = stored + duplicate + rejected, where the store's and the decoder's counts say so."""
    metrics = measured()
    text = metrics.exposition()[0].decode()
    metrics.close()
    for line in (
        'items_rejected_total{reason="span_id",signal="span"} 2.0',
        'items_stored_total{signal="span"} 4.0',
        'requests_refused_total{reason="memory"} 1.0',
        "in_flight_bytes 5.0",
        'memory_bytes{process="workers"} 7.0',
        "due 1.0",
        "lag_seconds 2.5",
        "folded_total 2.0",
        "fold_duration_seconds_sum 0.25",
        "emitted_total 6.0",
        "store_items 7.0",
        "store_notes 2.0",
        "store_expired 4.0",
        'store_records{lifecycle="settled"} 4.0',
    ):
        assert f"agent_otel_processor_{line}\n" in text


def test_a_store_that_is_away_leaves_gaps():
    """What is not known is not made up."""

    def away() -> Stats:
        raise StoreError

    metrics = ServiceMetrics(backlog=Backlog(away, lambda: None), in_flight=lambda: 0, memory=dict)
    text = metrics.exposition()[0].decode()
    metrics.close()
    assert "agent_otel_processor_in_flight_bytes 0.0" in text
    assert not re.search("^agent_otel_processor_(due|lag|store)", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("span whose trace id is empty", "trace_id"),
        ("span whose span id has 3 bytes", "span_id"),
        ("log record larger than 5 bytes", "size"),
        ("span with more than 5 events", "count"),
        ("span: values nested in more than 100 messages", "depth"),
        ("resource: not a protobuf message", "origin"),
        ("scope: not a protobuf message", "origin"),
        ("span: not a protobuf message", "damaged"),
        ("", "damaged"),
    ],
)
def test_reasons_become_few_words(reason, word):
    """However many messages there are, the labels are bounded."""
    assert word_for(reason) == word
    assert word in {each for _, each in REASONS}


def test_they_are_also_sent_by_otlp():
    """To a collector, where a setting says so."""
    got: list[ExportMetricsServiceRequest] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(ExportMetricsServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever).start()
        measured(endpoint=f"http://127.0.0.1:{server.server_port}/v1/metrics").close()
        server.shutdown()
    names = {
        metric.name
        for request in got
        for block in request.resource_metrics
        for scope in block.scope_metrics
        for metric in scope.metrics
    }
    assert names == {row.name for row in METRICS}
