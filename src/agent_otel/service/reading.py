"""Reads the items of a group for a fold, in pages and within bounds: raw bytes are not held beside what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from agent_otel.model.item import Signals, Span
from agent_otel.otlp.views import views
from agent_otel.store.base import GroupId, GroupItems, Store, item_cursor

_PAGE: Final = 500
_PAGE_BYTES: Final = 1 << 20
_LATEST_PART: Final = 8

_EVERYTHING: Final = 1 << 62

_VALUE_BYTES: Final = 200
"""What an attribute takes in memory beside its text: a text is an object, and so is a key."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a group is folded: so many items, which take about so many bytes of memory.

    Of a larger group the first items are folded, and the last ones (up to an eighth, and a mebibyte), where roots and
    ends are; its records say that they are cut. Which these are does not depend on the order in which items came.
    """

    items: int = 20_000
    bytes: int = 80 << 20


BOUNDS: Final = Bounds()


class Reading:
    """What was read of a group: ``signals``, the time of the last of them, and whether there was more.

    Args:
        store: where the group is.
        group: which.
        bounds: how much of it to read.
    """

    def __init__(self, store: Store, group: GroupId, bounds: Bounds) -> None:
        self.signals: list[Signals] = []
        self.last_ns = 0
        self._after = ""
        latest = bounds.items // _LATEST_PART
        self.first = page = store.items(group, limit=_PAGE, most_bytes=_PAGE_BYTES)
        most = bounds.items if self.first.total <= bounds.items else bounds.items - latest
        room = bounds.bytes
        while room > 0 and page.items:
            room = self._take(page, most, room)
            if len(self.signals) >= min(most, self.first.total):
                break
            page = store.items(group, after=self._after, limit=_PAGE, most_bytes=_PAGE_BYTES)
        if len(self.signals) < self.first.total:
            size = min(bounds.bytes // _LATEST_PART, _PAGE_BYTES)
            page = store.items(group, after=self._after, limit=latest, most_bytes=size, latest=True)
            self._take(page, bounds.items, _EVERYTHING)
        self.cut = len(self.signals) < self.first.total

    def _take(self, page: GroupItems, most: int, room: int) -> int:
        """Takes what there is room for; tells how much is left."""
        for item, signal in zip(page.items, views(page.items), strict=True):
            if room <= 0 or len(self.signals) >= most:
                break
            self.signals.append(signal)
            self.last_ns = item.time_ns
            self._after = item_cursor(item)
            room -= len(item.raw) + _VALUE_BYTES * _values(signal)
        return room


def _values(signal: Signals) -> int:
    """How many values the signal holds, however deep."""
    count = _within(signal.attributes)
    if isinstance(signal, Span):
        return count + len(signal.links) + sum(1 + _within(event.attributes) for event in signal.events)
    return count + _within([signal.body])


def _within(values: Mapping[str, Any] | Collection[Any]) -> int:
    inner = values.values() if isinstance(values, Mapping) else values
    return len(inner) + sum(_within(value) for value in inner if isinstance(value, (tuple, dict)))
