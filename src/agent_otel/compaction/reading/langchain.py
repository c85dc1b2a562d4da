"""Messages as LangChain writes them: serialised constructors, ``{"type", "data"}``, and pairs of role and text.

Seen in the states that instrumentations of langchain-core 0.3 and 1.x record as input and output of graphs and chains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message, ToolRequest
from agent_otel.compaction.reading.values import first, loads, text

ROLES: Final[Mapping[str, str]] = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
"""The types of LangChain's messages that are no roles elsewhere."""
STATES: Final = ("inputs", "outputs", "messages", "update")
"""Where the messages of a state are, from the outside in."""
PAIR: Final = 2


def messages_of(value: object) -> list[Message]:
    """The messages of a state, none where it is something else."""
    found = loads(value)
    for _ in range(len(STATES)):
        if not isinstance(found, dict) or (inner := first(found, *STATES)) is None:
            break
        found = loads(inner)
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list) and not _is_pair(found[0]):
        found = found[0]
    return list(_messages(found)) if isinstance(found, list) else []


def _messages(entries: list[Any]) -> Iterator[Message]:
    for entry in entries:
        if isinstance(entry, list) and _is_pair(entry):
            yield Message(ROLES.get(entry[0], entry[0]), (entry[1],))
        elif isinstance(entry, dict):
            yield from _message(entry)


def _is_pair(entry: list[Any]) -> bool:
    return len(entry) == PAIR and all(isinstance(part, str) for part in entry)


def _message(entry: Mapping[str, Any]) -> Iterator[Message]:
    inner = first(entry, "data", "kwargs")
    fields = inner if isinstance(inner, dict) else entry
    kind = text(first(entry, "role", "type") if fields is entry else first(fields, "type", "role") or entry.get("type"))
    role = ROLES.get(kind, kind)
    for message in messages.parse([{**fields, "role": role}]):
        asked = fields.get("tool_calls")
        # LangChain has "args" where others have "arguments".
        calls = [call for call in asked if isinstance(call, dict) and "args" in call] if isinstance(asked, list) else []
        requests = tuple(ToolRequest(text(call.get("id")), text(call.get("name")), call["args"]) for call in calls)
        yield message._replace(requests=requests) if requests else message
