"""Writes OTLP: request bodies from the SDK's spans and log records, and JSON lines from request bodies."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufError, Message
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

from agent_otel.errors import DecodeError
from agent_otel.otlp.received import SignalName
from agent_otel.otlp.schema import HEX_FIELDS, Field, descriptor_of, table

_REQUESTS: Final[dict[SignalName, type[Message]]] = {
    "span": ExportTraceServiceRequest,
    "log": ExportLogsServiceRequest,
    "metric": ExportMetricsServiceRequest,
}
_INT64: Final = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
    }
)


def spans_body(spans: Sequence[ReadableSpan]) -> bytes:
    """The ``ExportTraceServiceRequest`` of these spans; one that has not ended has end time 0."""
    return encode_spans(spans).SerializeToString()


def logs_body(records: Sequence[ReadableLogRecord]) -> bytes:
    """The ``ExportLogsServiceRequest`` of these log records."""
    return encode_logs(records).SerializeToString()


def json_line(body: bytes, signal: SignalName) -> str:
    """The protobuf request as one line of OTLP/JSON, as the collector's file exporter writes it.

    By opentelemetry.io/docs/specs/otlp: ids in hex, 64-bit integers as strings, enums as integers, lowerCamelCase keys.

    Raises:
        DecodeError: the body is not a request.
    """
    return msgspec.json.encode(plain_request(body, signal)).decode()


def plain_request(body: bytes, signal: SignalName) -> dict[str, Any]:
    """The protobuf request as the plain values that OTLP/JSON has; see ``json_line``.

    Raises:
        DecodeError: the body is not a request.
    """
    try:
        request = _REQUESTS[signal].FromString(body)
    except ProtobufError as exc:
        message = f"not a request: {exc}"
        raise DecodeError(message) from exc
    return _plain(request)


def _plain(message: Message) -> dict[str, Any]:
    fields = table(descriptor_of(type(message))).numbers
    return {
        fields[descriptor.number].json_name: _value(value, fields[descriptor.number])
        for descriptor, value in message.ListFields()
    }


def _value(value: Any, field: Field) -> Any:
    if field.repeated:
        return [_single(part, field) for part in value]
    return _single(value, field)


def _single(value: Any, field: Field) -> Any:
    if field.message is not None:
        return _plain(value)
    if field.type in _INT64:
        return str(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return value.hex() if field.name in HEX_FIELDS else base64.b64encode(value).decode()
    if field.type == FieldDescriptor.TYPE_DOUBLE and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
