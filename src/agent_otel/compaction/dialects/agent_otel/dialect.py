"""The dialect: which items are ours, and all they state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent_otel.compaction.dialects.agent_otel.events import events_of
from agent_otel.compaction.dialects.agent_otel.spans import span_facts
from agent_otel.compaction.dialects.agent_otel.statements import event_facts
from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.reading.values import text
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Log, Span


class AgentOtel:
    """Reads what ``agent_otel`` itself emits: its spans, and its events wherever they happened."""

    name = "agent_otel"
    about = "runs, tools, commands, edits and statements recorded with this SDK: spans and their events"
    scopes = (names.SCOPE,)

    def claims(self, item: Span | Log) -> bool:
        """Everything of our instrumentation scope."""
        return item.scope == names.SCOPE

    def place(self, item: Span | Log) -> Place | None:  # noqa: ARG002 - the protocol's
        """None: runs of ours are named by an attribute that every dialect respects."""
        return None

    def backdrop(self, item: Span | Log) -> bool:  # noqa: ARG002 - the protocol's
        """Nothing: what we emit is always of a run."""
        return False

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of our spans, and of our events on any span: they happen on whichever span is current."""
        foreign = [span for span in forest.spans.values() if span.events and not self.claims(span)]
        events = events_of(items, foreign)
        told = {text(event.attributes.get(names.COMMAND_ID)) for event in events if event.name == names.COMMAND_RUN}
        for item in items:
            if isinstance(item, Span):
                for fact in span_facts(item, told):
                    yield Sighting(fact, item, self.name)
        for event in events:
            for fact in event_facts(event):
                yield Sighting(fact, event.item, self.name)
