"""The dialect: Gemini CLI 0.61.0 (2026-11), and those before it as far as their documentation goes.

A session is named in the resource and on every item; there is no root, each step is a trace. The last answer that calls
no tools ends a turn; where content is off, only that the process leaves. ``service.version`` is that of Node.js. Never
seen: costs, the run of an agent whose model's API fails at once, and without content what it all was about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.gemini.events import Events, event
from agent_otel.compaction.dialects.gemini.models import API_ERROR, API_RESPONSE, Talk, called
from agent_otel.compaction.dialects.gemini.prompts import agent_of, place
from agent_otel.compaction.dialects.gemini.sessions import Seen, Sessions, start_of
from agent_otel.compaction.dialects.gemini.spans import LLM_CALL, TOOL_CALL, joined, operation, prompt_of
from agent_otel.compaction.dialects.gemini.tools import facts_of, of_log
from agent_otel.compaction.reading.moments import Moment
from agent_otel.compaction.reading.values import STATUS_ERROR, text
from agent_otel.compaction.sessions import session_of
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.fact import SpanOutcome
from agent_otel.model.item import Log, Span

AGENT: Final = "gemini-cli"
LEAVING: Final = frozenset(["plan.approval_mode_duration", "conversation_finished"])
"""Events of a process that is about to leave."""
AGENT_ENDS: Final = "agent.finish"
AGENT_EVENTS: Final = frozenset(["agent.start", AGENT_ENDS])
TERMINATED: Final[Mapping[str, SpanOutcome]] = {"GOAL": "ok", "ERROR": "failed", "ABORTED": "cancelled"}
"""How an agent ended that the session's own has started; what ran out of time or turns ended, nobody says how."""
TELLING: Final = frozenset([API_RESPONSE, API_ERROR, "tool_call", "user_prompt", *AGENT_EVENTS])


def placed(item: Span | Log) -> Place | None:
    """The session of an item, and the agent in it."""
    session = session_of(item)
    if isinstance(item, Span):
        return place(session, agent_of(prompt_of(item), session))
    if event(item, names.GEMINI_EVENTS) in AGENT_EVENTS:
        return place(session, text(item.attributes.get(names.FORK_AGENT_ID)))
    return place(session, agent_of(text(item.attributes.get(names.FORK_PROMPT_ID)), session))


class Gemini:
    """Reads Gemini CLI."""

    name = "gemini-cli"
    about = "Gemini CLI: logs and traces; more with telemetry.logPrompts"
    scopes = (names.GEMINI_SCOPE,)

    def claims(self, item: Span | Log) -> bool:
        """Everything of its scope."""
        return item.scope == names.GEMINI_SCOPE

    def place(self, item: Span | Log) -> Place | None:
        """The session, and the agent in it."""
        return placed(item)

    def backdrop(self, item: Span | Log) -> bool:
        """Everything that tells neither of a prompt, nor of a model or a tool."""
        if isinstance(item, Span):
            return operation(item) not in (LLM_CALL, TOOL_CALL)
        return event(item, names.GEMINI_EVENTS) not in TELLING

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of each session, and of each agent in it."""
        for seen, item in _facts(items, forest):
            yield Sighting(seen, item, self.name)


def _facts(items: Sequence[Span | Log], forest: Forest) -> Seen:
    sessions = Sessions(AGENT, placed)
    logs = Events(items, names.GEMINI_EVENTS)
    spans = sorted((item for item in items if isinstance(item, Span)), key=start_of)
    tools = [*joined((span for span in spans if operation(span) == TOOL_CALL), map(of_log, logs["tool_call"]), forest)]
    for told in tools:
        sessions.of(told.item).items.append(told.item)
    yield from facts_of(tools)
    models = [span for span in spans if operation(span) == LLM_CALL]
    for asked in called(placed, models, logs):
        sessions.of(asked.item).add(asked, answers=_answers(asked.span))
    for name in LEAVING:
        for log in logs[name]:
            sessions.of(log).moments.append(Moment(log.time_ns, "exit"))
    for name in AGENT_EVENTS:
        for log in logs[name]:
            sessions.of(log).name = text(log.attributes.get(names.FORK_AGENT_NAME)) or AGENT
            sessions.of(log).moments.append(_turn_of_agent(log, ends=name == AGENT_ENDS))
    yield from sessions.facts(logs["user_prompt"], forest)


def _answers(span: Span) -> bool:
    """True for a call that answered without asking for tools, as far as its content tells."""
    said = Talk().out_of(span)
    return bool(span.end_ns and span.status != STATUS_ERROR and said and not any(each.requests for each in said))


def _turn_of_agent(log: Log, *, ends: bool) -> Moment:
    reason = text(log.attributes.get(names.FORK_TERMINATED)).upper()
    return (
        Moment(log.time_ns, "end", outcome=TERMINATED.get(reason, "unknown")) if ends else Moment(log.time_ns, "prompt")
    )
