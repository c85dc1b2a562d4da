"""Items: spans and log records as they arrived, and the decoded views that dialects read.

An ``Item`` keeps the raw bytes and just enough around them to store, group and de-duplicate it. ``Span`` and ``Log``
are what the bytes say, in plain Python values: text for ids (lower-case hex), integers in nanoseconds for times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Signal = Literal["span", "log"]


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One span or log record, raw.

    ``key`` says what the item is about (``trace_id/span_id`` of a span, event id or content digest of a log record);
    ``digest`` says what it says. The same key with another digest is another copy: compaction settles which counts.
    ``links`` are the group keys it carries: ``trace:<id>`` and ``<attribute name>:<value>`` for names.GROUP_KEYS.
    ``repaired``: it held text that was not valid Unicode, which stands as U+FFFD in ``raw``.
    """

    signal: Signal
    key: str
    digest: bytes
    links: tuple[str, ...]
    time_ns: int
    resource: bytes
    scope: bytes
    raw: bytes
    repaired: bool = False


class SpanEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event of a span."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any]
    dropped_attributes: int = 0


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a span says. ``end_ns`` is 0 while it has not ended; ``status`` is 0 unset, 1 ok, 2 error."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    name: str = ""
    kind: int = 0
    start_ns: int = 0
    end_ns: int = 0
    attributes: Mapping[str, Any] = {}
    events: tuple[SpanEvent, ...] = ()
    links: tuple[str, ...] = ()
    status: int = 0
    status_message: str = ""
    dropped_attributes: int = 0
    dropped_events: int = 0
    resource: Mapping[str, Any] = {}
    scope: str = ""
    scope_version: str = ""
    digest: bytes = b""
    repaired: bool = False

    @property
    def ref(self) -> str:
        """``trace_id/span_id``, as entries of a record point to it."""
        return f"{self.trace_id}/{self.span_id}"


class Log(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a log record says. ``time_ns`` falls back to the observed time where the sender set none."""

    key: str
    time_ns: int
    trace_id: str = ""
    span_id: str = ""
    event_name: str = ""
    severity: int = 0
    body: Any = None
    attributes: Mapping[str, Any] = {}
    dropped_attributes: int = 0
    resource: Mapping[str, Any] = {}
    scope: str = ""
    scope_version: str = ""
    digest: bytes = b""
    repaired: bool = False

    @property
    def ref(self) -> str:
        """``trace_id/span_id`` of the span it happened in, or "" where it names none."""
        return f"{self.trace_id}/{self.span_id}" if self.trace_id and self.span_id else ""


Signals = Span | Log
"""Either decoded view."""
