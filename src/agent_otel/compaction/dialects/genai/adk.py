"""Spans of google-adk 1.x, and of 2.x with its old schema, that say what they do by their names alone.

Seen: google-adk 2.13 with ``ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN=1``, 2026-11; the names are those of its 1.x.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.values import mapping
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Span

_NAMED: Final = re.compile(r"(invocation|agent_run|call_llm|execute_tool)(?: \[?([^\]]+)\]?)?")
_OPERATIONS: Final[Mapping[str, str]] = {
    "invocation": names.INVOKE_WORKFLOW,
    "agent_run": names.INVOKE_AGENT,
    "call_llm": names.GENERATE_CONTENT,
    "execute_tool": names.EXECUTE_TOOL,
}


def adk_operation(span: Span) -> str:
    """What a span of the old schema does, in the words of the conventions; "" for any other."""
    match = _NAMED.fullmatch(span.name) if span.scope == names.ADK_SCOPE else None
    return _OPERATIONS[match[1]] if match else ""


def adk_subject(span: Span) -> str:
    """The agent or tool in the name of such a span, "" where there is none."""
    match = _NAMED.fullmatch(span.name) if span.scope == names.ADK_SCOPE else None
    return (match[2] or "") if match else ""


def given(span: Span) -> list[Message]:
    """The history in the request of a model call."""
    return messages.parse(mapping(span.attributes.get(names.ADK_REQUEST)).get("contents"))


def answered(span: Span) -> list[Message]:
    """The answer in its response."""
    return messages.parse(mapping(span.attributes.get(names.ADK_ANSWER)).get("content"), "assistant")


def outermost(models: Iterable[Span], forest: Forest) -> list[Span]:
    """The model calls without those inside of one of the old schema, which tell the same call again."""
    found = list(models)
    around = forest.nearest({span.ref for span in found if adk_operation(span)})
    return [span for span in found if (forest.parent(span.ref) or "") not in around]
