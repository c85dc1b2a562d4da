"""Messages between agent and model, whatever shape they come in.

Shapes: the conventions' ``{"role", "parts": [{"type", …}]}``, as JSON text or as structured values; OpenAI's
``content`` and ``tool_calls``; Bedrock's blocks ``{"text"}``, ``{"toolUse"}``, ``{"toolResult"}``; the AI SDK's parts
``{"type": "tool-call", "toolCallId", "toolName"}``; Google's ``{"functionCall"}`` and ``{"functionResponse"}``; and the
events of the old conventions (``gen_ai.user.message`` …) with one message each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from agent_otel.compaction.reading.values import first, loads, text
from agent_otel.model import names

_CONTEXT_BLOCK: Final = re.compile(r"\s*<([A-Za-z][\w-]*)(?: [^<>]*)?>.*?</\1>\s*", re.DOTALL)


class ToolRequest(NamedTuple):
    """A tool call the model asked for."""

    call_id: str
    name: str
    arguments: Any


class Message(NamedTuple):
    """One message: who spoke, the texts, the tool calls asked for, and the results given by call id."""

    role: str
    texts: tuple[str, ...] = ()
    requests: tuple[ToolRequest, ...] = ()
    results: tuple[tuple[str, Any], ...] = ()


ROLES: Final[Mapping[str, str]] = {
    names.SYSTEM_MESSAGE: "system",
    names.USER_MESSAGE: "user",
    names.ASSISTANT_MESSAGE: "assistant",
    names.TOOL_MESSAGE: "tool",
    names.CHOICE: "assistant",
}
"""Events of the old conventions, and who speaks in them."""


def parse(value: object, role: str = "") -> list[Message]:
    """The messages an attribute or event field holds; none where it holds something else.

    Args:
        value: JSON text, or the structure itself.
        role: who speaks where a message does not say.
    """
    found = loads(value)
    if isinstance(found, str):
        return [Message(role, (found,))] if found.strip() and role else []
    if isinstance(found, dict):
        return [_message(found, role)]
    if not isinstance(found, list | tuple):
        return []
    if any(isinstance(entry, dict) and "role" in entry for entry in found):
        return [_message(entry, role) for entry in found if isinstance(entry, dict)]
    return [_of_parts(role, found)] if role else []


def of_event(name: str, fields: Mapping[str, Any]) -> list[Message]:
    """The message an event of the old conventions carries."""
    role = ROLES[name]
    if name == names.TOOL_MESSAGE:
        return [Message(role, results=((text(fields.get("id")), fields.get("content")),))]
    inner = first(fields, "message", "content") if name == names.CHOICE else fields
    if isinstance(inner, str):
        return parse(inner, role)
    return [_message(inner, role)] if isinstance(inner, dict) else []


def task(messages: list[Message]) -> str:
    """The first thing the user said, without the blocks of context a harness puts before it (``<date>…</date>``)."""
    for message in messages:
        if message.role == "user":
            said = "\n".join(filter(None, (_without_context(part) for part in message.texts)))
            if said:
                return said
    return ""


def _without_context(said: str) -> str:
    while match := _CONTEXT_BLOCK.match(said):
        said = said[match.end() :]
    return said.strip()


def _message(entry: Mapping[str, Any], role: str) -> Message:
    role = text(entry.get("role")) or role
    raw = first(entry, "parts", "content", "contents")
    parts = loads(raw)
    if isinstance(parts, dict) and isinstance(
        parts.get("parts"), list | tuple
    ):  # a Content of Gemini in an event's body
        parts = parts["parts"]
    if role == "tool" and ("tool_call_id" in entry or isinstance(entry.get("content"), str)):
        return Message(role, results=((text(entry.get("tool_call_id")), parts),))
    spoken = _of_parts(role, parts if isinstance(parts, list | tuple) else [parts])
    if isinstance(raw, str) and isinstance(parts, dict) and spoken == Message(role):
        spoken = Message(role, (raw,))  # words that happen to be JSON
    asked = entry.get("tool_calls")
    requests = [_request(call) for call in asked if isinstance(call, dict)] if isinstance(asked, list | tuple) else []
    return spoken._replace(requests=(*spoken.requests, *requests))


def _of_parts(role: str, parts: list[Any] | tuple[Any, ...]) -> Message:
    texts: list[str] = []
    requests: list[ToolRequest] = []
    results: list[tuple[str, Any]] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            texts += _texts(part)
            requests += _requests(part)
            results += _results(part)
    return Message(role, tuple(said for said in texts if said.strip()), tuple(requests), tuple(results))


def _texts(part: Mapping[str, Any]) -> Iterator[str]:
    if part.get("type", "text") in ("text", "input_text", "output_text") and part.get("thought") is not True:
        yield text(part.get("content")) or text(part.get("text"))


def _requests(part: Mapping[str, Any]) -> Iterator[ToolRequest]:
    if part.get("type") in ("tool_call", "tool_use", "function_call", "tool-call"):
        yield _request(part)
    if isinstance(called := first(part, "functionCall", "function_call"), dict):
        yield _request(called)
    if isinstance(used := part.get("toolUse"), dict):
        yield ToolRequest(text(used.get("toolUseId")), text(used.get("name")), used.get("input"))


def _request(call: Mapping[str, Any]) -> ToolRequest:
    inner = call.get("function")
    asked = inner if isinstance(inner, dict) else call
    name, arguments = first(asked, "name", "toolName"), first(asked, "arguments", "input", "args")
    return ToolRequest(text(first(call, "id", "toolCallId")), text(name), arguments)


def _results(part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if part.get("type") in ("tool_call_response", "tool_result", "tool-result"):
        yield (
            text(first(part, "id", "tool_use_id", "toolCallId")),
            first(part, "response", "result", "content", "output"),
        )
    if isinstance(back := first(part, "functionResponse", "function_response"), dict):
        yield text(back.get("id")), back.get("response")
    if isinstance(given := part.get("toolResult"), dict):
        yield text(given.get("toolUseId")), given.get("content")
