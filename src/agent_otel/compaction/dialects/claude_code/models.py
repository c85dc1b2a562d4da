"""Model calls: a log event and a span for each, joined by the id of the request, and the attempts that failed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from agent_otel.compaction.dialects.claude_code.actors import Actor, kind_of, took_ns
from agent_otel.compaction.reading.values import STATUS_ERROR, count, first, number, text, truth
from agent_otel.model import fact, names
from agent_otel.model.item import Log, Span

MOST_TRIES: Final = 100
"""The most tries that a number alone is believed to tell of."""

Told = tuple[fact.ModelCalled, Span | Log]


MAIN: Final = re.compile(r"(?:sdk|repl_main_thread|agent)\b")
"""Begins the names of what the model is called for in a turn; a title or a suggestion is asked for aside."""


def source_of(item: Span | Log) -> str:
    """What a model call was for: ``sdk``, ``agent:builtin:general-purpose``; on spans with dots."""
    return text(first(item.attributes, *names.CLAUDE_QUERY_SOURCES))


def is_aside(told: Told) -> bool:
    """True for a call that is no part of a turn."""
    source = source_of(told[1])
    return bool(source) and not MAIN.match(source)


def in_turns(calls: Sequence[Told]) -> list[Told]:
    """The calls that turns are made of; all, where none is known to be."""
    return [told for told in calls if not is_aside(told)] or list(calls)


def model_calls(actor: Actor) -> list[Told]:
    """The model calls of a session or a sub-agent, in order of time."""
    logs = list(actor.told(names.CLAUDE_API_REQUEST, names.CLAUDE_API_ERROR))
    by_id = {text(log.attributes.get(names.CLAUDE_REQUEST_ID)): log for log in reversed(logs)}
    calls: list[Told] = []
    spanned: set[str] = set()
    for span in actor.seen(names.CLAUDE_LLM_REQUEST):
        request_id = text(first(span.attributes, names.CLAUDE_REQUEST_ID, names.RESPONSE_ID))
        spanned.add(request_id)
        call = _of_span(span, request_id, by_id.get(request_id) if request_id else None)
        calls += ((attempt, span) for attempt in _attempts(span, call))
        calls.append((call, span))
    for log in logs:
        request_id = text(log.attributes.get(names.CLAUDE_REQUEST_ID))
        if request_id not in spanned or not request_id:
            calls.append((_of_log(log, request_id), log))
    return sorted(calls, key=lambda told: (told[0].time_ns, told[0].end_ns, told[0].ref))


def _attempts(span: Span, call: fact.ModelCalled) -> Iterator[fact.ModelCalled]:
    """The tries before the last, which are told by the times at which each began, or by their number alone."""
    began = sorted(event.time_ns for event in span.events if event.name == names.CLAUDE_ATTEMPT_EVENT)
    tries = max(len(began), min(count(span.attributes.get(names.CLAUDE_ATTEMPT)) or 1, MOST_TRIES))
    times = [*began, *[span.start_ns] * (tries - len(began))]
    for start_ns, end_ns in pairwise(times):
        yield fact.ModelCalled(
            ref=span.ref,
            time_ns=start_ns,
            model=call.model,
            end_ns=max(start_ns, end_ns),
            failed=True,
            error_type=call.error_type or names.ERROR_OTHER,
            error=call.error if call.failed else "tried again",
        )


def _of_span(span: Span, request_id: str, log: Log | None) -> fact.ModelCalled:
    """A call by its span; what it cost stands in the log event."""
    told = {**(log.attributes if log else {}), **span.attributes}
    failed = span.status == STATUS_ERROR or truth(span.attributes.get(names.OWN_SUCCESS)) is False
    return fact.ModelCalled(
        ref=span.ref, time_ns=span.start_ns, end_ns=span.end_ns, **_used(told, request_id, failed=failed)
    )


def _of_log(log: Log, request_id: str) -> fact.ModelCalled:
    failed = kind_of(log) == names.CLAUDE_API_ERROR
    return fact.ModelCalled(
        ref=log.ref,
        time_ns=max(log.time_ns - took_ns(log), 0),
        end_ns=log.time_ns,
        **_used(log.attributes, request_id, failed=failed),
    )


def _used(told: Any, request_id: str, *, failed: bool) -> dict[str, Any]:
    status = count(told.get(names.CLAUDE_STATUS_CODE))
    return {
        "model": text(first(told, names.OWN_MODEL, names.REQUEST_MODEL)),
        "call_id": request_id,
        "failed": failed,
        "error_type": (names.ERROR_OTHER if status is None else str(status)) if failed else "",
        "error": text(told.get(names.OWN_ERROR)) if failed else "",
        "input_tokens": count(told.get(names.CLAUDE_INPUT_TOKENS)),
        "output_tokens": count(told.get(names.CLAUDE_OUTPUT_TOKENS)),
        "cache_read_tokens": count(told.get(names.CLAUDE_CACHE_READ_TOKENS)),
        "cost_usd": number(told.get(names.CLAUDE_COST)),
    }
