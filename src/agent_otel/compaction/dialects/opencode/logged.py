"""The log records: their bodies are lists of a message and, mostly, of JSON; some have JavaScript that is no JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agent_otel.compaction.reading.values import mapping, text
from agent_otel.model import names
from agent_otel.model.item import Log

CREATED: Final = "created"
EVALUATED: Final = "evaluated"
EXITING: Final = "exiting loop"
LOOP: Final = "loop"
STREAM: Final = "stream"

_LOOSE_TEXT: Final = re.compile(r'"(id|parentID|directory)":\s*"([^"]*)"')


class Note(NamedTuple):
    """What a log record says."""

    message: str
    fields: Mapping[str, Any]

    @property
    def session(self) -> str:
        """The session it is about, "" where it names none."""
        return text(self.fields.get("id" if self.message == CREATED else names.SESSION_ID))


def note(log: Log) -> Note:
    """The message of a log record, and its fields."""
    said = log.body if isinstance(log.body, list | tuple) else [log.body]
    message, rest = text(said[0]) if said else "", said[1] if len(said) > 1 else None
    if message == CREATED and not mapping(rest):  # {"id":"ses_1","parentID":undefined,…}
        return Note(message, dict(reversed(_LOOSE_TEXT.findall(text(rest)))))
    return Note(message, mapping(rest))
