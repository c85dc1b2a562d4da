"""What was said: OpenAI's messages on the model calls, whichever attributes they are in."""

from __future__ import annotations

from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.indexed import indexed_messages
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.values import is_cut
from agent_otel.model import names
from agent_otel.model.item import Span


class Talk:
    """The messages of a group."""

    def into(self, span: Span) -> list[Message]:
        """What a model call was given."""
        told = messages.parse(span.attributes.get(names.INPUT_MESSAGES))
        return told or indexed_messages(span.attributes, names.PROMPTS, "user")

    def out_of(self, span: Span) -> list[Message]:
        """What it answered."""
        told = messages.parse(span.attributes.get(names.OUTPUT_MESSAGES))
        return told or indexed_messages(span.attributes, names.COMPLETIONS, "assistant")

    def final(self, span: Span) -> str:  # noqa: ARG002 - the protocol's
        """Nothing: the last words are those of a call, or of the model."""
        return ""

    def is_cut(self, span: Span) -> bool:
        """True where an attribute limit went through the messages."""
        return is_cut(span.attributes.get(names.INPUT_MESSAGES)) or is_cut(span.attributes.get(names.OUTPUT_MESSAGES))
