"""The calls of tools: a decision, a result, and three spans for each, joined by the id of the call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from agent_otel.compaction.dialects.claude_code.actors import Actor
from agent_otel.compaction.reading.values import first, mapping, text
from agent_otel.model import names
from agent_otel.model.item import Log, Span

REJECT: Final = "reject"


class Made(msgspec.Struct, gc=False):
    """What was told of a call."""

    decision: Log | None = None
    result: Log | None = None
    span: Span | None = None
    execution: Span | None = None
    blocked: Span | None = None

    @property
    def items(self) -> list[Span | Log]:
        """What tells of it, the best first."""
        told = (self.span, self.result, self.execution, self.decision, self.blocked)
        return [item for item in told if item is not None]

    def first(self, *keys: str) -> Any:
        """The value of the first key that any of them has."""
        found = (first(item.attributes, *keys) for item in self.items)
        return next((value for value in found if value is not None), None)

    def every(self, *keys: str) -> list[Any]:
        """All values of some keys."""
        return [item.attributes[key] for item in self.items for key in keys if key in item.attributes]

    @property
    def is_rejected(self) -> bool:
        """True where somebody or something decided against it."""
        return REJECT in self.every(names.OWN_DECISION, names.CLAUDE_DECISION_TYPE)

    @property
    def name(self) -> str:
        """The tool."""
        return text(self.first(names.OWN_TOOL_NAME, names.TOOL_NAME))

    @property
    def arguments(self) -> Any:
        """Its input; without it, the parts that Claude Code tells apart from it, None where there are none."""
        if (given := self.first(names.CLAUDE_TOOL_INPUT)) is not None:
            return given
        parameters = mapping(self.first(names.CLAUDE_TOOL_PARAMETERS))
        line = text(first(parameters, names.CLAUDE_FULL_COMMAND)) or text(self.first(names.CLAUDE_FULL_COMMAND))
        if line:
            return {**parameters, "command": line}
        path = text(self.first(names.CLAUDE_FILE_PATH))
        return {names.CLAUDE_FILE_PATH: path} if path else parameters or None

    def produced(self, key: str) -> Any:
        """What the event of its span with its output has under a key."""
        events = self.span.events if self.span else ()
        found = (event.attributes.get(key) for event in events if event.name == names.CLAUDE_OUTPUT_EVENT)
        return next((value for value in found if value is not None), None)


def joined(actors: Sequence[Actor]) -> Mapping[str, Made]:
    """The calls of a session and its sub-agents, by their ids: not all items of a sub-agent's calls name it."""
    calls: dict[str, Made] = defaultdict(Made)
    by_ref: dict[str, Made] = {}
    for span in _spans(actors, names.CLAUDE_TOOL):
        made = by_ref[span.ref] = calls[_call_id(span) or span.ref]
        made.span = span
    for span in _spans(actors, names.CLAUDE_EXECUTION):
        around = by_ref.get(f"{span.trace_id}/{span.parent_id}")
        (around or calls[_call_id(span) or span.ref]).execution = span
    for span in _spans(actors, names.CLAUDE_BLOCKED):
        if around := by_ref.get(f"{span.trace_id}/{span.parent_id}"):
            around.blocked = span
    for log in _logs(actors, names.CLAUDE_TOOL_RESULT):
        calls[_call_id(log) or log.key].result = log
    for log in _logs(actors, names.CLAUDE_TOOL_DECISION):
        # Versions without ids tell of a call that ran by its result as well.
        if (call_id := _call_id(log)) or log.attributes.get(names.OWN_DECISION) == REJECT:
            calls[call_id or log.key].decision = log
    return calls


def _spans(actors: Sequence[Actor], kind: str) -> Iterator[Span]:
    return (span for actor in actors for span in actor.seen(kind))


def _logs(actors: Sequence[Actor], kind: str) -> Iterator[Log]:
    return (log for actor in actors for log in actor.told(kind))


def _call_id(item: Span | Log) -> str:
    return text(first(item.attributes, names.CLAUDE_TOOL_USE_ID, names.TOOL_CALL_ID))
