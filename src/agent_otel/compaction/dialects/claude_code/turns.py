"""Turns of sessions and of sub-agents, the task among the prompts, what was said, and what this telemetry cannot show.

The span of an interaction has its end. Log events have none: a turn is over when the model was called, spoke, and asked
for nothing. A call that waits for somebody's approval looks the same, until it is decided about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from agent_otel.compaction.dialects.claude_code.actors import UNTOLD, Actor, took_ns
from agent_otel.compaction.dialects.claude_code.models import Told, in_turns, is_aside, source_of
from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.conversation import LONGEST_CLAIM, marked_decisions
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.turns import Turn, parted, turns_of
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


class _Part(NamedTuple):
    """A turn, and what of each kind happened in it."""

    turn: Turn
    calls: Sequence[Told]
    said: Sequence[Log]
    prompts: Sequence[Log]
    tools: Sequence[int]


def turn_facts(actor: Actor, calls: Sequence[Told]) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The turns of a session or a sub-agent, its task, its words, and its limits.

    Args:
        actor: the session, or the sub-agent.
        calls: its model calls, in order of time.
    """
    turns = _delegated(actor, calls) if actor.agent_id else _turns(actor, calls)
    if not turns:
        return
    speaks = any(True for _ in actor.told(names.CLAUDE_RESPONSE))
    for part in _parts(actor, turns, calls):
        end_ns = _end_of(actor, part, speaks=speaks)
        kind = _agent_type(actor, calls) if actor.agent_id else NAME
        yield _invoked(actor, part.turn, kind, end_ns), part.turn.item
        yield from _said(part, is_over=end_ns > 0)
        yield from _prompted(part)
    start = turns[0]
    for limit in sorted(_limits(actor)):
        yield fact.LimitNoticed(ref=start.item.ref, time_ns=start.begin_ns, limit=limit), start.item


def _parts(actor: Actor, turns: Sequence[Turn], calls: Sequence[Told]) -> Iterator[_Part]:
    tools = [log.time_ns for log in actor.told(names.CLAUDE_TOOL_DECISION, names.CLAUDE_TOOL_RESULT)]
    tools += (span.start_ns for span in actor.seen(names.CLAUDE_TOOL))
    in_each = (
        parted(turns, calls, lambda told: told[0].time_ns),
        parted(turns, actor.told(names.CLAUDE_RESPONSE), lambda log: log.time_ns),
        parted(turns, actor.told(names.CLAUDE_USER_PROMPT), lambda log: log.time_ns),
        parted(turns, tools, lambda time_ns: time_ns),
    )
    return (_Part(*own) for own in zip(turns, *in_each, strict=True))


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


def _end_of(actor: Actor, part: _Part, *, speaks: bool) -> int:
    """When a turn was over, and what was asked of the model aside; 0 where no end was seen."""
    span = part.turn.span
    end_ns = span.end_ns if span is not None else _answered_at(actor, part, speaks=speaks)
    return max([end_ns, *(told[0].end_ns for told in part.calls if is_aside(told))]) if end_ns else 0


def _answered_at(actor: Actor, part: _Part, *, speaks: bool) -> int:
    """When the agent had said its last word, 0 where it went on; ``speaks`` where its words are told at all."""
    if done := [log.time_ns for log in actor.told(names.CLAUDE_SUBAGENT_COMPLETED)]:
        return max(done)
    if not part.calls:
        return 0
    last, item = in_turns(part.calls)[-1]
    own = [log.time_ns for log in part.said if log.time_ns >= last.time_ns]
    asks = item.attributes.get(names.CLAUDE_STOP_REASON) == ASKS or any(at >= last.time_ns for at in part.tools)
    return 0 if last.failed or asks or (speaks and not own) else max([last.end_ns, *own])


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


def _prompted(part: _Part) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The task; what a sub-agent reports comes as a prompt, too, and is none."""
    span = part.turn.span
    told: list[tuple[Span | Log, str]] = [(log, text(log.attributes.get(names.OWN_PROMPT))) for log in part.prompts]
    if span is not None and not told:
        told = [(span, text(span.attributes.get(names.CLAUDE_PROMPT_ON_SPAN)))]
    for item, prompt in told:
        about: dict[str, Any] = {"ref": item.ref, "time_ns": part.turn.begin_ns}
        if prompt in UNTOLD:
            yield fact.LimitNoticed(**about, limit=limits.PROMPT_UNTOLD), item
        elif objective := messages.task([Message("user", (prompt,))]):
            yield fact.TaskStarted(**about, contract=Contract(objective=objective), stated=False, from_user=True), item


def _said(part: _Part, *, is_over: bool) -> Iterator[tuple[fact.AnyFact, Log]]:
    """Decisions in so many words, and the last words of a turn that is over."""
    said, main = part.said, in_turns(part.calls)
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
