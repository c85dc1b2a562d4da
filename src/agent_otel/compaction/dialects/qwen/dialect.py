"""The dialect: Qwen Code 0.24.4 (2026-11).

A turn is an ``interaction`` with a status of its own. Log records tell arguments and the output of what fails whatever
the settings are, and of each call whether it went well: a command that exits with another code than 0 did not (shown by
a run without content of which the exit codes are known). Hooks are errors that mean nothing. That the API of a model
failed for a moment only the HTTP client's spans tell. Never seen: costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.gemini.events import Events, event
from agent_otel.compaction.dialects.gemini.models import API_ERROR, API_RESPONSE, Talk, called
from agent_otel.compaction.dialects.gemini.prompts import agent_of, place
from agent_otel.compaction.dialects.gemini.sessions import Seen, Sessions, start_of
from agent_otel.compaction.dialects.gemini.tools import facts_of, of_log
from agent_otel.compaction.dialects.qwen.spans import (
    EXECUTION,
    INTERACTION,
    LLM_REQUEST,
    POST,
    TOOL,
    answers,
    joined,
    kind,
    retries,
)
from agent_otel.compaction.reading.messages import task
from agent_otel.compaction.reading.moments import Moment
from agent_otel.compaction.reading.values import first, text
from agent_otel.compaction.sessions import session_of
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, names
from agent_otel.model.contract import Contract
from agent_otel.model.fact import SpanOutcome
from agent_otel.model.item import Log, Span

AGENT: Final = "qwen-code"
SPANS: Final = frozenset([INTERACTION, LLM_REQUEST, TOOL, EXECUTION])
EVENTS: Final = frozenset([API_RESPONSE, API_ERROR, "tool_call", "user_prompt"])
LEAVING: Final = "session.end"
TURN_STATUSES: Final[Mapping[str, SpanOutcome]] = {
    "ok": "ok",
    "error": "failed",
    "cancelled": "cancelled",
    "aborted": "cancelled",
}


def placed(item: Span | Log) -> Place | None:
    """The session of an item, and the agent in it."""
    session = text(item.attributes.get(names.SESSION_ID)) or session_of(item)
    prompt_id = text(first(item.attributes, names.QWEN_PROMPT_ID, names.FORK_PROMPT_ID))
    return place(session, agent_of(prompt_id, session))


class Qwen:
    """Reads Qwen Code."""

    name = "qwen-code"
    about = "Qwen Code: logs and traces; more with telemetry.logPrompts"
    scopes = (names.QWEN_SCOPE,)

    def claims(self, item: Span | Log) -> bool:
        """Everything of its scope, and what its HTTP client tells."""
        return item.scope == names.QWEN_SCOPE or text(item.attributes.get(names.USER_AGENT)).startswith(
            names.QWEN_USER_AGENT
        )

    def place(self, item: Span | Log) -> Place | None:
        """The session, and the agent in it."""
        return placed(item)

    def backdrop(self, item: Span | Log) -> bool:
        """Everything that tells neither of a turn, nor of a model or a tool."""
        return kind(item) not in SPANS if isinstance(item, Span) else event(item, names.QWEN_EVENTS) not in EVENTS

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of each session, and of each agent in it."""
        for seen, item in _facts(items, forest):
            yield Sighting(seen, item, self.name)


def _facts(items: Sequence[Span | Log], forest: Forest) -> Seen:
    sessions = Sessions(AGENT, placed, versioned=True, bounded=True)
    logs = Events(items, names.QWEN_EVENTS)
    spans: dict[str, list[Span]] = {name: [] for name in (*SPANS, POST)}
    for span in sorted((item for item in items if isinstance(item, Span)), key=start_of):
        spans.setdefault(kind(span), []).append(span)
    tools = [*joined(spans[TOOL], spans[EXECUTION], map(of_log, logs["tool_call"]))]
    for told in tools:
        sessions.of(told.item).items.append(told.item)
    yield from facts_of(tools)
    for asked in called(placed, spans[LLM_REQUEST], logs):
        sessions.of(asked.item).add(asked, answers=answers(asked.span))
    for request, failed in retries(spans[POST], spans[LLM_REQUEST], forest):
        yield failed, request
    for span in spans[INTERACTION]:
        session = sessions.of(span)
        session.items.append(span)
        session.moments.append(Moment(span.start_ns, "prompt"))
        if objective := task(Talk().into(span)):
            contract = Contract(objective=objective)
            yield (
                fact.TaskStarted(ref=span.ref, time_ns=span.start_ns, contract=contract, stated=False, from_user=True),
                span,
            )
        if span.end_ns:
            status = text(span.attributes.get(names.QWEN_TURN_STATUS))
            session.moments.append(Moment(span.end_ns, "end", outcome=TURN_STATUSES.get(status, "unknown")))
    for log in logs[LEAVING]:
        sessions.of(log).moments.append(Moment(log.time_ns, "exit"))
    yield from sessions.facts(logs["user_prompt"], forest)
