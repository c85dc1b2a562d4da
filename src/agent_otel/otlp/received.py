"""What came of a request: the items, and exactly how many were refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from agent_otel.model.item import Item

SignalName = Literal["span", "log", "metric"]
"""What a request is about. What is kept of metrics are log records."""

Outcome = Item | str | None
"""What becomes of a span or log record: an item, or the reason why it is refused; None where nothing of it is kept."""


class Rejection(msgspec.Struct, frozen=True):
    """So many spans or log records were refused for this reason; sending them again cannot help."""

    reason: str
    count: int


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request.

    ``repaired`` counts the items whose text was mended. ``ignored`` counts what was understood and is not kept:
    data points of metrics that tell nothing of a run's use of models, records of ours that came back.
    """

    items: tuple[Item, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    repaired: int = 0
    ignored: int = 0


class Tally:
    """Counts up a ``Received``."""

    __slots__ = ("_ignored", "_items", "_reasons")

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._reasons: Counter[str] = Counter()
        self._ignored = 0

    def extend(self, outcomes: Iterable[Outcome]) -> None:
        """Takes what became of many."""
        keep = self._items.append
        for outcome in outcomes:
            if isinstance(outcome, Item):
                keep(outcome)
            elif outcome is None:
                self._ignored += 1
            else:
                self._reasons[outcome] += 1

    def reject(self, reason: str, count: int) -> None:
        """Notes that so many were refused."""
        if count:
            self._reasons[reason] += count

    def ignore(self, count: int) -> None:
        """Notes that so many were understood and not kept."""
        self._ignored += count

    def include(self, other: Received) -> None:
        """Takes all of another request."""
        self._items.extend(other.items)
        for rejection in other.rejected:
            self.reject(rejection.reason, rejection.count)
        self._ignored += other.ignored

    def received(self) -> Received:
        """The sum."""
        return Received(
            items=tuple(self._items),
            rejected=tuple(Rejection(reason, count) for reason, count in self._reasons.items()),
            repaired=sum(item.repaired for item in self._items),
            ignored=self._ignored,
        )
