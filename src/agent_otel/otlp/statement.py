"""A log event in the name of this package, as a request that a processor takes: what is said of a run by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from agent_otel.model import names

Value = str | int | float | Sequence[str]


def statement(
    name: str, attributes: Mapping[str, Value | None], *, time_ns: int, trace_id: str = "", span_id: str = ""
) -> bytes:
    """The encoded request with this one event; what is None, "" or empty is left out.

    Args:
        name: of the event.
        attributes: what it says.
        time_ns: when it happened.
        trace_id: of the span that it is about, where it is about one.
        span_id: likewise.
    """
    given = [KeyValue(key=key, value=_value(value)) for key, value in sorted(attributes.items()) if _said(value)]
    record = LogRecord(
        event_name=name,
        time_unix_nano=time_ns,
        attributes=given,
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
    )
    scope = ScopeLogs(scope=InstrumentationScope(name=names.SCOPE), log_records=[record])
    resource = Resource(attributes=[KeyValue(key=names.SERVICE_NAME, value=_value(_SERVICE))])
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=resource, scope_logs=[scope])]
    ).SerializeToString(deterministic=True)


_SERVICE = "agent-otel"


def _said(value: Value | None) -> bool:
    return value is not None and (isinstance(value, int | float) or len(value) > 0)


def _value(value: Value | None) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[_value(part) for part in value or ()]))
