"""What was said: in flattened messages on model calls, and in the inputs and outputs of agents and chains."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from agent_otel.compaction.dialects.openinference.flat import flat_messages
from agent_otel.compaction.reading.langchain import messages_of
from agent_otel.compaction.reading.messages import Message, ToolRequest
from agent_otel.compaction.reading.values import first, is_cut, loads, mapping, remains, text
from agent_otel.model import names
from agent_otel.model.item import Span

SCOPES: Final = "openinference.instrumentation."
TASKS: Final = ("task", "user_msg", "input", "query", "question", "prompt", "message")
"""Where the input of an agent or a chain has what the user said."""
ANSWERS: Final = ("output", "response", "answer", "result", "raw")
NO_LAST_WORDS: Final = frozenset([f"{SCOPES}agno", f"{SCOPES}llama_index"])
"""Whose agents' outputs are not their last words: agno joins all that was said, llama-index gives a repr cut short."""
_ANNOUNCED: Final = re.compile(r"New task:\s*")
"""What smolagents puts before the task."""
_CODE: Final = re.compile(r"<code>|```(?:py|python)\b")


def shown(span: Span, name: str) -> Any:
    """An attribute with content, None where it is absent or hidden."""
    value = first(span.attributes, name)
    return None if value == names.OI_REDACTED else value


class Talk:
    """The messages of a group.

    Args:
        calls: the model calls, in order of time.
    """

    def __init__(self, calls: Sequence[Span]) -> None:
        self._next = {span.ref: later for span, later in pairwise(calls)}
        self._outputs: dict[str, list[Message]] = {}

    def into(self, span: Span) -> list[Message]:
        """What a model, an agent or a chain was given."""
        told = flat_messages(span.attributes, names.OI_INPUT_MESSAGES)
        return [_without_announcement(message) for message in told] or list(_given(span))

    def out_of(self, span: Span) -> list[Message]:
        """What it answered; where a limit dropped that, what the next model call was told that it had answered."""
        found = self._outputs.get(span.ref)
        if found is None:
            found = list(map(_with_code, flat_messages(span.attributes, names.OI_OUTPUT_MESSAGES)))
            if not found and span.attributes.get(names.OI_KIND) != "LLM":
                found = messages_of(shown(span, names.OI_OUTPUT))
            if not found and span.dropped_attributes and (later := self._next.get(span.ref)):
                found = _last_turn(self.into(later))
            self._outputs[span.ref] = found
        return found

    def final(self, span: Span) -> str:
        """What an agent or a chain returned, where that is text."""
        returned = shown(span, names.OI_OUTPUT)
        if span.scope in NO_LAST_WORDS or is_cut(returned):
            return ""
        value = loads(returned)
        return text(first(value, *ANSWERS)) if isinstance(value, dict) else text(value)

    def is_cut(self, span: Span) -> bool:
        """True where attributes are missing, or end in the middle."""
        return bool(span.dropped_attributes) or any(
            is_cut(span.attributes.get(name)) for name in (names.OI_INPUT, names.OI_OUTPUT)
        )


def _given(span: Span) -> Iterator[Message]:
    """What stands in the input of an agent or a chain."""
    for task in _crew_tasks(span.attributes):
        yield Message("user", (task,))
    value = loads(shown(span, names.OI_INPUT))
    if is_cut(value):
        value = remains(value)
    elif isinstance(value, str) and value.strip():
        yield Message("user", (value,))
    yield from messages_of(value)
    while isinstance(value, dict):
        if said := text(first(value, *TASKS)):
            yield Message("user", (said,))
        value = first(value, "kwargs", "inputs")


def _crew_tasks(attributes: Mapping[str, Any]) -> Iterator[str]:
    tasks = loads(attributes.get(names.OI_CREW_TASKS))
    for task in tasks if isinstance(tasks, list) else ():
        if said := text(mapping(task).get("description")):
            yield said


def _without_announcement(message: Message) -> Message:
    return message._replace(
        texts=tuple(_ANNOUNCED.sub("", said, count=1) if _ANNOUNCED.match(said) else said for said in message.texts)
    )


def _with_code(message: Message) -> Message:
    """A message with the code in it as a request: smolagents' CodeAgent acts by code in its text."""
    if message.requests or not any(_CODE.search(said) for said in message.texts):
        return message
    return message._replace(requests=(ToolRequest("", "python_interpreter", None),))


def _last_turn(told: Sequence[Message]) -> list[Message]:
    """What the model said last in the history that it is given: before the results, after what came before it."""
    turn: list[Message] = []
    for message in reversed(told):
        if message.role == "assistant":
            turn.insert(0, message)
        elif turn:
            break
    return turn
