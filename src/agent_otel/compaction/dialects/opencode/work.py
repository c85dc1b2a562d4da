"""What spans do, and the few of a group that show an agent at work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from agent_otel.compaction.dialects.opencode.logged import note
from agent_otel.compaction.reading.values import text
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Log, Span

MODELS: Final = frozenset(
    ["ai.streamText.doStream", "ai.generateText.doGenerate", "ai.streamObject.doStream", "ai.generateObject.doGenerate"]
)
AROUND_MODELS: Final = frozenset(["ai.streamText", "ai.generateText", "ai.streamObject", "ai.generateObject"])
TOOL: Final = "ai.toolCall"
EXECUTED: Final = "Tool.execute"
RUN_MODEL: Final = "LLM.run"
OPERATIONS: Final = frozenset([*MODELS, *AROUND_MODELS, TOOL, EXECUTED, RUN_MODEL])


def operation(span: Span) -> str:
    """What a span does: the AI SDK's word for it, or its name, as opencode's own spans have no attributes."""
    return text(span.attributes.get(names.AI_OPERATION)) or span.name


def session_of(item: Span | Log) -> str:
    """The session an item names, "" where it names none."""
    return note(item).session if isinstance(item, Log) else text(item.attributes.get(names.SESSION_ID))


def start_of(item: Span | Log) -> tuple[int, str]:
    """When an item began, in an order that two never share."""
    return (item.time_ns, item.key) if isinstance(item, Log) else (item.start_ns, item.ref)


class Work:
    """The items of a group, by what they do.

    Attributes:
        logs: the log records.
        calls: the calls to models: the innermost span of each, in order of time.
        runs: spans around calls of which nothing else arrived; all there is where the AI SDK's telemetry is off.
        tools: tool calls as the AI SDK tells them, in order of time.
        executed: tool calls as opencode does.
    """

    def __init__(self, items: Sequence[Span | Log], forest: Forest) -> None:
        self._doing: dict[str, list[Span]] = defaultdict(list)
        for item in items:
            if isinstance(item, Span) and (what := operation(item)) in OPERATIONS:
                self._doing[what].append(item)
        inner, outer = [*self._all(*MODELS)], [*self._all(*AROUND_MODELS)]
        inside = {forest.parent(span.ref) for span in inner}
        told = {forest.parent(span.ref) for span in outer}
        self.logs: Sequence[Log] = sorted((item for item in items if isinstance(item, Log)), key=start_of)
        self.calls: Sequence[Span] = sorted([*inner, *(each for each in outer if each.ref not in inside)], key=start_of)
        self.runs: Sequence[Span] = [span for span in self._all(RUN_MODEL) if span.ref not in told]
        self.tools: Sequence[Span] = sorted(self._all(TOOL), key=start_of)
        self.executed: Sequence[Span] = sorted(self._all(EXECUTED), key=start_of)

    def _all(self, *operations: str) -> Iterator[Span]:
        for what in operations:
            yield from self._doing[what]
