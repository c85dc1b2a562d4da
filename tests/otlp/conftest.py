"""Small requests to take apart: a body of good spans, and one span among them replaced by whatever a test likes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.otlp.wire import encode_varint

RESOURCE = {"attributes": [{"key": "service.name", "value": {"string_value": "fixer"}}]}
SCOPE = {"name": "agent_otel", "version": "1"}


def _length_delimited(number: int, payload: bytes) -> bytes:
    return encode_varint(number << 3 | 2) + encode_varint(len(payload)) + payload


@pytest.fixture(scope="session")
def field() -> Callable[[int, bytes], bytes]:
    """Encodes one length-delimited field."""
    return _length_delimited


@pytest.fixture(scope="session")
def span() -> Callable[..., Span]:
    """Makes a good span; arguments override its fields."""

    def make(**fields: Any) -> Span:
        good = {
            "trace_id": b"t" * 16,
            "span_id": b"spanspan",
            "name": "execute_tool read_file",
            "start_time_unix_nano": 1_000,
            "end_time_unix_nano": 2_000,
        }
        return Span(**{**good, **fields})

    return make


@pytest.fixture(scope="session")
def trace_body() -> Callable[..., bytes]:
    """Makes a trace request of encoded or decoded spans."""

    def make(*spans: Span | bytes, resource: bytes | None = None) -> bytes:
        whole = ExportTraceServiceRequest(resource_spans=[{"resource": RESOURCE, "scope_spans": [{"scope": SCOPE}]}])
        block = whole.resource_spans[0]
        raws = [item if isinstance(item, bytes) else item.SerializeToString() for item in spans]
        scope_spans = block.scope_spans[0].SerializeToString() + b"".join(_length_delimited(2, raw) for raw in raws)
        encoded_resource = block.resource.SerializeToString() if resource is None else resource
        return _length_delimited(1, _length_delimited(1, encoded_resource) + _length_delimited(2, scope_spans))

    return make


@pytest.fixture(scope="session")
def log_body() -> Callable[..., bytes]:
    """Makes a logs request of records given by their fields."""

    def make(*records: dict[str, Any], resource: dict[str, Any] = RESOURCE) -> bytes:
        scope_logs = [{"scope": SCOPE, "log_records": [LogRecord(**record) for record in records]}]
        return ExportLogsServiceRequest(
            resource_logs=[{"resource": resource, "scope_logs": scope_logs}]
        ).SerializeToString()

    return make
