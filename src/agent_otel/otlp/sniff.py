"""Tells what a protobuf request of unknown signal is about: the three kinds of request are framed alike."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.errors import DecodeError
from agent_otel.otlp.ids import valid_span_id, valid_trace_id
from agent_otel.otlp.limits import Limits
from agent_otel.otlp.received import SignalName
from agent_otel.otlp.schema import table
from agent_otel.otlp.wire import LENGTH, fields, slices

_TRACE_ID: Final = 1
_SPAN_ID: Final = 2
_LOOKED_AT: Final = 16


def kind_of(body: bytes, *, limits: Limits) -> SignalName:
    """The kind of the first items that tell; "span" where none does, whose decoder then names the defect.

    Raises:
        DecodeError: the body is not a request.
        TooLarge: it holds more items than the limit.
    """
    for raw in islice(_items(body, limits), _LOOKED_AT):
        kind = _kind_of_item(raw)
        if kind:
            return kind
    return "span"


def _items(body: bytes, limits: Limits) -> Iterator[bytes]:
    for part in slices(body, items=limits.items):
        for _, start, end in part.items:
            yield body[start:end]


def _kind_of_item(raw: bytes) -> SignalName | None:
    """By the wire types of its fields; a metric can have all those of a span, but then no ids of the right size."""
    try:
        found = [(number, wire_type, raw[start:end]) for number, wire_type, start, end in fields(raw)]
    except DecodeError:
        return None
    shape = {(number, wire_type) for number, wire_type, _ in found}
    if not shape:
        return None
    texts = {number: payload for number, wire_type, payload in found if wire_type == LENGTH}
    if _fits(shape, Span) and valid_trace_id(texts.get(_TRACE_ID, b"")) and valid_span_id(texts.get(_SPAN_ID, b"")):
        return "span"
    if _fits(shape, LogRecord):
        return "log"
    return "metric" if _fits(shape, Metric) else None


def _fits(shape: set[tuple[int, int]], kind: type[Message]) -> bool:
    known = table(kind.DESCRIPTOR).numbers
    return all(number in known and known[number].wire_type == wire_type for number, wire_type in shape)
