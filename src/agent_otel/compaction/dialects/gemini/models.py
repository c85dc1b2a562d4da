"""Calls to models: told by spans, by log records of responses and errors, or by both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final

import msgspec

from agent_otel.compaction.dialects.gemini.events import Events
from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.results import Result, ending
from agent_otel.compaction.reading.values import STATUS_ERROR, count, first, is_cut, loads, number, text
from agent_otel.model import fact, names
from agent_otel.model.item import Log, Span

API_RESPONSE: Final = "api_response"
API_ERROR: Final = "api_error"


class Asked(msgspec.Struct, frozen=True):
    """A call to a model: the item that shows it, and a span of it; of a log record one that says the same."""

    item: Span | Log
    span: Span


def of_log(log: Log, *, failed: bool) -> Asked:
    """A log record of a response or an error, which is written when it has come."""
    get = log.attributes.get
    milliseconds = number(get(names.OWN_DURATION_MS)) or 0
    said = get(names.FORK_RESPONSE)
    attributes = {
        names.RESPONSE_MODEL: get(names.OWN_MODEL),
        names.RESPONSE_ID: get(names.FORK_RESPONSE_ID),
        names.INPUT_TOKENS: get(names.FORK_INPUT_TOKENS),
        names.OUTPUT_TOKENS: get(names.FORK_OUTPUT_TOKENS),
        names.CACHE_READ_TOKENS: get(names.FORK_CACHED_TOKENS),
        names.OUTPUT_MESSAGES: _spoken(said),
        names.ERROR_TYPE: str(first(log.attributes, names.OWN_ERROR_TYPE, names.FORK_STATUS_CODE)) if failed else None,
    }
    span = Span(
        trace_id=log.trace_id,
        span_id=log.span_id or log.key,
        start_ns=log.time_ns - int(max(milliseconds, 0) * 1_000_000),
        end_ns=log.time_ns,
        attributes={key: value for key, value in attributes.items() if value is not None},
        status=STATUS_ERROR if failed else 0,
        status_message=text(get(names.OWN_ERROR)) if failed else "",
    )
    return Asked(log, span)


def _spoken(said: object) -> Any:
    """What a response says: text, or the chunks of Google's interface."""
    chunks = loads(said)
    if not isinstance(chunks, list):
        return [{"role": "model", "parts": [said]}] if said else None
    contents = [
        candidate.get("content")
        for chunk in chunks
        if isinstance(chunk, dict)
        for candidate in (loads(chunk.get("candidates")) or ())
        if isinstance(candidate, dict)
    ]
    return [content for content in contents if isinstance(content, dict)] or None


def called(where: Callable[[Span | Log], Hashable], spans: Sequence[Span], logs: Events) -> Iterator[Asked]:
    """The calls to models, each once.

    Args:
        where: the session, and agent in it, of an item.
        spans: the spans of calls.
        logs: the log records of the group.
    """
    by_place: dict[Hashable, tuple[list[Span], list[Asked]]] = defaultdict(lambda: ([], []))
    for span in spans:
        by_place[where(span)][0].append(span)
    for name in (API_RESPONSE, API_ERROR):
        for log in logs[name]:
            by_place[where(log)][1].append(of_log(log, failed=name == API_ERROR))
    for told, logged in by_place.values():
        yield from merged(told, logged)


def merged(spans: Sequence[Span], logs: Sequence[Asked]) -> list[Asked]:
    """Each call once: a log record that names the span of a call is of that call, of others whatever tells of more."""
    known = {span.ref: span for span in spans}
    of_span = {asked.item.ref: asked for asked in logs if asked.item.ref in known}
    alone = [span for ref, span in known.items() if ref not in of_span]
    others = sorted((asked for asked in logs if asked.item.ref not in known), key=lambda asked: asked.span.end_ns)
    found = [_both(known[ref], asked) for ref, asked in of_span.items()]
    if len(others) == len(alone):
        alone.sort(key=lambda span: span.end_ns)
        return found + [_both(span, asked) for span, asked in zip(alone, others, strict=True)]
    return found + (others if len(others) > len(alone) else [Asked(span, span) for span in alone])


def _both(span: Span, asked: Asked) -> Asked:
    """A call as its span tells it, with what only its log record does; it stays with the record."""
    failed = asked.span.status == STATUS_ERROR
    more = {key: value for key, value in asked.span.attributes.items() if key not in span.attributes}
    told = msgspec.structs.replace(span, attributes={**span.attributes, **more})
    return Asked(asked.item, msgspec.structs.replace(told, status=STATUS_ERROR) if failed else told)


def model_facts(calls: Sequence[Asked]) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The facts of the calls."""
    for asked in calls:
        attributes, end = asked.span.attributes, ending(asked.span, Result({}, ""))
        told = fact.ModelCalled(
            ref=asked.span.ref,
            time_ns=asked.span.start_ns,
            model=text(first(attributes, names.RESPONSE_MODEL, names.REQUEST_MODEL)),
            call_id=text(attributes.get(names.RESPONSE_ID)),
            end_ns=asked.span.end_ns,
            failed=end.outcome in ("failed", "cancelled"),
            error_type=end.error_type,
            error=end.error,
            input_tokens=count(attributes.get(names.INPUT_TOKENS)),
            output_tokens=count(attributes.get(names.OUTPUT_TOKENS)),
            cache_read_tokens=count(attributes.get(names.CACHE_READ_TOKENS)),
        )
        yield told, asked.item


class Talk:
    """The messages of the calls: a stream gives an answer in several, of which each is a piece."""

    def into(self, span: Span) -> list[Message]:
        """What the model was given."""
        return messages.parse(span.attributes.get(names.INPUT_MESSAGES))

    def out_of(self, span: Span) -> list[Message]:
        """What it answered, in one message."""
        pieces = messages.parse(span.attributes.get(names.OUTPUT_MESSAGES))
        said = "".join(part for piece in pieces for part in piece.texts)
        requests = tuple(request for piece in pieces for request in piece.requests)
        return [Message("assistant", (said,) if said else (), requests)] if pieces else []

    def final(self, span: Span) -> str:  # noqa: ARG002 - the protocol's
        """Nothing: what was said last is in the messages."""
        return ""

    def is_cut(self, span: Span) -> bool:
        """True where an attribute limit went through the messages."""
        return is_cut(span.attributes.get(names.INPUT_MESSAGES)) or is_cut(span.attributes.get(names.OUTPUT_MESSAGES))
