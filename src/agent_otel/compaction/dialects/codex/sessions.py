"""The events of each Codex session, in order of time, wherever they were told.

Every event comes twice where both signals are on: as a log record, and without content as an event of a span. The log
records count; an event of a span does where no record tells of it, because there are none, or because the last ones
were lost.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from agent_otel.compaction.reading.values import first, text, whole
from agent_otel.model import names
from agent_otel.model.item import Log, Span

NOTABLE = frozenset(
    [
        names.CODEX_USER_PROMPT,
        names.CODEX_API_REQUEST,
        names.CODEX_WEBSOCKET_REQUEST,
        names.CODEX_SSE_EVENT,
        names.CODEX_TOOL_DECISION,
        names.CODEX_TOOL_RESULT,
        names.CODEX_AGENT_RESPONSE,
    ]
)
"""The events that say something of the agent's work; the others tell of its start-up and its upkeep."""


SAME_NS: Final = 50_000_000
"""How far apart the two tellings of an event are at most."""


class Event(NamedTuple):
    """Something that happened: an event of Codex, and the item that told of it."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any]
    item: Span | Log
    place: tuple[str, int] = ("", 0)

    @property
    def ref(self) -> str:
        """Where it was told."""
        return self.item.ref

    def about(self, earlier_ns: int = 0) -> dict[str, Any]:
        """What each fact of it has."""
        return {"ref": self.ref, "time_ns": max(self.time_ns - earlier_ns, 0)}


class Session(NamedTuple):
    """What is known of a session: its events, the spans of its turns, and those that count tokens.

    ``logged`` is False where only spans tell of it; ``aborted`` has the ids of calls that were broken off.
    """

    name: str
    logged: bool
    events: Sequence[Event]
    turns: Sequence[Span]
    responses: Sequence[Span]
    aborted: frozenset[str]


def session_named(attributes: Mapping[str, Any]) -> str:
    """The session that attributes name; the thread of a turn stands under the name that threads of the process have."""
    named = text(first(attributes, names.CODEX_CONVERSATION, names.CODEX_THREAD))
    thread = text(attributes.get(names.CODEX_THREAD_OF_TURN))
    return named or (thread if whole(thread) is None else "")


def is_notable(item: Span | Log) -> bool:
    """True for what tells of the agent's work."""
    if isinstance(item, Log):
        return event_of(item).name in NOTABLE
    return item.name == names.CODEX_TURN or any(event.name in NOTABLE for event in events_on(item))


def event_of(log: Log) -> Event:
    """The event that a log record is."""
    return Event(_name(log.attributes), log.time_ns, log.attributes, log, (log.key, 0))


def events_on(span: Span) -> Iterator[Event]:
    """The events of a span, by the names that their attributes have: their own are places in the source."""
    for number, event in enumerate(span.events):
        yield Event(_name(event.attributes), event.time_ns, event.attributes, span, (span.ref, number))


def sessions(items: Iterable[Span | Log]) -> list[Session]:
    """The sessions of a group, by name; "" is that of what names none."""
    every = list(items)
    spans = [item for item in every if isinstance(item, Span)]
    of_trace = {span.trace_id: name for span in reversed(spans) if (name := _of_span(span))}
    told: dict[str, list[Event]] = defaultdict(list)
    for log in every:
        if isinstance(log, Log) and is_notable(log):
            told[session_named(log.attributes)].append(event_of(log))
    copies: dict[str, list[Event]] = defaultdict(list)
    kept: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        name = _of_span(span) or of_trace.get(span.trace_id, "")
        kept[name].append(span)
        for event in events_on(span):
            if event.name in NOTABLE:
                copies[session_named(event.attributes) or name].append(event)
    found = sorted({*told, *copies, *(name for name, own in kept.items() if any(map(_is_turn, own)))})
    return [_session(name, told.get(name), copies[name], kept[name]) for name in found]


def _session(name: str, told: list[Event] | None, copies: list[Event], spans: list[Span]) -> Session:
    return Session(
        name,
        logged=told is not None,
        events=sorted([*(told or ()), *_only_on_spans(copies, told or ())], key=_order),
        turns=sorted(filter(_is_turn, spans), key=lambda span: (span.start_ns, span.ref)),
        responses=[span for span in spans if names.OUTPUT_TOKENS in span.attributes],
        aborted=frozenset(
            text(span.attributes.get(names.CODEX_CALL_ID))
            for span in spans
            if span.attributes.get(names.CODEX_ABORTED) is True
        ),
    )


def _only_on_spans(copies: Iterable[Event], told: Sequence[Event]) -> Iterator[Event]:
    """The events of spans of which no log record tells."""
    ids = {(event.name, text(event.attributes.get(names.CODEX_CALL_ID))) for event in told}
    times: dict[str, list[int]] = defaultdict(list)
    for event in told:
        times[event.name].append(event.time_ns)
    for found in times.values():
        found.sort()
    for event in copies:
        call_id = text(event.attributes.get(names.CODEX_CALL_ID))
        if not call_id:
            near = bisect_left(times[event.name], event.time_ns - SAME_NS)
            is_told = any(time_ns <= event.time_ns + SAME_NS for time_ns in times[event.name][near : near + 1])
        else:
            is_told = (event.name, call_id) in ids
        if not is_told:
            yield event


def _order(event: Event) -> tuple[int, tuple[str, int]]:
    return (event.time_ns, event.place)


def _is_turn(span: Span) -> bool:
    return span.name == names.CODEX_TURN


def _of_span(span: Span) -> str:
    own = session_named(span.attributes)
    return own or next(filter(None, (session_named(event.attributes) for event in span.events)), "")


def _name(attributes: Mapping[str, Any]) -> str:
    return text(first(attributes, *names.EVENT_NAME_ATTRIBUTES))
