"""Removes raw items that are too old, a few at a time; the records that were folded from them stay."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from agent_otel.store.base import Store

EVERY_S: Final = 3600.0
"""Seconds between two looks."""

_AT_ONCE: Final = 2_000
_DAY_NS: Final = 86_400 * 1_000_000_000


class Retention:
    """Expires the items of runs that nothing came to for so many days.

    Args:
        store: where they are.
        days: how long they are kept.
        clock: the time in ns.
    """

    def __init__(self, store: Store, *, days: float, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._keep_ns = int(days * _DAY_NS)
        self._clock = clock

    def step(self) -> bool:
        """Removes some; whether there may be more.

        Raises:
            StoreError: the database refused.
        """
        return self._store.expire(before_ns=self._clock() - self._keep_ns, limit=_AT_ONCE) >= _AT_ONCE
