"""Request bodies of both encodings and all signals, well made and with one defect each."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SIGNALS: Final = ("traces", "logs", "metrics")

REQUESTS: Final[dict[str, type[Message]]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
RESPONSES: Final[dict[str, type[Message]]] = {
    "traces": ExportTraceServiceResponse,
    "logs": ExportLogsServiceResponse,
    "metrics": ExportMetricsServiceResponse,
}

TRACE: Final = bytes.fromhex("5b8efff798038103d269b633813fc60c")
SPAN: Final = bytes.fromhex("eee19b7ec3c1b174")
TIME: Final = 1_779_095_523_000_000_000

_ITEMS: Final[dict[str, dict[str, Any]]] = {
    "traces": {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": TRACE.hex(),
                                "spanId": SPAN.hex(),
                                "name": "execute_tool run_command",
                                "kind": 1,
                                "startTimeUnixNano": str(TIME),
                                "endTimeUnixNano": str(TIME + 5),
                                "attributes": [{"key": "gen_ai.tool.name", "value": {"stringValue": "search"}}],
                            }
                        ]
                    }
                ]
            }
        ]
    },
    "logs": {
        "resourceLogs": [
            {
                "scopeLogs": [
                    {"logRecords": [{"timeUnixNano": str(TIME), "severityNumber": 9, "body": {"stringValue": "hello"}}]}
                ]
            }
        ]
    },
    "metrics": {
        "resourceMetrics": [
            {
                "scopeMetrics": [
                    {
                        "metrics": [
                            {
                                "name": "made",
                                "sum": {
                                    "aggregationTemporality": 2,
                                    "isMonotonic": True,
                                    "dataPoints": [
                                        {"startTimeUnixNano": str(TIME), "timeUnixNano": str(TIME + 5), "asInt": "3"}
                                    ],
                                },
                            }
                        ]
                    }
                ]
            }
        ]
    },
}


def spans(count: int = 1, **changed: bytes) -> ExportTraceServiceRequest:
    """A request of so many spans; fields of the last one are changed."""
    request = ExportTraceServiceRequest()
    found = request.resource_spans.add().scope_spans.add().spans
    for number in range(count):
        span = Span(trace_id=TRACE, span_id=(number + 1).to_bytes(8, "big"), name="work", kind=Span.SPAN_KIND_INTERNAL)
        span.start_time_unix_nano, span.end_time_unix_nano = TIME, TIME + 5
        found.append(span)
    for name, value in changed.items():
        setattr(found[-1], name, value)
    return request


def one(signal: str, encoding: str) -> bytes:
    """A request with one item."""
    if encoding == "json":
        return json.dumps(_ITEMS[signal]).encode()
    if signal == "traces":
        return spans().SerializeToString()
    request = REQUESTS[signal]()
    if isinstance(request, ExportLogsServiceRequest):
        request.resource_logs.add().scope_logs.add().log_records.add(
            time_unix_nano=TIME, severity_number=9, body=AnyValue(string_value="hello")
        )
    if isinstance(request, ExportMetricsServiceRequest):
        metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="made")
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = 2
        metric.sum.data_points.add(start_time_unix_nano=TIME, time_unix_nano=TIME + 5, as_int=3)
    return request.SerializeToString()


def empty(encoding: str) -> bytes:
    """A request of no items."""
    return b"{}" if encoding == "json" else b""


def json_span(**changed: object) -> bytes:
    """A JSON request of one span, some fields of which are other ones."""
    request = json.loads(one("traces", "json"))
    request["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(changed)
    return json.dumps(request).encode()


def json_spans(count: int, **changed: object) -> bytes:
    """A JSON request of so many spans; fields of the last one are changed."""
    request = json.loads(one("traces", "json"))
    (block,) = request["resourceSpans"][0]["scopeSpans"]
    (span,) = block["spans"]
    block["spans"] = [{**span, "spanId": f"{number + 1:016x}"} for number in range(count)]
    block["spans"][-1].update(changed)
    return json.dumps(request).encode()


def of_size(size: int) -> bytes:
    """A request of exactly so many bytes, most of them in attributes of spans."""
    request = spans(30)
    found = request.resource_spans[0].scope_spans[0].spans
    each = size // len(found) - 200
    for span in found:
        span.attributes.append(KeyValue(key="output", value=AnyValue(string_value="x" * each)))
    missing = size - request.ByteSize() - 16
    found[0].attributes.append(KeyValue(key="p", value=AnyValue(string_value="x" * missing)))
    found[0].attributes[-1].value.string_value += "x" * (size - request.ByteSize())
    return request.SerializeToString()


def unknown_fields(encoding: str) -> bytes:
    """A request of a newer protocol than ours."""
    if encoding == "json":
        return json_span(newerThanUs={"any": ["thing"]}, flags=257)
    # Field 1000, a string, in the request; protobuf skips what it does not know.
    return spans().SerializeToString() + b"\xc2\x3e\x03new"


def invalid_utf8() -> bytes:
    """Two spans, of which the second has an attribute that was cut in the middle of a character."""
    request = spans(2)
    attribute = KeyValue(key="output", value=AnyValue(string_value="caf__"))
    request.resource_spans[0].scope_spans[0].spans[1].attributes.append(attribute)
    return request.SerializeToString().replace(b"caf__", b"caf\xc3_")


def base64_ids() -> bytes:
    """Ids as plain protobuf JSON has them; OTLP wants hex."""
    return json_span(traceId=base64.b64encode(TRACE).decode(), spanId=base64.b64encode(SPAN).decode())
