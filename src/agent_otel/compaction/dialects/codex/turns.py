"""Turns: from a prompt to the answer, the task among the prompts, and what this telemetry cannot show.

The span of a turn has its end. Log records have none, so it is read off the last response: a turn is over when the
model said something and asked for nothing. Where the kinds of its stream are not told, nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.codex.agents import spawns
from agent_otel.compaction.dialects.codex.models import REQUESTS, is_completed, is_failed
from agent_otel.compaction.dialects.codex.sessions import Event, Session
from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.conversation import LONGEST_CLAIM
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.turns import Turn, parted, turns_of
from agent_otel.compaction.reading.values import first, text
from agent_otel.model import fact, limits, names
from agent_otel.model.contract import Contract
from agent_otel.model.item import Log, Span
from agent_otel.text.truncation import truncate

NAME: Final = "codex"
REDACTED: Final = "[REDACTED]"
ASKING: Final = ("function_call", "custom_tool_call", "local_shell_call")
"""Parts of the kinds of stream events in which a model asks for a tool."""
SPEAKING: Final = "output_text"
TOOLS: Final = (names.CODEX_TOOL_DECISION, names.CODEX_TOOL_RESULT)
ALWAYS: Final = (limits.COSTS_UNTOLD, limits.SHELL_EDITS_UNSEEN)
SPANS_ONLY: Final = (
    limits.CONTENT_OFF,
    limits.COMMANDS_UNTOLD,
    limits.EXIT_CODES_UNTOLD,
    limits.PATHS_UNTOLD,
    limits.DENIALS_UNTOLD,
)


def turn_facts(
    session: Session, parent: str = "", *, linked: bool = False
) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The turns, prompts and last words of a session, and its limits.

    Args:
        session: the session.
        parent: the session that started it, "" where none is known to have.
        linked: True where its own sub-agents were found.
    """
    prompts = {event.time_ns: event.item for event in session.events if event.name == names.CODEX_USER_PROMPT}
    if not prompts and not session.turns:
        prompts = {session.events[0].time_ns: session.events[0].item}
    turns = turns_of(prompts, session.turns)
    parts = parted(turns, session.events, lambda event: event.time_ns)
    for turn, events in zip(turns, parts, strict=True):
        yield _invoked(session, turn, events, parent), turn.item
    for event in session.events:
        yield from ((seen, event.item) for seen in _said(event))
    start = turns[0]
    found = _limits(session, turns[-1], parts[-1])
    if spawns(session) and not linked:
        found.add(limits.SUB_AGENTS_UNLINKED)
    for limit in sorted(found):
        yield fact.LimitNoticed(ref=start.item.ref, time_ns=start.begin_ns, limit=limit), start.item


def _end_of(turn: Turn, events: Sequence[Event]) -> int:
    """When a turn was over, 0 where no end was seen, or only one in the middle of its work."""
    if turn.span is None:
        return _answered_at(events)
    failed = bool(events) and is_failed(events[-1])
    return 0 if not failed and _asks(_last_response(events)) else turn.span.end_ns


def _answered_at(events: Sequence[Event]) -> int:
    """When the model had said its last word, 0 where it went on, or where that is not told."""
    last = _last_response(events)
    if not last or is_failed(last[-1]) or _asks(last) or not any(map(is_completed, last)):
        return 0
    return last[-1].time_ns if any(map(_speaks, last)) else 0


def _asks(events: Sequence[Event]) -> bool:
    """True where the model asked for a tool, or one was at work."""
    return any(event.name in TOOLS or any(part in _kind(event) for part in ASKING) for event in events)


def _speaks(event: Event) -> bool:
    return SPEAKING in _kind(event) or event.name == names.CODEX_AGENT_RESPONSE


def _kind(event: Event) -> str:
    return text(event.attributes.get(names.CODEX_EVENT_KIND))


def _last_response(events: Sequence[Event]) -> Sequence[Event]:
    """What came since the last request, else since the last response but one."""
    for number in range(len(events) - 1, 0, -1):
        if events[number].name in REQUESTS:
            return events[number:]
    done = [number for number, event in enumerate(events[:-1]) if is_completed(event)]
    return events[done[-1] + 1 if done else 0 :]


def _invoked(session: Session, turn: Turn, events: Sequence[Event], parent: str) -> fact.AgentInvoked:
    told = events[0].attributes if events else turn.item.attributes
    return fact.AgentInvoked(
        ref=turn.item.ref,
        time_ns=turn.begin_ns,
        name=NAME,
        version=text(first({**turn.item.resource, **told}, names.OWN_APP_VERSION, names.SERVICE_VERSION)),
        model=text(first(told, names.OWN_MODEL)),
        session=session.name,
        parent_run=parent,
        end_ns=_end_of(turn, events),
    )


def _said(event: Event) -> Iterator[fact.AnyFact]:
    attributes = event.attributes
    if event.name == names.CODEX_USER_PROMPT:
        if objective := _prompt(attributes):
            yield fact.TaskStarted(
                **event.about(), contract=Contract(objective=objective), stated=False, from_user=True
            )
        else:
            yield fact.LimitNoticed(**event.about(), limit=limits.PROMPT_UNTOLD)
    elif event.name == names.CODEX_AGENT_RESPONSE and (words := text(attributes.get(names.CODEX_RESPONSE)).strip()):
        yield fact.Claimed(**event.about(), text=truncate(words, LONGEST_CLAIM).text)


def _prompt(attributes: Any) -> str:
    prompt = text(attributes.get(names.OWN_PROMPT))
    return "" if prompt == REDACTED else messages.task([Message("user", (prompt,))])


def _limits(session: Session, last: Turn, events: Sequence[Event]) -> set[str]:
    known = {event.name for event in session.events}
    found = {*ALWAYS}
    if names.CODEX_AGENT_RESPONSE not in known:
        found.add(limits.FINAL_MESSAGE_UNTOLD)
    if not session.logged:
        found.update(SPANS_ONLY)
    if not _end_of(last, events) and _is_lost(session, last, events):
        found.add(limits.TAIL_LOST)
    return found


def _is_lost(session: Session, turn: Turn, events: Sequence[Event]) -> bool:
    """True where a turn without an end need not be broken off.

    Its span ended, though nothing tells how it came to that; nothing is known of its answers; or nothing of the last.
    """
    if turn.span is not None:
        return not session.aborted
    last = _last_response(events)
    if all(event.name == names.CODEX_USER_PROMPT for event in events):
        return True
    return any(map(is_completed, last)) and not _asks(last) and not any(map(_speaks, last))
