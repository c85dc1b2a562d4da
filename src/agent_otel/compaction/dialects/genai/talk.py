"""The conversation around the spans: what went into and came out of each model call, wherever it was written down.

On the span, in events of the span, or in log records that point to the span; telemetry often says it in two of these
places, so the first that has something is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agent_otel.compaction.dialects.genai import messages
from agent_otel.compaction.dialects.genai.messages import Message
from agent_otel.compaction.dialects.values import first, text
from agent_otel.model import names
from agent_otel.model.item import Log, Span

PATIENCE = 8
"""After so many inputs without news no more are read: they grow with every call, and repeat each other."""


class Note(NamedTuple):
    """An event with content: of a span, or a log record."""

    name: str
    fields: Mapping[str, Any]


def event_name(log: Log) -> str:
    """The name of a log record's event, in any of the places senders put it."""
    return log.event_name or text(first(log.attributes, *names.EVENT_NAME_ATTRIBUTES))


class Talk:
    """The messages of a group.

    Args:
        items: the items of the dialect, in their settled order.
    """

    def __init__(self, items: Sequence[Span | Log]) -> None:
        self._notes: dict[str, list[Note]] = defaultdict(list)
        for item in items:
            if isinstance(item, Log):
                body = item.body if isinstance(item.body, dict) else {}
                self._notes[item.ref].append(Note(event_name(item), {**item.attributes, **body}))
        self._outputs: dict[str, list[Message]] = {}

    def into(self, span: Span) -> list[Message]:
        """What the model was given."""
        return self._told(span, names.INPUT_MESSAGES, (names.SYSTEM_MESSAGE, names.USER_MESSAGE, names.TOOL_MESSAGE))

    def out_of(self, span: Span) -> list[Message]:
        """What the model answered."""
        ref = span.ref
        found = self._outputs.get(ref)
        if found is None:
            found = self._outputs[ref] = self._told(span, names.OUTPUT_MESSAGES, (names.CHOICE,))
        return found

    def notes(self, span: Span) -> Iterator[Note]:
        """The events of a span, then the log records that point to it."""
        for event in span.events:
            yield Note(event.name, event.attributes)
        yield from self._notes.get(span.ref, ())

    def requested(self, calls: Iterable[Span], wanted: set[str]) -> dict[str, Any]:
        """The arguments of the wanted call ids, as the model calls asked for them."""
        found: dict[str, Any] = {}
        for span in calls if wanted else ():
            for message in self.out_of(span):
                found |= {asked.call_id: asked.arguments for asked in message.requests if asked.call_id in wanted}
        return found

    def returned(self, calls: Sequence[Span], wanted: set[str]) -> dict[str, Any]:
        """The results of the wanted call ids, as later model calls were given them; the last call knows the most."""
        found: dict[str, Any] = {}
        fruitless = 0
        for span in reversed(calls):
            if wanted <= found.keys() or fruitless == PATIENCE:
                break
            known = len(found)
            for message in self.into(span):
                for call_id, result in message.results:
                    if call_id in wanted:
                        found.setdefault(call_id, result)
            fruitless = 0 if len(found) > known else fruitless + 1
        return found

    def _told(self, span: Span, attribute: str, old: tuple[str, ...]) -> list[Message]:
        if told := messages.parse(span.attributes.get(attribute)):
            return told
        notes = list(self.notes(span))
        for note in notes:
            if note.name == names.INFERENCE_DETAILS and (told := messages.parse(note.fields.get(attribute))):
                return told
        return [message for note in notes if note.name in old for message in messages.of_event(note.name, note.fields)]
