"""The conversation or session an item belongs to."""

from __future__ import annotations

from typing import Final

from agent_otel.compaction.reading.values import text
from agent_otel.model import names
from agent_otel.model.item import Log, Span

NAMES: Final = (
    names.CONVERSATION_ID,
    names.SESSION_ID,
    names.TRACELOOP_SESSION,
    names.TRACELOOP_THREAD,
    names.ADK_SESSION,
)


def session_of(item: Span | Log) -> str:
    """The conversation an item names, else its session, "" where it names none."""
    for attributes in (item.attributes, item.resource):
        for name in NAMES:
            if session := text(attributes.get(name)):
                return session
    return ""
