"""What was said in the model calls, in the attributes of the AI SDK."""

from __future__ import annotations

from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.values import first, is_cut, loads, mapping, text
from agent_otel.model import names
from agent_otel.model.item import Span


class Talk:
    """The messages of the AI SDK's spans."""

    def into(self, span: Span) -> list[Message]:
        """What the model was given; the command line puts quotes around a prompt of several words."""
        told = span.attributes.get(names.AI_PROMPT_MESSAGES)
        found = messages.parse(told or mapping(span.attributes.get(names.AI_PROMPT)).get("messages"))
        return [
            each._replace(texts=tuple(map(_unquoted, each.texts))) if each.role == "user" else each for each in found
        ]

    def out_of(self, span: Span) -> list[Message]:
        """What it answered."""
        said = text(span.attributes.get(names.AI_RESPONSE_TEXT))
        asked = loads(span.attributes.get(names.AI_RESPONSE_TOOL_CALLS))
        parts = [*([said] if said else []), *(asked if isinstance(asked, list) else [])]
        return messages.parse(parts, "assistant") if parts else []

    def final(self, span: Span) -> str:  # noqa: ARG002 - the protocol's
        """Nothing: there are no agent spans."""
        return ""

    def is_cut(self, span: Span) -> bool:
        """True where an attribute limit went through the prompt, or the calls that were asked for."""
        asked = first(span.attributes, names.AI_PROMPT_MESSAGES, names.AI_PROMPT)
        return is_cut(asked) or is_cut(span.attributes.get(names.AI_RESPONSE_TOOL_CALLS))


def _unquoted(said: str) -> str:
    return said[1:-1] if len(said) > 1 and said[0] == said[-1] == '"' and '"' not in said[1:-1] else said
