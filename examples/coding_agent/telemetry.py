"""Where the spans go: to the embedded store, as OTLP over HTTP, and as OTLP/JSON lines; the metrics to Prometheus.

All of it is OpenTelemetry's own plumbing. ``agent_otel.configure`` does the store and ``OTEL_EXPORTER_OTLP_ENDPOINT``;
the rest is added beside, as any application may.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry, generate_latest

import agent_otel
from agent_otel.otlp.encode import json_line, spans_body
from coding_agent.agent_run import AGENT
from coding_agent.witness import Witness


class JsonLines(SpanExporter):
    """Writes spans to a file as the collector's file exporter does: a line of OTLP/JSON for each batch."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Writes a batch."""
        self._file.write(json_line(spans_body(spans), "span") + "\n")
        self._file.flush()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Closes the file."""
        self._file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What went out so far; each part is read when it is asked for."""

    lines: Path
    witness: Witness
    registry: CollectorRegistry

    def otlp(self) -> list[bytes]:
        """The OTLP requests with spans."""
        agent_otel.flush()
        return self.witness.bodies()

    def json_lines(self) -> list[str]:
        """The lines of OTLP/JSON."""
        agent_otel.flush()
        return self.lines.read_text(encoding="utf-8").splitlines()

    def exposition(self) -> str:
        """What a Prometheus server would scrape."""
        return generate_latest(self.registry).decode()


@contextmanager
def telemetry(lines: Path, database: Path) -> Iterator[Outputs]:
    """Sets everything up for its body.

    Args:
        lines: the file for OTLP/JSON lines.
        database: the embedded store's.

    Raises:
        SystemExit: telemetry is switched off, and there is nothing to show.
    """
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(scope_info_enabled=False, registry=registry)
    # Set before configure(), which uses what is there.
    metrics.set_meter_provider(MeterProvider([reader]))
    chosen = agent_otel.configure(service_name=AGENT, database=database)
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        message = f"this example shows telemetry, and there is none: {chosen.reason}"
        raise SystemExit(message)
    with Witness() as witness:
        provider.add_span_processor(SimpleSpanProcessor(JsonLines(lines)))
        provider.add_span_processor(BatchSpanProcessor(_to(witness)))
        try:
            yield Outputs(lines=lines, witness=witness, registry=registry)
        finally:
            chosen.shutdown()


def _to(witness: Witness) -> SpanExporter:
    session = requests.Session()
    session.trust_env = False  # loopback needs no proxy
    endpoint = f"{witness.endpoint}/v1/traces"
    return OTLPSpanExporter(endpoint=endpoint, session=session, compression=Compression.NoCompression)
