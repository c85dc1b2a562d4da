"""From parsed messages to items, or to the reasons why they are refused.

Both decoders end here, so that an item is the same whichever encoding, batch or delivery it came in: ``raw`` is the
message written canonically, and ``digest`` covers it together with its resource and scope.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

import msgspec
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from agent_otel.errors import DecodeError
from agent_otel.model import names
from agent_otel.model.item import Item, Signal
from agent_otel.otlp.beginnings import BEGINNINGS
from agent_otel.otlp.ids import SPAN_ID_BYTES, TRACE_ID_BYTES, id_defect, log_event_name, valid_span_id, valid_trace_id
from agent_otel.otlp.limits import DEFAULT_LIMITS, LARGE_ITEM_BYTES, MAX_ORIGIN_BYTES, Limits
from agent_otel.otlp.links import LinkFinder, named_links
from agent_otel.otlp.others import links_to_run
from agent_otel.otlp.received import Outcome
from agent_otel.otlp.repair import parse
from agent_otel.otlp.states import links_by_state, states_of
from agent_otel.otlp.steps import Steps
from agent_otel.otlp.wire import fields

DIGEST_BYTES: Final = 16

_REMEMBERED_BYTES: Final = 8 << 10
_LARGEST_TIME: Final = (1 << 63) - 1
_EVENT_ID: Final = names.EVENT_ID.encode()
_ABOUT: Final = {**dict.fromkeys(names.SAID_BY_OTHERS, links_to_run), names.RUN_LEFT: states_of}
"""Events of ours that are about more than they are a part of, to what finds the links of that."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Resource and scope of some items, with all that follows from them worked out once.

    ``seeds`` begin what is digested of an item: a copy that was mended is another copy than one that was sent this way,
    since a record counts the mended ones. ``process`` is what the resource says of which one it is, "" where nothing.
    """

    resource: bytes
    scope: bytes
    seeds: tuple[bytes, bytes]
    scope_name: str
    process: str
    links: tuple[str, ...]
    states: tuple[str, ...]
    fallback_link: str
    repaired: bool


def origin(resource: bytes, scope: bytes, steps: Steps, *, mended: bool = False) -> Origin | str:
    """The origin these encoded messages describe, or the reason why they cannot be read.

    ``mended`` (here and below): the text was already mended by the caller.

    Raises:
        TooLarge: mending takes too many steps; those of an origin that is remembered count again.
    """
    if len(resource) + len(scope) > MAX_ORIGIN_BYTES:
        return f"resource and scope larger than {MAX_ORIGIN_BYTES} bytes"
    # Senders repeat themselves, some with every span; what is remembered of them is small.
    if len(resource) + len(scope) <= _REMEMBERED_BYTES:
        found, taken = _remembered_origin(resource, scope, mended)
    else:
        found, taken = _stepped_origin(resource, scope, mended)
    steps.take(taken)
    return found


def _stepped_origin(
    resource: bytes,
    scope: bytes,
    mended: bool,  # noqa: FBT001 - remembered by it
) -> tuple[Origin | str, int]:
    """The origin, and how many steps it took."""
    steps = Steps()
    return _origin(resource, scope, steps, mended=mended), steps.taken


def _origin(resource: bytes, scope: bytes, steps: Steps, *, mended: bool) -> Origin | str:
    try:
        parsed_resource, resource_mended = parse(Resource, resource, steps)
    except DecodeError as exc:
        return f"resource: {exc}"
    if len(parsed_resource.attributes) > DEFAULT_LIMITS.attributes:
        return f"resource with more than {DEFAULT_LIMITS.attributes} attributes"
    try:
        parsed_scope, scope_mended = parse(InstrumentationScope, scope, steps)
    except DecodeError as exc:
        return f"scope: {exc}"
    resource, scope = canonical(parsed_resource), canonical(parsed_scope)
    seed = _digest(resource) + _digest(scope)
    return Origin(
        resource=resource,
        scope=scope,
        seeds=(b"\0" + seed, b"\1" + seed),
        scope_name=parsed_scope.name,
        process=_text(parsed_resource.attributes, names.SERVICE_INSTANCE_ID),
        links=tuple(named_links(parsed_resource.attributes)),
        states=states_of(parsed_resource.attributes),
        fallback_link=f"resource:{_digest(resource).hex()}",
        repaired=mended or resource_mended or scope_mended,
    )


_remembered_origin: Final = lru_cache(maxsize=256)(_stepped_origin)


def canonical(message: Message) -> bytes:
    """The message written as everybody should write it: fields in their order, numbers as short as they can be."""
    return message.SerializeToString(deterministic=True)


class Builder:
    """Makes the items of one origin.

    Args:
        source: their resource and scope.
        kind: what they are.
        limits: what each may hold.
        steps: counts what mending takes, over the whole request.
    """

    __slots__ = ("_begins", "_finder", "_links", "kind", "limits", "many_bytes", "source", "steps")

    def __init__(self, source: Origin, kind: Kind, limits: Limits, steps: Steps) -> None:
        self.source = source
        self.kind = kind
        self.limits = limits
        self.steps = steps
        # An entry takes two bytes at least, so that most spans need not be asked how many they have.
        self.many_bytes = 2 * min(limits.attributes, limits.events, limits.links)
        self._finder = LinkFinder(kind.attributes_field)
        self._links: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._begins = BEGINNINGS.get((kind.name, source.scope_name))

    def from_bytes(self, raw: bytes, *, mended: bool = False) -> Outcome:
        """The item of an encoded message, or the reason why it is refused."""
        if len(raw) > self.limits.item_bytes:
            return f"{self.kind.name} larger than {self.limits.item_bytes} bytes"
        try:
            if len(raw) > LARGE_ITEM_BYTES and (excess := self._crowd(raw)):
                return excess
            message, broken = parse(self.kind.message, raw, self.steps)
        except DecodeError as exc:
            return f"{self.kind.name}: {exc}"
        return self.kind.build(self, message, canonical(message), mended or broken or self.source.repaired)

    def _crowd(self, raw: bytes) -> str:
        """What an encoded message has too many of."""
        counts: Counter[int] = Counter()
        for number, *_ in fields(raw):
            self.steps.take()
            counts[number] += 1
            if (what := self.kind.counted.get(number)) and counts[number] > (most := getattr(self.limits, what)):
                return f"{self.kind.name} with more than {most} {what}"
        return ""

    def _about(self, message: Any, raw: bytes) -> tuple[str, ...]:
        """The links by what it is about: a state of the code, or a run that others say something of."""
        if self.source.scope_name != names.SCOPE:
            return links_by_state(message.attributes, raw, self.source.states)
        read = _ABOUT.get(message.event_name) if self.kind.name == "log record" else None
        return read(message.attributes) if read is not None else ()

    def links(self, trace: str, message: Any, raw: bytes) -> tuple[str, ...]:
        """The links of a message that is written canonically as ``raw``; ``trace`` is "" where it has none."""
        own = (trace, *self._finder.find(message.attributes, raw))
        if self._begins is not None and len(own) == 1 and not self.source.links:
            own = (trace, *self._begins(message, self.source.process))
        own += self._about(message, raw)
        links = self._links.get(own)
        if links is None:
            source = self.source
            found = (f"trace:{trace}", *source.links, *own[1:]) if trace else (*source.links, *own[1:])
            links = self._links[own] = tuple(dict.fromkeys(found)) or (source.fallback_link,)
        return links


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What the items of one signal are, and how they are made of a message that is written canonically as some bytes.

    ``block`` is the message that holds many, and ``parts`` gets them from it; ``attributes_field`` is the number of the
    field that holds their attributes, ``counted`` has the fields that there may be so many of, by name in ``Limits``.
    """

    name: str
    message: type[Any]
    block: type[Any]
    parts: Callable[[Any], Sequence[Any]]
    attributes_field: int
    counted: Mapping[int, str]
    build: Callable[[Builder, Any, bytes, bool], Outcome]


def _span_item(builder: Builder, span: Span, raw: bytes, repaired: bool) -> Outcome:  # noqa: FBT001 - see Kind
    trace, span_id = valid_trace_id(span.trace_id), valid_span_id(span.span_id)
    if not trace:
        return f"span whose trace id {id_defect(span.trace_id, TRACE_ID_BYTES)}"
    if not span_id:
        return f"span whose span id {id_defect(span.span_id, SPAN_ID_BYTES)}"
    if len(raw) > builder.many_bytes and (excess := _excess(span, builder.limits)):
        return excess
    source = builder.source
    return Item(
        signal="span",
        key=f"{trace}/{span_id}",
        digest=_digest(source.seeds[repaired] + raw),
        links=builder.links(trace, span, raw),
        time_ns=min(max(span.start_time_unix_nano, span.end_time_unix_nano), _LARGEST_TIME),
        resource=source.resource,
        scope=source.scope,
        raw=raw,
        repaired=repaired,
    )


def _log_item(builder: Builder, record: LogRecord, raw: bytes, repaired: bool) -> Outcome:  # noqa: FBT001 - see Kind
    """Nothing is kept of a finished record on its way to a backend.

    A collector that sends everything to everybody brings it back, and to take it for telemetry would make its run due
    again, for ever.
    """
    if len(record.attributes) > builder.limits.attributes:
        return f"log record with more than {builder.limits.attributes} attributes"
    if record.event_name == names.RUN_RECORD:
        return None
    source = builder.source
    digest = _digest(source.seeds[repaired] + raw)
    return Item(
        signal="log",
        key=_log_key(record, raw, digest),
        digest=digest,
        links=builder.links(valid_trace_id(record.trace_id), record, raw),
        time_ns=min(record.time_unix_nano or record.observed_time_unix_nano, _LARGEST_TIME),
        resource=source.resource,
        scope=source.scope,
        raw=raw,
        repaired=repaired,
    )


KINDS: Final[Mapping[Signal, Kind]] = MappingProxyType(
    {
        "span": Kind(
            name="span",
            message=Span,
            block=ScopeSpans,
            parts=attrgetter("spans"),
            attributes_field=Span.ATTRIBUTES_FIELD_NUMBER,
            counted={
                Span.ATTRIBUTES_FIELD_NUMBER: "attributes",
                Span.EVENTS_FIELD_NUMBER: "events",
                Span.LINKS_FIELD_NUMBER: "links",
            },
            build=_span_item,
        ),
        "log": Kind(
            name="log record",
            message=LogRecord,
            block=ScopeLogs,
            parts=attrgetter("log_records"),
            attributes_field=LogRecord.ATTRIBUTES_FIELD_NUMBER,
            counted={LogRecord.ATTRIBUTES_FIELD_NUMBER: "attributes"},
            build=_log_item,
        ),
    }
)
"""Signal to what its items are made of."""


def _text(attributes: Iterable[Any], name: str) -> str:
    return next((str(entry.value.string_value) for entry in attributes if entry.key == name), "")


def _digest(content: bytes) -> bytes:
    # Processors have instructions for SHA-256, which make it faster than BLAKE2.
    return hashlib.sha256(content).digest()[:DIGEST_BYTES]


def _log_key(record: LogRecord, raw: bytes, digest: bytes) -> str:
    """``event:<id>/<name>`` for an event of ours, else its content: a log record has no identity of its own."""
    if _EVENT_ID in raw:
        texts = {entry.key: entry.value.string_value for entry in record.attributes}
        if texts.get(names.EVENT_ID):
            return f"event:{texts[names.EVENT_ID]}/{log_event_name(record.event_name, texts)}"
    return f"log:{digest.hex()}"


def _excess(span: Span, limits: Limits) -> str:
    """What the span has too many of."""
    for what, most in (("attributes", limits.attributes), ("events", limits.events), ("links", limits.links)):
        if len(getattr(span, what)) > most:
            return f"span with more than {most} {what}"
    return ""
