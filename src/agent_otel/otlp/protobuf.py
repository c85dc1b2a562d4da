"""Reads OTLP/protobuf request bodies."""

from __future__ import annotations

from agent_otel.errors import TooLarge
from agent_otel.otlp.batch import outcomes
from agent_otel.otlp.build import KINDS, Builder, origin
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.otlp.metrics_protobuf import measures_from_protobuf
from agent_otel.otlp.received import Received, SignalName, Tally
from agent_otel.otlp.steps import Steps
from agent_otel.otlp.wire import slices


def items_from_protobuf(body: bytes, signal: SignalName, *, limits: Limits = DEFAULT_LIMITS) -> Received:
    """The items of an ``ExportTraceServiceRequest`` ("span"), ``…Logs…`` ("log"), or ``…Metrics…`` ("metric").

    A bad span or record is refused alone, and counted. The framing of the body has no redundancy: a body that was cut
    between two resources is a valid shorter one, cut anywhere else it is damaged.

    Raises:
        DecodeError: the body is not a request.
        TooLarge: the body is over a limit of the request.
    """
    check_size(body, limits)
    if signal == "metric":
        return measures_from_protobuf(body, limits=limits)
    tally, steps = Tally(), Steps()
    for part in slices(body, items=limits.items):
        source = origin(part.resource, part.scope, steps)
        if isinstance(source, str):
            tally.reject(source, len(part.items))
        else:
            tally.extend(outcomes(body, part.items, Builder(source, KINDS[signal], limits, steps)))
    return tally.received()


def check_size(body: bytes, limits: Limits) -> None:
    """Refuses a body that is too large.

    Raises:
        TooLarge: it is over ``limits.body_bytes``.
    """
    if len(body) > limits.body_bytes:
        message = f"a request of {len(body)} bytes; at most {limits.body_bytes} are read: send fewer items at a time"
        raise TooLarge(message)
