"""Ids and event names as senders give them, valid or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agent_otel.model import names

TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8

_NO_TRACE: Final = bytes(TRACE_ID_BYTES)
_NO_SPAN: Final = bytes(SPAN_ID_BYTES)


def valid_trace_id(raw: bytes) -> str:
    """The trace id in lower-case hex, or "" where these bytes are none."""
    return raw.hex() if len(raw) == TRACE_ID_BYTES and raw != _NO_TRACE else ""


def valid_span_id(raw: bytes) -> str:
    """The span id in lower-case hex, or "" where these bytes are none."""
    return raw.hex() if len(raw) == SPAN_ID_BYTES and raw != _NO_SPAN else ""


def log_event_name(field: str, attributes: Mapping[str, Any]) -> str:
    """The name of a log event: its field, else the attribute that older senders use."""
    if field:
        return field
    for name in names.EVENT_NAME_ATTRIBUTES:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def id_defect(raw: bytes, size: int) -> str:
    """What is wrong with an id that is not valid."""
    if not raw:
        return "is missing"
    return "is all zeros" if len(raw) == size else f"has {len(raw)} bytes, not {size}"
