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

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.build import KINDS, Builder
from agent_otel.otlp.json_messages import encoded, origin_of
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.otlp.mend import mend
from agent_otel.otlp.metrics_json import measures_from_blocks
from agent_otel.otlp.protobuf import check_size
from agent_otel.otlp.received import Outcome, Received, SignalName, Tally
from agent_otel.otlp.steps import Steps

_ABSENT: Final = msgspec.Raw(b"null")
_MARKS: Final = (b",", b"{", b"[")


class ScopeBlock(msgspec.Struct):
    """ScopeSpans, ScopeLogs or ScopeMetrics, in either spelling."""

    scope: msgspec.Raw = _ABSENT
    spans: list[msgspec.Raw] | None = None
    metrics: list[msgspec.Raw] | None = None
    log_records: list[msgspec.Raw] | None = msgspec.field(default=None, name="logRecords")
    log_records_: list[msgspec.Raw] | None = msgspec.field(default=None, name="log_records")

    def items(self, signal: SignalName) -> list[msgspec.Raw]:
        """What it holds of one signal."""
        if signal == "span":
            return self.spans or []
        if signal == "metric":
            return self.metrics or []
        return [*(self.log_records or ()), *(self.log_records_ or ())]


class ResourceBlock(msgspec.Struct):
    """ResourceSpans, ResourceLogs or ResourceMetrics, in either spelling."""

    resource: msgspec.Raw = _ABSENT
    scope_spans: list[ScopeBlock] | None = msgspec.field(default=None, name="scopeSpans")
    scope_spans_: list[ScopeBlock] | None = msgspec.field(default=None, name="scope_spans")
    scope_logs: list[ScopeBlock] | None = msgspec.field(default=None, name="scopeLogs")
    scope_logs_: list[ScopeBlock] | None = msgspec.field(default=None, name="scope_logs")
    scope_metrics: list[ScopeBlock] | None = msgspec.field(default=None, name="scopeMetrics")
    scope_metrics_: list[ScopeBlock] | None = msgspec.field(default=None, name="scope_metrics")

    def blocks(self, signal: SignalName) -> list[ScopeBlock]:
        """What it says about one signal."""
        if signal == "span":
            return [*(self.scope_spans or ()), *(self.scope_spans_ or ())]
        if signal == "log":
            return [*(self.scope_logs or ()), *(self.scope_logs_ or ())]
        return [*(self.scope_metrics or ()), *(self.scope_metrics_ or ())]


class Request(msgspec.Struct):
    """An export request of any signal; ``None`` where it says nothing about one."""

    resource_spans: list[ResourceBlock] | None = msgspec.field(default=None, name="resourceSpans")
    resource_spans_: list[ResourceBlock] | None = msgspec.field(default=None, name="resource_spans")
    resource_logs: list[ResourceBlock] | None = msgspec.field(default=None, name="resourceLogs")
    resource_logs_: list[ResourceBlock] | None = msgspec.field(default=None, name="resource_logs")
    resource_metrics: list[ResourceBlock] | None = msgspec.field(default=None, name="resourceMetrics")
    resource_metrics_: list[ResourceBlock] | None = msgspec.field(default=None, name="resource_metrics")

    @property
    def signals(self) -> frozenset[SignalName]:
        """What it is about: "span", "log", "metric"."""
        said: dict[SignalName, tuple[object, ...]] = {
            "span": (self.resource_spans, self.resource_spans_),
            "log": (self.resource_logs, self.resource_logs_),
            "metric": (self.resource_metrics, self.resource_metrics_),
        }
        return frozenset(signal for signal, lists in said.items() if any(entry is not None for entry in lists))

    def blocks(self, signal: SignalName) -> list[ResourceBlock]:
        """What it says about one signal."""
        if signal == "span":
            return [*(self.resource_spans or ()), *(self.resource_spans_ or ())]
        if signal == "log":
            return [*(self.resource_logs or ()), *(self.resource_logs_ or ())]
        return [*(self.resource_metrics or ()), *(self.resource_metrics_ or ())]


_DECODER: Final = msgspec.json.Decoder(Request)


def items_from_json(body: bytes, signal: SignalName, *, limits: Limits = DEFAULT_LIMITS) -> Received:
    """The items of an OTLP/JSON trace ("span"), logs ("log") or metrics ("metric") request.

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
    if any(body.count(mark) > limits.json_values for mark in _MARKS):
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


def items_of(sliced: Request, signal: SignalName, *, limits: Limits = DEFAULT_LIMITS) -> Received:
    """The items of one signal in a request.

    Raises:
        TooLarge: there are more than ``limits.items``.
    """
    tally, steps = Tally(), Steps()
    blocks = list(_blocks(sliced, signal))
    if sum(len(raws) for *_, raws in blocks) > limits.items:
        message = "too many spans, log records or metrics in one request: send fewer at a time"
        raise TooLarge(message)
    if signal == "metric":
        return measures_from_blocks(blocks, limits=limits)
    for resource, scope, raws in blocks:
        source = origin_of(resource, scope, steps)
        if isinstance(source, str):
            tally.reject(source, len(raws))
        else:
            builder = Builder(source, KINDS[signal], limits, steps)
            tally.extend(_outcome(raw, builder) for raw in raws)
    return tally.received()


def _decoded(body: bytes) -> Request:
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Half a surrogate pair, in a string of one span, would cost the whole body.
        return _DECODER.decode(mend(body, Steps()))


def _blocks(sliced: Request, signal: SignalName) -> Iterator[tuple[msgspec.Raw, msgspec.Raw, list[msgspec.Raw]]]:
    """Resource, scope and items of each scope block."""
    for block in sliced.blocks(signal):
        for scope in block.blocks(signal):
            yield block.resource, scope.scope, scope.items(signal)


def _outcome(raw: msgspec.Raw, builder: Builder) -> Outcome:
    try:
        content, mended = encoded(raw, builder.kind.message, builder.steps, most=builder.limits.item_bytes)
    except DecodeError as exc:
        return f"{builder.kind.name}: {exc}"
    return builder.from_bytes(content, mended=mended)
