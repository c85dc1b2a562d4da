"""From the bytes of one span or log record to its item, or the reason why it is refused.

Both decoders end here, so that an item is the same whichever encoding, batch or delivery it came in: ``raw`` is the
message written canonically, and ``digest`` covers it together with its resource and scope.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.errors import DecodeError
from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.otlp.ids import SPAN_ID_BYTES, TRACE_ID_BYTES, id_defect, log_event_name, valid_span_id, valid_trace_id
from agent_otel.otlp.limits import Limits
from agent_otel.otlp.links import named_links
from agent_otel.otlp.repair import parse

DIGEST_BYTES: Final = 16

_LARGEST_TIME: Final = (1 << 63) - 1
_EVENT_ID: Final = names.EVENT_ID.encode()


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Resource and scope of some items, with all that follows from them worked out once."""

    resource: bytes
    scope: bytes
    seed: bytes
    links: tuple[str, ...]
    fallback_link: str
    repaired: bool


def origin(resource: bytes, scope: bytes, *, mended: bool = False) -> Origin | str:
    """The origin these encoded messages describe, or the reason why they cannot be read.

    ``mended`` (here and below): the text was already mended by the caller.
    """
    try:
        parsed_resource, resource_mended = parse(Resource, resource)
    except DecodeError as exc:
        return f"resource: {exc}"
    try:
        parsed_scope, scope_mended = parse(InstrumentationScope, scope)
    except DecodeError as exc:
        return f"scope: {exc}"
    resource, scope = _canonical(parsed_resource), _canonical(parsed_scope)
    return Origin(
        resource=resource,
        scope=scope,
        seed=_digest(resource) + _digest(scope),
        links=tuple(named_links(parsed_resource.attributes, resource)),
        fallback_link=f"resource:{_digest(resource).hex()}",
        repaired=mended or resource_mended or scope_mended,
    )


def span_item(raw: bytes, source: Origin, limits: Limits, *, mended: bool = False) -> Item | str:
    """The item of an encoded ``Span``, or the reason why it is refused."""
    if len(raw) > limits.item_bytes:
        return f"span larger than {limits.item_bytes} bytes"
    try:
        span, broken = parse(Span, raw)
    except DecodeError as exc:
        return f"span: {exc}"
    trace, span_id = valid_trace_id(span.trace_id), valid_span_id(span.span_id)
    if not trace:
        return f"span whose trace id {id_defect(span.trace_id, TRACE_ID_BYTES)}"
    if not span_id:
        return f"span whose span id {id_defect(span.span_id, SPAN_ID_BYTES)}"
    excess = _excess(span, len(raw), limits)
    if excess:
        return excess
    raw = _canonical(span)
    repaired = mended or broken or source.repaired
    return Item(
        signal="span",
        key=f"{trace}/{span_id}",
        digest=_item_digest(raw, source, repaired=repaired),
        links=_links(trace, named_links(span.attributes, raw), source),
        time_ns=min(max(span.start_time_unix_nano, span.end_time_unix_nano), _LARGEST_TIME),
        resource=source.resource,
        scope=source.scope,
        raw=raw,
        repaired=repaired,
    )


def log_item(raw: bytes, source: Origin, limits: Limits, *, mended: bool = False) -> Item | str | None:
    """The item of an encoded ``LogRecord``, or the reason why it is refused; None for what says nothing of a run.

    That is a finished record on its way to a backend. A collector that sends everything to everybody brings it back,
    and to take it for telemetry would make its run due again, for ever.
    """
    if len(raw) > limits.item_bytes:
        return f"log record larger than {limits.item_bytes} bytes"
    try:
        record, broken = parse(LogRecord, raw)
    except DecodeError as exc:
        return f"log record: {exc}"
    if len(record.attributes) > limits.attributes:
        return f"log record with more than {limits.attributes} attributes"
    if record.event_name == names.RUN_RECORD:
        return None
    raw = _canonical(record)
    repaired = mended or broken or source.repaired
    digest = _item_digest(raw, source, repaired=repaired)
    trace = valid_trace_id(record.trace_id)
    return Item(
        signal="log",
        key=_log_key(record, raw, digest),
        digest=digest,
        links=_links(trace, named_links(record.attributes, raw), source),
        time_ns=min(record.time_unix_nano or record.observed_time_unix_nano, _LARGEST_TIME),
        resource=source.resource,
        scope=source.scope,
        raw=raw,
        repaired=repaired,
    )


BUILDERS: Final = {"span": span_item, "log": log_item}
"""Signal to the function that builds its items."""


def _canonical(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def _item_digest(raw: bytes, source: Origin, *, repaired: bool) -> bytes:
    # A copy that was mended is another copy than one that was sent this way: a record counts the mended ones.
    return _digest((b"\1" if repaired else b"\0") + source.seed + raw)


def _log_key(record: LogRecord, raw: bytes, digest: bytes) -> str:
    """``event:<id>/<name>`` for an event of ours, else its content: a log record has no identity of its own."""
    if _EVENT_ID in raw:
        texts = {entry.key: entry.value.string_value for entry in record.attributes}
        if texts.get(names.EVENT_ID):
            return f"event:{texts[names.EVENT_ID]}/{log_event_name(record.event_name, texts)}"
    return f"log:{digest.hex()}"


def _excess(span: Span, size: int, limits: Limits) -> str:
    """What the span has too many of. An entry takes two bytes at least, so most spans need not be asked."""
    for what, most in (("attributes", limits.attributes), ("events", limits.events), ("links", limits.links)):
        if size > 2 * most and len(getattr(span, what)) > most:
            return f"span with more than {most} {what}"
    return ""


def _links(trace: str, own: list[str], source: Origin) -> tuple[str, ...]:
    found = [f"trace:{trace}", *source.links, *own] if trace else [*source.links, *own]
    return tuple(dict.fromkeys(found)) or (source.fallback_link,)
