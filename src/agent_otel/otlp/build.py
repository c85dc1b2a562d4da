"""From the bytes of one span or log record to its item, or the reason why it is refused.

Both decoders end here, so that an item is the same whichever encoding, batch or delivery it came in: ``raw`` is the
message written canonically, and ``digest`` covers it together with its resource and scope.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from google.protobuf.message import DecodeError as ProtobufError, Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.errors import DecodeError
from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.otlp.limits import Limits
from agent_otel.otlp.repair import repair

_MessageT = TypeVar("_MessageT", Resource, InstrumentationScope, Span, LogRecord)

DIGEST_BYTES: Final = 16
LONGEST_LINK: Final = 512
"""A key longer than this names no session; it is not followed."""

_LARGEST_TIME: Final = (1 << 63) - 1
_TRACE_ID_BYTES: Final = 16
_SPAN_ID_BYTES: Final = 8
_NO_TRACE: Final = bytes(_TRACE_ID_BYTES)
_NO_SPAN: Final = bytes(_SPAN_ID_BYTES)

# A run that names its parent belongs to the group of the parent's own items.
_LINK_NAMES: Final = {name: names.RUN_ID if name == names.RUN_PARENT else name for name in names.GROUP_KEYS}
_NEEDLES: Final = tuple((name, name.encode()) for name in names.GROUP_KEYS)
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
        parsed_resource, resource_mended = _parsed(Resource, resource)
    except DecodeError as exc:
        return f"resource: {exc}"
    try:
        parsed_scope, scope_mended = _parsed(InstrumentationScope, scope)
    except DecodeError as exc:
        return f"scope: {exc}"
    resource, scope = _canonical(parsed_resource), _canonical(parsed_scope)
    return Origin(
        resource=resource,
        scope=scope,
        seed=_digest(resource) + _digest(scope),
        links=tuple(_links(parsed_resource.attributes)),
        fallback_link=f"resource:{_digest(resource).hex()}",
        repaired=mended or resource_mended or scope_mended,
    )


def span_item(raw: bytes, source: Origin, limits: Limits, *, mended: bool = False) -> Item | str:
    """The item of an encoded ``Span``, or the reason why it is refused."""
    if len(raw) > limits.item_bytes:
        return f"span larger than {limits.item_bytes} bytes"
    try:
        span, broken = _parsed(Span, raw)
    except DecodeError as exc:
        return f"span: {exc}"
    trace, span_id = valid_trace_id(span.trace_id), valid_span_id(span.span_id)
    if not trace:
        return f"span whose trace id {_id_defect(span.trace_id, _TRACE_ID_BYTES)}"
    if not span_id:
        return f"span whose span id {_id_defect(span.span_id, _SPAN_ID_BYTES)}"
    excess = _excess(span, len(raw), limits)
    if excess:
        return excess
    raw = _canonical(span)
    repaired = mended or broken or source.repaired
    return Item(
        signal="span",
        key=f"{trace}/{span_id}",
        digest=_item_digest(raw, source, repaired=repaired),
        links=_all_links(f"trace:{trace}", span.attributes, source, raw),
        time_ns=min(max(span.start_time_unix_nano, span.end_time_unix_nano), _LARGEST_TIME),
        resource=source.resource,
        scope=source.scope,
        raw=raw,
        repaired=repaired,
    )


def log_item(raw: bytes, source: Origin, limits: Limits, *, mended: bool = False) -> Item | str:
    """The item of an encoded ``LogRecord``, or the reason why it is refused."""
    if len(raw) > limits.item_bytes:
        return f"log record larger than {limits.item_bytes} bytes"
    try:
        record, broken = _parsed(LogRecord, raw)
    except DecodeError as exc:
        return f"log record: {exc}"
    if len(record.attributes) > limits.attributes:
        return f"log record with more than {limits.attributes} attributes"
    raw = _canonical(record)
    repaired = mended or broken or source.repaired
    digest = _item_digest(raw, source, repaired=repaired)
    trace = valid_trace_id(record.trace_id)
    return Item(
        signal="log",
        key=_log_key(record, raw, digest),
        digest=digest,
        links=_all_links(f"trace:{trace}" if trace else "", record.attributes, source, raw),
        time_ns=min(record.time_unix_nano or record.observed_time_unix_nano, _LARGEST_TIME),
        resource=source.resource,
        scope=source.scope,
        raw=raw,
        repaired=repaired,
    )


BUILDERS: Final = {"span": span_item, "log": log_item}
"""Signal to the function that builds its items."""


def valid_trace_id(raw: bytes) -> str:
    """The trace id in lower-case hex, or "" where these bytes are none."""
    return raw.hex() if len(raw) == _TRACE_ID_BYTES and raw != _NO_TRACE else ""


def valid_span_id(raw: bytes) -> str:
    """The span id in lower-case hex, or "" where these bytes are none."""
    return raw.hex() if len(raw) == _SPAN_ID_BYTES and raw != _NO_SPAN else ""


def log_event_name(field: str, attributes: Mapping[str, Any]) -> str:
    """The name of a log event: its field, else the attribute that older senders use."""
    if field:
        return field
    for name in names.EVENT_NAME_ATTRIBUTES:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def _id_defect(raw: bytes, size: int) -> str:
    if not raw:
        return "is missing"
    return "is all zeros" if len(raw) == size else f"has {len(raw)} bytes, not {size}"


def _parsed(kind: type[_MessageT], raw: bytes) -> tuple[_MessageT, bool]:
    """The message, and whether its text had to be mended."""
    try:
        return kind.FromString(raw), False
    except ProtobufError:
        mended = repair(raw, kind.DESCRIPTOR)
    try:
        return kind.FromString(mended), True
    except ProtobufError as exc:
        message = "not a protobuf message of this type"
        raise DecodeError(message) from exc


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


def _all_links(trace: str, attributes: Iterable[KeyValue], source: Origin, raw: bytes) -> tuple[str, ...]:
    # Reading attributes is what costs most here; looking for the bytes of the names first spares nearly all of it.
    wanted = [name for name, needle in _NEEDLES if needle in raw]
    own = [trace, *source.links] if trace else [*source.links]
    if wanted:
        own += _links(attributes, wanted)
    return tuple(dict.fromkeys(own)) or (source.fallback_link,)


def _links(attributes: Iterable[KeyValue], wanted: Collection[str] = names.GROUP_KEYS) -> list[str]:
    """The links these attributes make, once per name; no further than the last name that is wanted."""
    left = set(wanted)
    found: list[str] = []
    for entry in attributes:
        name = entry.key
        if name in left:
            left.remove(name)
            value = entry.value.string_value
            if 0 < len(value) <= LONGEST_LINK:
                found.append(f"{_LINK_NAMES[name]}:{value}")
            if not left:
                break
    return found
