"""Counting many records in little memory, so that neither their order nor their partition matters.

Sums are of integers, since floating-point addition depends on the order; what is kept of too many names is chosen by
the names alone.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeGuard, TypeVar

from agent_otel.review.report.shape import Spread

K = TypeVar("K")
V = TypeVar("V")

MOST_NAMES: Final = 10_000
"""Names of one kind that are told apart. Nobody has more; a hostile sender could."""

_EXACT: Final = 512
_GAMMA: Final = 1.04  # the width of a bucket: a percentile is within 2 % of the value it stands for
_NANO: Final = 10**9
_LARGEST: Final = 2.0**63
_QUANTILES: Final = (0.5, 0.9, 0.99)


class Kept(Generic[K, V]):
    """Something for each name, of at most ``most`` names.

    Past that, those with the smallest digests stay: the same ones whatever came first, and each with all that was ever
    added to it.
    """

    def __init__(self, make: Callable[[], V], *, most: int = MOST_NAMES) -> None:
        self._make = make
        self._most = most
        self._kept: dict[K, V] = {}
        self._largest: list[tuple[int, int, K]] = []
        self._ceiling = math.inf

    def of(self, name: K) -> V:
        """What belongs to the name; something that is forgotten, where there is no room for it."""
        if name in self._kept:
            return self._kept[name]
        found, digest = self._make(), _digest(name)
        if digest < self._ceiling:
            self._kept[name] = found
            heapq.heappush(self._largest, (-digest, len(self._largest), name))
            if len(self._kept) > self._most:
                smallest, _, gone = heapq.heappop(self._largest)
                self._ceiling = -smallest
                del self._kept[gone]
        return found

    def items(self) -> Iterator[tuple[K, V]]:
        """Each name with what belongs to it, in the order of the names."""
        return iter(sorted(self._kept.items(), key=lambda item: _sortable(item[0])))


class Top(Generic[V]):
    """The entries with the greatest keys; of equal keys, the first in the order of what they say."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[tuple[Any, ...], V]] = []

    def add(self, key: tuple[Any, ...], entry: V) -> None:
        """Keeps the entry, if its key is among the greatest. Equal keys stand for the same entry."""
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, (key, entry))
        elif self._heap and key > self._heap[0][0]:
            heapq.heapreplace(self._heap, (key, entry))

    def entries(self) -> list[V]:
        """The entries, the greatest first."""
        return [entry for _, entry in sorted(self._heap, key=lambda item: item[0], reverse=True)]


class Sum:
    """An exact sum of non-negative numbers, and how many there were."""

    __slots__ = ("count", "nano")

    def __init__(self) -> None:
        self.count = 0
        self.nano = 0

    def add(self, number: float | None, *, times: int = 1) -> None:
        """Adds a number that was recorded; what cannot be one is left out."""
        if sane(number):
            self.count += times
            self.nano += round(number * _NANO)

    @property
    def total(self) -> float:
        """The sum."""
        return self.nano / _NANO

    @property
    def known(self) -> float | None:
        """The sum; None where nothing was added."""
        return self.total if self.count else None


class Durations:
    """How long things took: exact while there are few, then counted in buckets whose ends are 4 % apart."""

    __slots__ = ("_buckets", "_few", "_sum")

    def __init__(self) -> None:
        self._few: list[float] = []
        self._buckets: Counter[int] = Counter()
        self._sum = Sum()

    def add(self, seconds: float | None) -> None:
        """Adds a length of time that was recorded."""
        if not sane(seconds):
            return
        self._sum.add(seconds)
        self._buckets[math.ceil(math.log(max(seconds, 1e-9), _GAMMA))] += 1
        # The largest stay exact in any case; the rest of them are only of use while they are all there are.
        heapq.heappush(self._few, seconds)
        if len(self._few) > _EXACT:
            heapq.heappop(self._few)

    def merge(self, other: Durations) -> None:
        """Adds all that the other counted."""
        self._sum.count += other._sum.count
        self._sum.nano += other._sum.nano
        self._buckets.update(other._buckets)
        self._few = heapq.nlargest(_EXACT, (*self._few, *other._few))[::-1]

    def spread(self) -> Spread | None:
        """What to tell of it; None where nothing was added."""
        count = self._sum.count
        if not count:
            return None
        half, most, nearly_all = (self._quantile(quantile) for quantile in _QUANTILES)
        return Spread(
            count=count,
            total=rounded(self._sum.total),
            p50=rounded(half),
            p90=rounded(most),
            p99=rounded(nearly_all),
            max=rounded(max(self._few)),
        )

    def _quantile(self, quantile: float) -> float:
        """The smallest value that so many do not exceed (nearest rank)."""
        above = self._sum.count - math.ceil(quantile * self._sum.count)
        if above < len(self._few):
            return sorted(self._few, reverse=True)[above]
        ranked = sorted(self._buckets, reverse=True)
        reached = itertools.accumulate(self._buckets[bucket] for bucket in ranked)
        bucket = next(bucket for bucket, number in zip(ranked, reached, strict=True) if number > above)
        return 2 * _GAMMA**bucket / (_GAMMA + 1)


def sane(number: float | None) -> TypeGuard[float]:
    """True for what can be an amount: senders write what they like."""
    return number is not None and 0 <= number <= _LARGEST


def share(part: int, whole: int) -> float | None:
    """The part of the whole, from 0 to 1; None of nothing."""
    return round(part / whole, 4) if whole else None


def rounded(number: float) -> float:
    """The number with three digits of precision, which is more than anybody reads."""
    return float(f"{number:.3g}") if number < 1000 else float(round(number))  # noqa: PLR2004 - whole from here on


def _digest(name: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(name).encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _sortable(name: Any) -> tuple[str, ...]:
    return tuple(map(str, name)) if isinstance(name, tuple) else (str(name),)
