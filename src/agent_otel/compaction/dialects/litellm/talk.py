"""What was said in litellm's calls: on the span, in one log event of the conventions, or in one for each message."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.genai.talk import Talk, event_name
from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message, ToolRequest
from agent_otel.compaction.reading.values import text
from agent_otel.model import names
from agent_otel.model.item import Log, Span

_ASKED: Final = re.compile(re.escape(names.COMPLETIONS) + r"([0-9]{1,4})\.function_call\.name")


class LiteLLMTalk:
    """The messages of a group of litellm's items.

    Args:
        items: the items of the dialect, in their settled order.
    """

    def __init__(self, items: Sequence[Span | Log]) -> None:
        self._talk = Talk(items)
        self._prompts: dict[str, list[Message]] = defaultdict(list)
        self._answers: dict[str, list[Message]] = defaultdict(list)
        for item in items:
            if isinstance(item, Log) and isinstance(item.body, dict):
                if event_name(item) == names.LITELLM_PROMPT:
                    self._prompts[item.ref] += messages.parse([item.body])
                elif event_name(item) == names.LITELLM_COMPLETION:
                    self._answers[item.ref] += messages.parse([item.body.get("message")])

    def into(self, span: Span) -> list[Message]:
        """The history that the model was given."""
        return self._talk.into(span) or self._prompts.get(span.ref, [])

    def out_of(self, span: Span) -> list[Message]:
        """The answer; the tool calls in it stand beside it, without their ids."""
        told = self._talk.out_of(span) or self._answers.get(span.ref, [])
        asked = _asked(span.attributes)
        if not asked or any(message.requests for message in told):
            return told
        return [*told[:-1], (told[-1] if told else Message("assistant"))._replace(requests=asked)]

    def final(self, span: Span) -> str:
        """Nothing: there are no agents."""
        return self._talk.final(span)

    def is_cut(self, span: Span) -> bool:
        """True where an attribute limit went through the messages."""
        return self._talk.is_cut(span)


def _asked(attributes: Mapping[str, Any]) -> tuple[ToolRequest, ...]:
    numbers = sorted(int(match[1]) for key in attributes if (match := _ASKED.fullmatch(key)))
    parts = ((attributes, f"{names.COMPLETIONS}{number}.function_call") for number in numbers)
    return tuple(ToolRequest("", text(given[f"{key}.name"]), given.get(f"{key}.arguments")) for given, key in parts)
