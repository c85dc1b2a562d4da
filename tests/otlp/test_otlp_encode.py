"""Writing OTLP from the SDK's spans and log records, and OTLP/JSON from requests."""

from __future__ import annotations

import json
import math

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from agent_otel.errors import DecodeError
from agent_otel.otlp.encode import json_line, logs_body, spans_body
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.views import views


def test_spans_of_the_sdk_are_written():
    """One that has ended and one that has not, whose end is 0."""
    tracer = TracerProvider(resource=Resource({"service.name": "fixer"}), shutdown_on_exit=False).get_tracer(
        "scope", "1"
    )
    ended, still_open = tracer.start_span("ended"), tracer.start_span("open")
    ended.set_attribute("k", ["v"])
    ended.end()
    first, second = views(items_from_protobuf(spans_body([ended, still_open]), "span").items)
    assert (first.name, first.attributes, first.resource) == ("ended", {"k": ("v",)}, {"service.name": "fixer"})
    assert (first.scope, first.scope_version) == ("scope", "1")
    assert first.end_ns > 0
    assert second.end_ns == 0
    still_open.end()


def test_log_records_of_the_sdk_are_written():
    """An event with its name and attributes."""
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=Resource({"service.name": "fixer"}), shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("scope").emit(LogRecord(timestamp=5, event_name="e", attributes={"k": 1}))
    body = logs_body(exporter.get_finished_logs())
    (log,) = views(items_from_protobuf(body, "log").items)
    assert (log.event_name, log.time_ns, log.attributes) == ("e", 5, {"k": 1})


def test_a_json_line_is_as_the_specification_has_it(span, trace_body):
    """Hex ids, 64-bit integers as strings, enums as numbers, lowerCamelCase, base64 for bytes, names for odd floats."""
    values = [
        {"int_value": 5},
        {"double_value": math.nan},
        {"double_value": math.inf},
        {"double_value": -math.inf},
        {"double_value": 0.5},
        {"bytes_value": b"\xff"},
        {"bool_value": False},
        {},
    ]
    wire = span(kind=3, flags=257, attributes=[{"key": "k", "value": {"array_value": {"values": values}}}])
    line = json_line(trace_body(wire), "span")
    assert "\n" not in line
    written = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert written == {
        "traceId": (b"t" * 16).hex(),
        "spanId": b"spanspan".hex(),
        "name": "execute_tool read_file",
        "kind": 3,
        "flags": 257,
        "startTimeUnixNano": "1000",
        "endTimeUnixNano": "2000",
        "attributes": [
            {
                "key": "k",
                "value": {
                    "arrayValue": {
                        "values": [
                            {"intValue": "5"},
                            {"doubleValue": "NaN"},
                            {"doubleValue": "Infinity"},
                            {"doubleValue": "-Infinity"},
                            {"doubleValue": 0.5},
                            {"bytesValue": "/w=="},
                            {"boolValue": False},
                            {},
                        ]
                    }
                },
            }
        ],
    }


def test_what_is_no_request_has_no_line():
    """Garbage is a DecodeError."""
    with pytest.raises(DecodeError):
        json_line(b"\x0a\x7f", "span")


def test_an_empty_request_is_an_empty_object():
    """Nothing in, nothing out."""
    assert json_line(ExportTraceServiceRequest().SerializeToString(), "span") == "{}"
