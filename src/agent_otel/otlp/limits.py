"""How much of somebody else's bytes is read. Over a limit of the request: ``TooLarge``; of one item: rejected alone."""

from __future__ import annotations

from typing import Final

import msgspec

MAX_DEPTH: Final = 100
"""Levels of nested messages in one item; upb, which parses them, refuses more and has no knob for it."""

MAX_ORIGIN_BYTES: Final = 1 << 20
"""Size of a resource with its scope. They are kept in memory while their items are read."""

MAX_OTHER_FIELDS: Final = 100_000
"""Fields of a request that are no items: resources, scopes, and what nobody knows. Stepping over each takes time."""

MAX_STEPS: Final = 1_000_000
"""Fields of a request that are stepped over one by one, in items that are large or have to be mended.

A damaged span of everyday size takes a hundred."""

LARGE_ITEM_BYTES: Final = 1 << 20
"""An item larger than this is looked at before it is parsed, which can take fifty times its size of memory."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one request, and one item in it, may hold.

    Args:
        body_bytes: size of a request body, inflated.
        items: spans or log records in a request. It keeps a body of empty two-byte spans cheap.
        json_values: commas in a JSON body, and braces, and brackets, which bound how many values it holds and so the
            time and memory it takes.
        item_bytes: size of one span or log record.
        attributes: attributes of one item.
        events: events of one span.
        links: links of one span.
    """

    body_bytes: int = 64 << 20
    items: int = 100_000
    json_values: int = 2_000_000
    item_bytes: int = 4 << 20
    attributes: int = 4_096
    events: int = 65_536
    links: int = 4_096


DEFAULT_LIMITS: Final = Limits()
