"""Links of telemetry that names no session at all, each model call or tool call being a trace of its own.

Only where nothing is around a call and it names no session. Calls of a model that begin alike, in one process, are
grouped: they may be of one conversation, and which go on with which is told by their histories, when they are folded.
Looked for in the scopes of the table alone, so that it costs nothing to anybody else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.model import names

Begins = Callable[[Any, str], tuple[str, ...]]
"""The links of a message, given the process that sent it ("" where its resource does not say)."""

SEARCHED: Final = 4
"""So many messages may come before the first of the user."""
TELLING: Final = 32
"""So long is a user's message that joins calls by itself: there is no telling that it was the first."""

_FLAT: Final = re.compile(re.escape(names.OI_INPUT_MESSAGES) + rf"[0-{SEARCHED - 1}]\.")
_DECODER: Final = json.JSONDecoder()
_BETWEEN: Final = re.compile(r"[\s,]*")


def _of_mcp_client(span: Any, process: str) -> tuple[str, ...]:
    """One client's calls belong together; those of a server do not: it serves many."""
    alone = process and not span.parent_span_id and span.kind == Span.SPAN_KIND_CLIENT
    return (f"mcp-client:{process}",) if alone else ()


def _of_messages(span: Any, process: str) -> tuple[str, ...]:
    """The beginning of the history in an attribute: what is said up to the first words of the user."""
    if span.parent_span_id:
        return ()
    given = next((entry.value for entry in span.attributes if entry.key == names.INPUT_MESSAGES), None)
    return _named(process, _opening(given.string_value)) if given is not None else ()


def _of_flat_messages(span: Any, process: str) -> tuple[str, ...]:
    """The same in the flattened attributes of OpenInference."""
    if span.parent_span_id:
        return ()
    given = {entry.key: entry.value.string_value for entry in span.attributes if _FLAT.match(entry.key)}
    said: list[str] = []
    for number in range(SEARCHED):
        said += (value for key, value in sorted(given.items()) if key.startswith(f"{names.OI_INPUT_MESSAGES}{number}."))
        if given.get(f"{names.OI_INPUT_MESSAGES}{number}.message.role") == "user":
            return _named(process, "\0".join(said))
    return ()


def _of_log(record: Any, process: str) -> tuple[str, ...]:
    """A user's message in a record of its own, long enough not to be said in every conversation; or a whole history."""
    given = {entry.key: entry.value.string_value for entry in record.attributes}
    if names.INPUT_MESSAGES in given:
        return _named(process, _opening(given[names.INPUT_MESSAGES]))
    body = {entry.key: entry.value.string_value for entry in record.body.kvlist_value.values}
    stated = record.event_name or next((given[name] for name in names.EVENT_NAME_ATTRIBUTES if name in given), "")
    is_user = stated == names.USER_MESSAGE or (stated == names.LITELLM_PROMPT and body.get("role") == "user")
    said = body.get("content", "")
    return _named(process, said) if is_user and len(said) >= TELLING else ()


def _opening(history: str) -> str:
    """The beginning of a JSON text with messages; of one that is no JSON, as after a limit, all of it."""
    position = history.find("[") + 1
    for _ in range(SEARCHED):
        try:
            message, end = _DECODER.raw_decode(history, position)
        except (ValueError, RecursionError):
            break
        if isinstance(message, dict) and message.get("role") == "user":
            return history[:end]
        position = end + len(_BETWEEN.match(history, end)[0])  # type: ignore[index]  # it matches nothing, too
    return history


def _named(process: str, opening: str) -> tuple[str, ...]:
    if not opening:
        return ()
    digest = hashlib.sha256(f"{process}\0{opening}".encode("utf-8", "replace")).hexdigest()
    return (f"conversation:{digest[:32]}",)


BEGINNINGS: Final[Mapping[tuple[str, str], Begins]] = {
    ("span", names.MCP_SDK_SCOPE): _of_mcp_client,
    ("span", names.FASTMCP_SCOPE): _of_mcp_client,
    ("span", names.LITELLM_SCOPE): _of_messages,
    ("span", names.OPENAI_SCOPE): _of_messages,
    ("span", names.OI_LITELLM_SCOPE): _of_flat_messages,
    ("log record", names.LITELLM_SCOPE): _of_log,
    ("log record", names.OPENAI_SCOPE): _of_log,
}
"""What is sent (the name of its kind), and in which scope, to what finds links in it."""
