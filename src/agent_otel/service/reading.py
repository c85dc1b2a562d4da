"""Reads the items of a group for a fold, in pages and within bounds: raw bytes are not held beside what they say."""

from __future__ import annotations

from typing import Final

import msgspec

from agent_otel.model.item import Signals
from agent_otel.otlp.views import views
from agent_otel.store.base import GroupId, GroupItems, Store, item_cursor

_PAGE: Final = 500
_PAGE_BYTES: Final = 4 << 20
_LATEST_PART: Final = 8


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a group is folded.

    A larger group is folded from its first items, and for an eighth from its last ones, where roots and ends are; its
    records say that they are cut. Which these are does not depend on the order in which items came.
    """

    items: int = 20_000
    bytes: int = 48 << 20


BOUNDS: Final = Bounds()


class Reading:
    """What was read of a group: ``signals``, the time of the last of them, and whether there was more.

    Args:
        store: where the group is.
        group: which.
        bounds: how much of it to read.
    """

    def __init__(self, store: Store, group: GroupId, bounds: Bounds) -> None:
        self._store = store
        self._after = ""
        self.signals: list[Signals] = []
        self.last_ns = 0
        latest = Bounds(items=bounds.items // _LATEST_PART, bytes=bounds.bytes // _LATEST_PART)
        items, size = bounds.items - latest.items, bounds.bytes - latest.bytes
        self.first = page = self._page(group, items, size)
        while page.items and len(self.signals) < self.first.total:
            items -= len(page.items)
            size -= sum(len(item.raw) for item in page.items)
            if items <= 0 or size <= 0:
                break
            page = self._page(group, items, size)
        if len(self.signals) < self.first.total:
            self._take(store.items(group, after=self._after, limit=latest.items, most_bytes=latest.bytes, latest=True))
        self.cut = len(self.signals) < self.first.total

    def _page(self, group: GroupId, items: int, size: int) -> GroupItems:
        return self._take(
            self._store.items(group, after=self._after, limit=min(items, _PAGE), most_bytes=min(size, _PAGE_BYTES))
        )

    def _take(self, page: GroupItems) -> GroupItems:
        if page.items:
            self.signals += views(page.items)
            self.last_ns = max(self.last_ns, page.items[-1].time_ns)
            self._after = item_cursor(page.items[-1])
        return page
