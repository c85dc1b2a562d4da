"""Turns of sessions and of sub-agents, the task among the prompts, what was said, and what this telemetry cannot show.

The span of an interaction has its end. Log events have none: a turn is over when the model was called, spoke, and asked
for nothing. A call that waits for somebody's approval looks the same, until it is decided about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.claude_code.actors import UNTOLD, Actor, took_ns
from agent_otel.compaction.dialects.claude_code.models import Told, in_turns, is_aside, source_of
from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.conversation import LONGEST_CLAIM, marked_decisions
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.turns import Turn, turns_of
from agent_otel.compaction.reading.values import first, text
from agent_otel.model import fact, limits, names
from agent_otel.model.contract import Contract
from agent_otel.model.item import Log, Span
from agent_otel.text.truncation import truncate

NAME: Final = "claude-code"
ASKS: Final = "tool_use"
"""The reason to stop of a response that asks for tools."""
ALWAYS: Final = (
    limits.EXIT_CODES_UNTOLD,
    limits.FAILED_EDITS_UNTOLD,
    limits.FAILED_OUTPUT_UNTOLD,
    limits.SHELL_EDITS_UNSEEN,
)


def turn_facts(actor: Actor, calls: Sequence[Told]) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The turns of a session or a sub-agent, its task, its words, and its limits.

    Args:
        actor: the session, or the sub-agent.
        calls: its model calls, in order of time.
    """
    turns = _delegated(actor, calls) if actor.agent_id else _turns(actor, calls)
    for turn in turns:
        own = [told for told in calls if turn.has(told[0].time_ns)]
        end_ns = _end_of(actor, turn, own)
        kind = _agent_type(actor, calls) if actor.agent_id else NAME
        yield _invoked(actor, turn, kind, end_ns), turn.item
        yield from _said(actor, turn, own, is_over=end_ns > 0)
        yield from _prompted(actor, turn)
    if turns:
        start = turns[0]
        for limit in sorted(_limits(actor)):
            yield fact.LimitNoticed(ref=start.item.ref, time_ns=start.begin_ns, limit=limit), start.item


def _turns(actor: Actor, calls: Sequence[Told]) -> list[Turn]:
    """The turns of a session, by its prompts and interactions; without any, all that is known of it is one."""
    prompts: dict[int, Span | Log] = {log.time_ns: log for log in actor.told(names.CLAUDE_USER_PROMPT)}
    return turns_of(prompts, actor.seen(names.CLAUDE_INTERACTION)) or _delegated(actor, calls)


def _delegated(actor: Actor, calls: Sequence[Told]) -> list[Turn]:
    """What is known of a sub-agent as one turn; it happens inside of the call that started it."""
    tools = list(actor.told(names.CLAUDE_TOOL_RESULT, names.CLAUDE_TOOL_DECISION))
    done = list(actor.told(names.CLAUDE_SUBAGENT_COMPLETED))
    begins: list[tuple[int, Span | Log]] = [(call.time_ns, item) for call, item in calls]
    begins += ((log.time_ns - took_ns(log), log) for log in [*tools, *done])
    begins += ((span.start_ns, span) for span in actor.seen(names.CLAUDE_TOOL))
    if not begins:
        return []
    begin_ns, item = min(begins, key=lambda begin: (begin[0], begin[1].ref))
    return turns_of({begin_ns: item}, ())


def _end_of(actor: Actor, turn: Turn, calls: Sequence[Told]) -> int:
    """When a turn was over, and what was asked of the model aside; 0 where no end was seen."""
    end_ns = turn.span.end_ns if turn.span is not None else _answered_at(actor, turn, calls)
    return max([end_ns, *(told[0].end_ns for told in calls if is_aside(told))]) if end_ns else 0


def _answered_at(actor: Actor, turn: Turn, calls: Sequence[Told]) -> int:
    """When the agent had said its last word, 0 where it went on."""
    if done := [log.time_ns for log in actor.told(names.CLAUDE_SUBAGENT_COMPLETED)]:
        return max(done)
    if not calls:
        return 0
    last, item = in_turns(calls)[-1]
    spoken = [log.time_ns for log in actor.told(names.CLAUDE_RESPONSE)]
    own = [time_ns for time_ns in spoken if turn.has(time_ns) and time_ns >= last.time_ns]
    asks = item.attributes.get(names.CLAUDE_STOP_REASON) == ASKS or _asked(actor, turn, last.time_ns)
    return 0 if last.failed or asks or (spoken and not own) else max([last.end_ns, *own])


def _asked(actor: Actor, turn: Turn, since_ns: int) -> bool:
    """True where a tool was decided about or done with since a model call began."""
    logs = [*actor.told(names.CLAUDE_TOOL_DECISION), *actor.told(names.CLAUDE_TOOL_RESULT)]
    times = [log.time_ns for log in logs] + [span.start_ns for span in actor.seen(names.CLAUDE_TOOL)]
    return any(turn.has(time_ns) and time_ns >= since_ns for time_ns in times)


def _invoked(actor: Actor, turn: Turn, kind: str, end_ns: int) -> fact.AgentInvoked:
    told = {**turn.item.resource, **turn.item.attributes}
    return fact.AgentInvoked(
        ref=_ref(actor, turn),
        time_ns=turn.begin_ns,
        name=kind,
        version=text(first(told, names.OWN_APP_VERSION, names.SERVICE_VERSION)),
        model=text(first(told, names.OWN_MODEL)),
        session=actor.run_id,
        end_ns=end_ns,
    )


def _ref(actor: Actor, turn: Turn) -> str:
    """Where a turn is; a sub-agent has no span of its own, and is where its calls are: in the call that started it."""
    item = turn.item
    if actor.agent_id and isinstance(item, Span) and item.parent_id:
        return f"{item.trace_id}/{item.parent_id}"
    return item.ref


def _agent_type(actor: Actor, calls: Sequence[Told]) -> str:
    """What kind of sub-agent it is, as its end says, else as its model calls do: ``agent:builtin:general-purpose``."""
    done = [text(log.attributes.get(names.CLAUDE_AGENT_TYPE)) for log in actor.told(names.CLAUDE_SUBAGENT_COMPLETED)]
    sources = [re.split("[.:]", source_of(item))[-1] for _, item in calls]
    return next(filter(None, [*done, *sources]), "")


def _prompted(actor: Actor, turn: Turn) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The task; what a sub-agent reports comes as a prompt, too, and is none."""
    logs = [log for log in actor.told(names.CLAUDE_USER_PROMPT) if turn.has(log.time_ns)]
    told: list[tuple[Span | Log, str]] = [(log, text(log.attributes.get(names.OWN_PROMPT))) for log in logs]
    if turn.span is not None and not logs:
        told = [(turn.span, text(turn.span.attributes.get(names.CLAUDE_PROMPT_ON_SPAN)))]
    for item, prompt in told:
        about: dict[str, Any] = {"ref": item.ref, "time_ns": turn.begin_ns}
        if prompt in UNTOLD:
            yield fact.LimitNoticed(**about, limit=limits.PROMPT_UNTOLD), item
        elif objective := messages.task([Message("user", (prompt,))]):
            yield fact.TaskStarted(**about, contract=Contract(objective=objective), stated=False), item


def _said(actor: Actor, turn: Turn, calls: Sequence[Told], *, is_over: bool) -> Iterator[tuple[fact.AnyFact, Log]]:
    """Decisions in so many words, and the last words of a turn that is over."""
    said = [log for log in actor.told(names.CLAUDE_RESPONSE) if turn.has(log.time_ns)]
    main = in_turns(calls)
    last = said[-1] if said and is_over and main and said[-1].time_ns >= main[-1][0].time_ns else None
    for log in said:
        words = text(log.attributes.get(names.CLAUDE_RESPONSE_TEXT)).strip()
        about: dict[str, Any] = {"ref": log.ref, "time_ns": log.time_ns}
        if words in UNTOLD:
            yield fact.LimitNoticed(**about, limit=limits.FINAL_MESSAGE_UNTOLD), log
        elif log is last:
            yield fact.Claimed(**about, text=truncate(words, LONGEST_CLAIM).text), log
        else:
            for option in marked_decisions(words):
                yield fact.DecisionMade(**about, option=option, stated=False), log


def _limits(actor: Actor) -> set[str]:
    found = {*ALWAYS}
    if not any(actor.told(names.CLAUDE_RESPONSE)):
        found.add(limits.FINAL_MESSAGE_UNTOLD)
    if not any(actor.told(names.CLAUDE_API_REQUEST)):
        found.add(limits.COSTS_UNTOLD)
    if (
        not actor.agent_id
        and not actor.seen(names.CLAUDE_INTERACTION)
        and not any(actor.told(names.CLAUDE_USER_PROMPT))
    ):
        found.add(limits.PROMPT_UNTOLD)
    return found
