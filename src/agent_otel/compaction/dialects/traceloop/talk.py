"""What was said: in numbered attributes on model calls, and in the inputs and outputs of workflows and agents."""

from __future__ import annotations

from typing import Any, Final

from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.indexed import indexed_messages
from agent_otel.compaction.reading.langchain import messages_of
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.values import is_cut, loads, text
from agent_otel.model import names
from agent_otel.model.item import Span

CONTENT: Final = (names.TRACELOOP_INPUT, names.TRACELOOP_OUTPUT)


class Talk:
    """The messages of a group."""

    def into(self, span: Span) -> list[Message]:
        """What a model, a workflow or an agent was given."""
        told = messages.parse(span.attributes.get(names.INPUT_MESSAGES))
        told = told or indexed_messages(span.attributes, names.PROMPTS, "user")
        return told or _given(loads(span.attributes.get(names.TRACELOOP_INPUT)))

    def out_of(self, span: Span) -> list[Message]:
        """What it answered."""
        told = messages.parse(span.attributes.get(names.OUTPUT_MESSAGES))
        told = told or indexed_messages(span.attributes, names.COMPLETIONS, "assistant")
        return told or messages_of(span.attributes.get(names.TRACELOOP_OUTPUT))

    def final(self, span: Span) -> str:
        """What a workflow or an agent returned, where that is text."""
        returned = span.attributes.get(names.TRACELOOP_OUTPUT)
        return "" if is_cut(returned) else text(loads(returned)).strip()

    def is_cut(self, span: Span) -> bool:
        """True where an attribute limit dropped or cut something."""
        return bool(span.dropped_attributes) or any(is_cut(span.attributes.get(name)) for name in CONTENT)


def _given(value: Any) -> list[Message]:
    """The messages of a state, else the first text that a decorated function was called with."""
    if not isinstance(value, dict):
        return []
    if told := messages_of(value):
        return told
    args, kwargs = value.get("args"), value.get("kwargs")
    passed = [*(args if isinstance(args, list) else ()), *(kwargs.values() if isinstance(kwargs, dict) else ())]
    return [Message("user", (said,)) for said in passed if isinstance(said, str) and said.strip()][:1]
