"""Model calls: the responses that were completed, and the requests and streams that failed.

A request that went through is no call of its own: its response follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agent_otel.compaction.dialects.codex.sessions import Event, Session
from agent_otel.compaction.reading.values import count, first, text, whole
from agent_otel.model import fact, names
from agent_otel.model.item import Span

REQUESTS: Final = (names.CODEX_API_REQUEST, names.CODEX_WEBSOCKET_REQUEST)
_MS: Final = 1_000_000
_GOOD: Final = range(200, 300)


def model_facts(session: Session) -> Iterator[tuple[fact.AnyFact, Event]]:
    """The model calls that events tell of."""
    counted = any(map(is_counted, session.events))
    began_ns = 0
    for event in session.events:
        if is_failed(event):
            yield _failed(event), event
            began_ns = 0
        elif event.name in REQUESTS:
            began_ns = event.about(_took_ns(event))["time_ns"]
        elif is_counted(event) or (not counted and is_completed(event)):
            yield _completed(event, began_ns or event.time_ns), event
            began_ns = 0


def counted_on_spans(session: Session) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The model calls of a session without log records: Codex counts tokens on the spans that end responses."""
    model = next(filter(None, (_model(event.attributes) for event in session.events)), "")
    for span in session.responses:
        attributes = span.attributes
        yield (
            fact.ModelCalled(
                ref=span.ref,
                time_ns=span.start_ns,
                model=model,
                end_ns=span.end_ns,
                input_tokens=count(attributes.get(names.INPUT_TOKENS)),
                output_tokens=count(attributes.get(names.OUTPUT_TOKENS)),
                cache_read_tokens=count(attributes.get(names.CACHE_READ_TOKENS)),
            ),
            span,
        )


def is_failed(event: Event) -> bool:
    """True for a request or a stream of the model that failed."""
    if event.name != names.CODEX_SSE_EVENT and event.name not in REQUESTS:
        return False
    status = whole(event.attributes.get(names.HTTP_STATUS))
    return bool(event.attributes.get(names.CODEX_ERROR)) or (status is not None and status not in _GOOD)


def is_completed(event: Event) -> bool:
    """True for the end of a response, of which two events may tell."""
    kind = event.attributes.get(names.CODEX_EVENT_KIND)
    return event.name == names.CODEX_SSE_EVENT and kind == names.CODEX_RESPONSE_COMPLETED


def is_counted(event: Event) -> bool:
    """True for the event that tells of the tokens of a response."""
    return is_completed(event) and names.CODEX_OUTPUT_TOKENS in event.attributes


def _took_ns(event: Event) -> int:
    return (count(event.attributes.get(names.OWN_DURATION_MS)) or 0) * _MS


def _failed(event: Event) -> fact.ModelCalled:
    status = whole(event.attributes.get(names.HTTP_STATUS))
    known = "" if status is None else str(status)
    return fact.ModelCalled(
        **event.about(_took_ns(event)),
        model=_model(event.attributes),
        end_ns=event.time_ns,
        failed=True,
        error_type=known or names.ERROR_OTHER,
        error=text(event.attributes.get(names.CODEX_ERROR)) or (known and f"http {known}"),
    )


def _completed(event: Event, began_ns: int) -> fact.ModelCalled:
    attributes = event.attributes
    return fact.ModelCalled(
        ref=event.ref,
        time_ns=began_ns,
        model=_model(event.attributes),
        end_ns=event.time_ns,
        input_tokens=count(attributes.get(names.CODEX_INPUT_TOKENS)),
        output_tokens=count(attributes.get(names.CODEX_OUTPUT_TOKENS)),
        cache_read_tokens=count(attributes.get(names.CODEX_CACHED_TOKENS)),
    )


def _model(attributes: Mapping[str, Any]) -> str:
    return text(first(attributes, names.OWN_MODEL, names.CODEX_SLUG))
