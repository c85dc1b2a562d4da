"""The conversation around the spans: what went into and came out of each model call, wherever it was written down.

On the span, in events of the span, or in log records that point to the span; telemetry often says it in two of these
places, so the first that has something is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from agent_otel.compaction.dialects.genai import adk
from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.values import first, is_cut, text
from agent_otel.model import names
from agent_otel.model.item import Log, Span

HISTORY: Final = (names.SYSTEM_MESSAGE, names.USER_MESSAGE, names.ASSISTANT_MESSAGE, names.TOOL_MESSAGE)
"""Events of the old conventions with what a model was given."""


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
        """What the model was given; of an agent, what its framework keeps of the whole conversation."""
        told = self._told(span, names.INPUT_MESSAGES, HISTORY)
        return told or messages.parse(span.attributes.get(names.PYDANTIC_MESSAGES)) or adk.given(span)

    def out_of(self, span: Span) -> list[Message]:
        """What the model answered."""
        ref = span.ref
        found = self._outputs.get(ref)
        if found is None:
            found = self._told(span, names.OUTPUT_MESSAGES, (names.CHOICE,)) or adk.answered(span)
            self._outputs[ref] = found
        return found

    def notes(self, span: Span) -> Iterator[Note]:
        """The events of a span, then the log records that point to it."""
        for event in span.events:
            yield Note(event.name, event.attributes)
        yield from self._notes.get(span.ref, ())

    def final(self, span: Span) -> str:
        """What an agent returned, where its span says so."""
        return text(span.attributes.get(names.PYDANTIC_RESULT))

    def is_cut(self, span: Span) -> bool:
        """True where an attribute limit went through the messages."""
        return is_cut(span.attributes.get(names.INPUT_MESSAGES)) or is_cut(span.attributes.get(names.OUTPUT_MESSAGES))

    def _told(self, span: Span, attribute: str, old: tuple[str, ...]) -> list[Message]:
        if told := messages.parse(span.attributes.get(attribute)):
            return told
        notes = list(self.notes(span))
        for note in notes:
            if note.name == names.INFERENCE_DETAILS and (told := messages.parse(note.fields.get(attribute))):
                return told
        return [message for note in notes if note.name in old for message in messages.of_event(note.name, note.fields)]
