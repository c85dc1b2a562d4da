"""Counts what a run uses against what its contract allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from agent_otel.model import names
from agent_otel.model.contract import Budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A budget that was found crossed, for the first time."""

    budget: str
    limit: float
    consumed: float


class BudgetLedger:
    """What was used of each budget; any thread may spend.

    A budget is crossed when more than its limit was used: a limit of 40 steps allows 40.

    Args:
        limits: the contract's budgets.
        clock: gives seconds from any origin, for wall time.
    """

    def __init__(self, limits: Budgets, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limits = {name: getattr(limits, name) for name in names.BUDGETS}
        self._used: dict[str, float] = dict.fromkeys(names.BUDGETS, 0.0)
        self._crossed: set[str] = set()
        self._started = clock()
        self._lock = threading.Lock()

    @property
    def limits(self) -> Mapping[str, float]:
        """The limits that were set."""
        return {name: limit for name, limit in self._limits.items() if limit is not None}

    def spend(self, budget: str, amount: float) -> list[Crossing]:
        """Adds to one budget; returns the budgets (this one, or wall time) crossed by now and not told before."""
        with self._lock:
            self._used[budget] += amount
            self._used["wall_time"] = self._clock() - self._started
            return list(self._new_crossings())

    def look(self) -> list[Crossing]:
        """``spend`` of nothing: notices that wall time is over."""
        return self.spend("wall_time", 0.0)

    def consumed(self) -> dict[str, float]:
        """What was used of each budget; wall time in seconds until now."""
        with self._lock:
            return {**self._used, "wall_time": self._clock() - self._started}

    def _new_crossings(self) -> Iterator[Crossing]:
        for name, limit in self._limits.items():
            if limit is not None and self._used[name] > limit and name not in self._crossed:
                self._crossed.add(name)
                yield Crossing(budget=name, limit=limit, consumed=self._used[name])
