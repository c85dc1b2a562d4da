"""One way out for events: built once, sent to the span, to the log pipeline, or to both, with one event id.

Span events are visible in Jaeger and Tempo; log records leave the process at once, and so survive a kill
(design.md §7). The processor counts an event once by its id.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.util.types import Attributes

from agent_otel.model import names
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.state import Instrumentation, current


def emit(  # noqa: PLR0913 - one way out, all but name and values keyword-only with defaults
    name: str,
    values: Mapping[str, Any],
    *,
    span: trace.Span | None = None,
    run_id: str = "",
    required: tuple[str, ...] = (),
    event_id: str = "",
    log_only: bool = False,
) -> str:
    """Sends one event.

    Args:
        name: the event's name, from ``model.names``.
        values: its attributes; None and "" mean not given.
        span: the span it happened in; the current one where none is given.
        run_id: the run it belongs to, "" outside of any.
        required: attributes without which the event is incomplete. A missing one is named in the event, so that it
            becomes a finding; it never raises.
        event_id: the id of the event this one repeats in other words; a new one where none is given.
        log_only: for signs of life, which mean nothing on a span.

    Returns:
        The event's id.
    """
    instrumentation = current()
    event_id = event_id or instrumentation.new_id()
    target = span if span is not None else trace.get_current_span()
    outgoing = Outgoing(instrumentation)
    outgoing.update(values)
    outgoing.put(names.RUN_ID, run_id)
    # An empty list was given, and says "none"; what is missing was not given at all.
    missing = [_field(name) for name in required if name not in outgoing.attributes]
    outgoing.put(names.MISSING_FIELDS, missing or None)
    attributes = {**outgoing.finish(), names.EVENT_ID: event_id}
    send(instrumentation, name, attributes, span=target, log_only=log_only)
    return event_id


def _field(attribute: str) -> str:
    """The field of the event, as requirements and records call it, that an attribute carries."""
    return "command" if attribute == names.COMMAND_LINE else attribute.rpartition(".")[2]


def send(
    instrumentation: Instrumentation,
    name: str,
    attributes: Attributes,
    *,
    span: trace.Span,
    log_only: bool = False,
) -> None:
    """Sends an event whose attributes are fit to leave the process already."""
    when = instrumentation.clock() if instrumentation.clock else time.time_ns()
    events = instrumentation.settings.events
    logger = None if events == "span" else instrumentation.logger()
    if not log_only and (events != "log" or logger is None):
        span.add_event(name, attributes, timestamp=when)
    if logger is not None:
        logger.emit(
            timestamp=when,
            observed_timestamp=when,
            context=trace.set_span_in_context(span),
            severity_number=SeverityNumber.INFO,
            event_name=name,
            attributes=attributes,
        )
