"""Decodes items to plain Python values, for dialects to read.

Items were checked when they arrived, so nothing here fails on them. Text, numbers and bytes stay what they are; arrays
become tuples, key-value lists dicts; where a key occurs twice the last one counts, as with attributes set twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from agent_otel.model.item import Item, Log, Span, SpanEvent
from agent_otel.otlp.ids import log_event_name, valid_span_id, valid_trace_id

_SCALARS: Final = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})

Resources = dict[bytes, Mapping[str, Any]]
Scopes = dict[bytes, tuple[str, str]]


def view(item: Item) -> Span | Log:
    """What the item says."""
    return views([item])[0]


def views(items: Iterable[Item]) -> list[Span | Log]:
    """What the items say, in their order; a resource or scope that many share is decoded once."""
    resources: Resources = {}
    scopes: Scopes = {}
    return [
        _span(item, resources, scopes) if item.signal == "span" else _log(item, resources, scopes) for item in items
    ]


def python_value(value: AnyValue) -> Any:
    """The Python value of an OTLP value; None for an empty one."""
    kind = value.WhichOneof("value")
    if kind in _SCALARS:
        return getattr(value, kind)
    if kind == "array_value":
        return tuple(python_value(part) for part in value.array_value.values)
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return None  # empty, or an index into a table that only profiles have


def _attributes(entries: Iterable[KeyValue]) -> dict[str, Any]:
    # Most values are texts; asking for one first is a quarter faster than asking for the kind. A hundred thousand spans
    # have a few dozen keys between them.
    return {intern(entry.key): (value := entry.value).string_value or python_value(value) for entry in entries}


def _span(item: Item, resources: Resources, scopes: Scopes) -> Span:
    span = WireSpan.FromString(item.raw)
    events, links, status = span.events, span.links, span.status
    scope, version = _scope(item, scopes)
    return Span(
        trace_id=intern(span.trace_id.hex()),
        span_id=span.span_id.hex(),
        parent_id=intern(valid_span_id(span.parent_span_id)),
        name=intern(span.name),
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        events=tuple(map(_event, events)) if events else (),
        links=tuple(f"{link.trace_id.hex()}/{link.span_id.hex()}" for link in links) if links else (),
        status=status.code,
        status_message=status.message,
        dropped_attributes=span.dropped_attributes_count,
        dropped_events=span.dropped_events_count,
        resource=_resource(item, resources),
        scope=scope,
        scope_version=version,
        digest=item.digest,
        repaired=item.repaired,
    )


def _event(event: WireSpan.Event) -> SpanEvent:
    return SpanEvent(
        name=event.name,
        time_ns=event.time_unix_nano,
        attributes=_attributes(event.attributes),
        dropped_attributes=event.dropped_attributes_count,
    )


def _log(item: Item, resources: Resources, scopes: Scopes) -> Log:
    record = LogRecord.FromString(item.raw)
    scope, version = _scope(item, scopes)
    attributes = _attributes(record.attributes)
    return Log(
        key=item.key,
        time_ns=record.time_unix_nano or record.observed_time_unix_nano,
        trace_id=valid_trace_id(record.trace_id),
        span_id=valid_span_id(record.span_id),
        event_name=log_event_name(record.event_name, attributes),
        severity=record.severity_number,
        body=python_value(record.body),
        attributes=attributes,
        dropped_attributes=record.dropped_attributes_count,
        resource=_resource(item, resources),
        scope=scope,
        scope_version=version,
        digest=item.digest,
        repaired=item.repaired,
    )


def _resource(item: Item, known: Resources) -> Mapping[str, Any]:
    found = known.get(item.resource)
    if found is None:
        found = MappingProxyType(_attributes(Resource.FromString(item.resource).attributes))
        known[item.resource] = found
    return found


def _scope(item: Item, known: Scopes) -> tuple[str, str]:
    found = known.get(item.scope)
    if found is None:
        scope = InstrumentationScope.FromString(item.scope)
        found = known[item.scope] = (scope.name, scope.version)
    return found
