"""The whole processor, as a process: what exporters send is in the store, and it ends well."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from agent_otel.store.open import open_store

EXPORTERS: dict[str, Callable[[Any], SpanExporter]] = {
    "http": lambda at: HttpSpans(endpoint=f"{at.http}/v1/traces"),
    "http-gzip": lambda at: HttpSpans(endpoint=f"{at.http}/v1/traces", compression=Compression.Gzip),
    "grpc": lambda at: GrpcSpans(endpoint=f"http://{at.grpc}", insecure=True),
}


def ask(
    at: str, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """One request on a connection of its own: status, body, headers."""
    connection = http.client.HTTPConnection(urlsplit(at).netloc, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, content, {name.lower(): value for name, value in reply.getheaders()}


@pytest.mark.parametrize("kind", EXPORTERS)
def test_what_an_exporter_was_told_is_kept_is_kept(processor, kind):
    """The official exporters of Python deliver, and the items are in the database when they are told so."""
    exporter = EXPORTERS[kind](processor)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("work") as span:
        trace = f"{span.get_span_context().trace_id:032x}"
    store = open_store(processor.db)
    assert store.stats().items == 1
    store.close()
    assert exporter.export([]) is SpanExportResult.SUCCESS
    provider.shutdown()
    assert trace
    assert processor.stop() == 0
