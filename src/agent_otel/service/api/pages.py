"""Lists, a page at a time; how large a page gets does not depend on what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from agent_otel.model.record import encode
from agent_otel.service.api.cursors import opaque
from agent_otel.store.base import RecordQuery, Store, cursor

PAGE_BYTES: Final = 8 << 20
"""A page ends when it has come to this size."""

_READ_AT_ONCE: Final = 20
"""Records that are in memory beside those of the page."""


class Page(msgspec.Struct, frozen=True):
    """Encoded records, and where the list goes on; "" where it does not."""

    documents: list[msgspec.Raw]
    next: str


def page_of_records(store: Store, query: RecordQuery, *, most_bytes: int = PAGE_BYTES) -> Page:
    """The first ``query.limit`` records that match, or fewer where they come to ``most_bytes``."""
    documents: list[msgspec.Raw] = []
    size, after = 0, query.after
    while True:
        ask = min(query.limit - len(documents) + 1, _READ_AT_ONCE)  # one more tells whether the list goes on
        found = store.records(msgspec.structs.replace(query, after=after, limit=ask))
        for record in found:
            if len(documents) == query.limit or size >= most_bytes:
                return Page(documents, opaque(after))
            documents.append(msgspec.Raw(encode(record)))
            size += len(documents[-1])
            after = cursor(record)
        if len(found) < ask:
            return Page(documents, "")


def next_link(path: str, asked: Mapping[str, Any], cursor_text: str) -> dict[str, str]:
    """The ``Link`` header (RFC 8288) that leads to the next page; nothing on the last one."""
    if not cursor_text:
        return {}
    query = urlencode({**asked, "cursor": cursor_text})
    return {"link": f'<{path}?{query}>; rel="next"'}
