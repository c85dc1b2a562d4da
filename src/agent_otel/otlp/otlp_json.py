"""Reads OTLP/JSON request bodies: the same messages as in protobuf, written in JSON.

The body is sliced first, like a protobuf body: msgspec skips over the text of each span without building it. Then each
span is turned into the bytes of its message, and goes the way of the others, so that both encodings give equal items.

Wider than the specification where real senders are: 64-bit integers as numbers or strings, enums as integers or names,
ids in hex of either case or empty, keys in lowerCamelCase or snake_case, ``null`` for absent, unknown fields ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.model.item import Signal
from agent_otel.otlp.build import KINDS, Builder, Origin, origin
from agent_otel.otlp.json_values import message_arguments
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.otlp.mend import MENDED, REPLACEMENT, mend
from agent_otel.otlp.protobuf import check_size
from agent_otel.otlp.received import Outcome, Received, Tally
from agent_otel.otlp.schema import descriptor_of

_ABSENT: Final = msgspec.Raw(b"null")


class ScopeBlock(msgspec.Struct):
    """ScopeSpans or ScopeLogs, in either spelling."""

    scope: msgspec.Raw = _ABSENT
    spans: list[msgspec.Raw] | None = None
    log_records: list[msgspec.Raw] | None = msgspec.field(default=None, name="logRecords")
    log_records_: list[msgspec.Raw] | None = msgspec.field(default=None, name="log_records")


class ResourceBlock(msgspec.Struct):
    """ResourceSpans or ResourceLogs, in either spelling."""

    resource: msgspec.Raw = _ABSENT
    scope_spans: list[ScopeBlock] | None = msgspec.field(default=None, name="scopeSpans")
    scope_spans_: list[ScopeBlock] | None = msgspec.field(default=None, name="scope_spans")
    scope_logs: list[ScopeBlock] | None = msgspec.field(default=None, name="scopeLogs")
    scope_logs_: list[ScopeBlock] | None = msgspec.field(default=None, name="scope_logs")


class Request(msgspec.Struct):
    """An export request of any signal; ``None`` where it says nothing about one."""

    resource_spans: list[ResourceBlock] | None = msgspec.field(default=None, name="resourceSpans")
    resource_spans_: list[ResourceBlock] | None = msgspec.field(default=None, name="resource_spans")
    resource_logs: list[ResourceBlock] | None = msgspec.field(default=None, name="resourceLogs")
    resource_logs_: list[ResourceBlock] | None = msgspec.field(default=None, name="resource_logs")
    resource_metrics: list[msgspec.Raw] | None = msgspec.field(default=None, name="resourceMetrics")
    resource_metrics_: list[msgspec.Raw] | None = msgspec.field(default=None, name="resource_metrics")

    @property
    def signals(self) -> frozenset[str]:
        """What it is about: "span", "log", "metric"."""
        said = {
            "span": (self.resource_spans, self.resource_spans_),
            "log": (self.resource_logs, self.resource_logs_),
            "metric": (self.resource_metrics, self.resource_metrics_),
        }
        return frozenset(signal for signal, lists in said.items() if any(entry is not None for entry in lists))

    def blocks(self, signal: Signal) -> list[ResourceBlock]:
        """What it says about one signal."""
        if signal == "span":
            return [*(self.resource_spans or ()), *(self.resource_spans_ or ())]
        return [*(self.resource_logs or ()), *(self.resource_logs_ or ())]


_DECODER: Final = msgspec.json.Decoder(Request)
_JSON: Final = msgspec.json.Decoder()


def items_from_json(body: bytes, signal: Signal, *, limits: Limits = DEFAULT_LIMITS) -> Received:
    """The items of an OTLP/JSON trace ("span") or logs ("log") request.

    A bad span or record is refused alone, and counted. A body that was cut anywhere is damaged.

    Raises:
        DecodeError: the body is not JSON, not a request, or nested too deeply.
        TooLarge: the body is over a limit of the request.
    """
    return items_of(request(body, limits=limits), signal, limits=limits)


def request(body: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Request:
    """The request, sliced and not yet read.

    Raises:
        DecodeError: the body is not JSON, not a request, or nested too deeply.
        TooLarge: the body is over a limit of the request.
    """
    check_size(body, limits)
    if body.count(b",") > limits.json_values:
        message = f"a JSON request of more than {limits.json_values} values: send fewer items at a time, or protobuf"
        raise TooLarge(message)
    try:
        return _decoded(body)
    except msgspec.ValidationError as exc:
        message = f"not an OTLP/JSON request: {exc}"
        raise DecodeError(message) from exc
    except msgspec.DecodeError as exc:
        message = f"not JSON: {exc}"
        raise DecodeError(message) from exc
    except RecursionError as exc:
        message = "JSON nested too deeply"
        raise DecodeError(message) from exc


def items_of(sliced: Request, signal: Signal, *, limits: Limits = DEFAULT_LIMITS) -> Received:
    """The items of one signal in a request.

    Raises:
        TooLarge: there are more than ``limits.items``.
    """
    tally = Tally()
    blocks = list(_blocks(sliced, signal))
    if sum(len(raws) for *_, raws in blocks) > limits.items:
        message = "too many spans or log records in one request: send fewer at a time"
        raise TooLarge(message)
    for resource, scope, raws in blocks:
        source = _origin(resource, scope)
        if isinstance(source, str):
            tally.reject(source, len(raws))
        else:
            builder = Builder(source, KINDS[signal], limits)
            tally.extend(_outcome(raw, builder) for raw in raws)
    return tally.received()


def _decoded(body: bytes) -> Request:
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Half a surrogate pair, in a string of one span, would cost the whole body.
        return _DECODER.decode(mend(body))


def _blocks(sliced: Request, signal: Signal) -> Iterator[tuple[msgspec.Raw, msgspec.Raw, list[msgspec.Raw]]]:
    """Resource, scope and items of each scope block."""
    for block in sliced.blocks(signal):
        if signal == "span":
            scopes = (*(block.scope_spans or ()), *(block.scope_spans_ or ()))
        else:
            scopes = (*(block.scope_logs or ()), *(block.scope_logs_ or ()))
        for scope in scopes:
            raws = scope.spans if signal == "span" else [*(scope.log_records or ()), *(scope.log_records_ or ())]
            yield block.resource, scope.scope, raws or []


def _origin(resource: msgspec.Raw, scope: msgspec.Raw) -> Origin | str:
    try:
        resource_bytes, resource_mended = _encoded(resource, Resource)
        scope_bytes, scope_mended = _encoded(scope, InstrumentationScope)
    except DecodeError as exc:
        return f"resource or scope: {exc}"
    return origin(resource_bytes, scope_bytes, mended=resource_mended or scope_mended)


def _outcome(raw: msgspec.Raw, builder: Builder) -> Outcome:
    try:
        encoded, mended = _encoded(raw, builder.kind.message)
    except DecodeError as exc:
        return f"{builder.kind.name}: {exc}"
    return builder.from_bytes(encoded, mended=mended)


def _encoded(raw: msgspec.Raw, kind: type[Message]) -> tuple[bytes, bool]:
    """The JSON value as the bytes of a message, and whether its text was mended."""
    text = bytes(raw)
    mended = MENDED in text
    try:
        value = _JSON.decode(text.replace(MENDED, REPLACEMENT) if mended else text)
    except UnicodeDecodeError:
        # Slicing sees to escapes, and passes over bytes.
        value, mended = _JSON.decode(mend(text).replace(MENDED, REPLACEMENT)), True
    except msgspec.DecodeError as exc:
        message = "a number out of range"
        raise DecodeError(message) from exc
    if value is None:
        return b"", mended
    arguments = message_arguments(value, descriptor_of(kind))
    try:
        return kind(**arguments).SerializeToString(), mended
    except ValueError as exc:
        message = "a number out of range"
        raise DecodeError(message) from exc
