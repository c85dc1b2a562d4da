"""What sub-agents were asked to do: the input of the call that started each.

Spans nest a sub-agent in its call, and its report names both. In log events alone, the only sub-agent of a session was
started by its only call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agent_otel.compaction.dialects.claude_code.actors import Actor
from agent_otel.compaction.dialects.claude_code.calls import Made
from agent_otel.compaction.reading.values import mapping, text
from agent_otel.model import fact, names
from agent_otel.model.contract import Contract
from agent_otel.model.item import Log, Span

TOOLS: Final = frozenset(["Agent", "Task"])
"""The tools that start sub-agents, now and in earlier versions."""
_REPORT: Final = re.compile(r"<task-id>([^<]+)</task-id>\s*<tool-use-id>([^<]+)</tool-use-id>")


def delegated(actors: Sequence[Actor], calls: Mapping[str, Made]) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The tasks of the sub-agents of a session; none where its own is not told, since they would stand for it.

    Args:
        actors: the session and its sub-agents.
        calls: their calls of tools.
    """
    starts = {call_id: made for call_id, made in calls.items() if made.name in TOOLS}
    inside = {made.execution.ref: made for made in starts.values() if made.execution is not None}
    reported = dict(_reports(actors))
    is_told = any(True for actor in actors for _ in actor.prompts)
    subs = [actor for actor in actors if actor.agent_id and is_told]
    for actor in subs:
        items: list[Span | Log] = [*_spans(actor), *(log for logs in actor.logs.values() for log in logs)]
        around = (f"{span.trace_id}/{span.parent_id}" for span in _spans(actor))
        found = next((inside[ref] for ref in around if ref in inside), None)
        found = found or starts.get(reported.get(actor.agent_id, ""))
        if found is None and len(starts) == len(subs) == 1:
            found = next(iter(starts.values()))
        prompt = text(mapping(found.arguments).get("prompt")).strip() if found else ""
        if prompt:
            first = min(items, key=lambda item: (_time_of(item), item.ref))
            contract = Contract(objective=prompt)
            yield fact.TaskStarted(ref=first.ref, time_ns=_time_of(first), contract=contract, stated=False), first


def _spans(actor: Actor) -> Sequence[Span]:
    return [span for spans in actor.spans.values() for span in spans]


def _time_of(item: Span | Log) -> int:
    return item.start_ns if isinstance(item, Span) else item.time_ns


def _reports(actors: Sequence[Actor]) -> Iterator[tuple[str, str]]:
    for actor in actors:
        for log in actor.told(names.CLAUDE_USER_PROMPT):
            for match in _REPORT.finditer(text(log.attributes.get(names.OWN_PROMPT))):
                yield match[1], match[2]
