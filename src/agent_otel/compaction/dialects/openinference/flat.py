"""Messages that are spread over attributes: ``llm.input_messages.0.message.tool_calls.1.tool_call.function.name``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from agent_otel.compaction.reading.messages import Message, ToolRequest
from agent_otel.compaction.reading.values import text
from agent_otel.model import names

_KEY: Final = re.compile(r"([0-9]{1,6})\.message\.(\w+)(?:\.([0-9]{1,6})\.(?:message_content|tool_call)\.([\w.]+))?")

Parts = Mapping[int, Mapping[str, Any]]


def flat_messages(attributes: Mapping[str, Any], prefix: str) -> list[Message]:
    """The messages under a prefix, in order."""
    fields: dict[int, dict[str, Any]] = defaultdict(dict)
    parts: dict[int, dict[str, dict[int, dict[str, Any]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    for key, value in attributes.items():
        if not key.startswith(prefix) or (match := _KEY.fullmatch(key, len(prefix))) is None:
            continue
        number, field = int(match[1]), match[2]
        if match[3]:
            parts[number][field][int(match[3])][match[4]] = value
        else:
            fields[number][field] = value
    numbers = sorted({*fields, *parts})
    return [_message(fields[number], parts[number]) for number in numbers]


def _message(fields: Mapping[str, Any], parts: Mapping[str, Parts]) -> Message:
    role = text(fields.get("role"))
    said = [text(part.get("text")) for _, part in sorted(parts.get("contents", {}).items())]
    if not any(said):
        said = [text(fields.get("content"))]
    texts = tuple(words for words in said if words.strip() and words != names.OI_REDACTED)
    if role == "tool" and "tool_call_id" in fields:
        return Message(role, results=((text(fields["tool_call_id"]), "\n".join(texts)),))
    asked = [_request(call) for _, call in sorted(parts.get("tool_calls", {}).items())]
    if called := text(fields.get("function_call_name")):
        asked.append(ToolRequest("", called, fields.get("function_call_arguments_json")))
    return Message(role, texts, tuple(asked))


def _request(call: Mapping[str, Any]) -> ToolRequest:
    given = call.get("function.arguments")
    shown = None if given == names.OI_REDACTED else given
    return ToolRequest(text(call.get("id")), text(call.get("function.name")), shown)
