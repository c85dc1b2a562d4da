"""Counts what a run uses against what its contract allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
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
        self._limits = {name: limit for name in names.BUDGETS if (limit := getattr(limits, name)) is not None}
        self._open = dict(self._limits)
        self._used: dict[str, float] = dict.fromkeys(names.BUDGETS, 0.0)
        self._started = clock()
        self._lock = threading.Lock()

    @property
    def limits(self) -> Mapping[str, float]:
        """The limits that were set."""
        return dict(self._limits)

    def spend(self, budget: str, amount: float) -> list[Crossing]:
        """Adds to one budget; returns the budgets (this one, or wall time) crossed by now and not told before."""
        with self._lock:
            self._used[budget] += amount
            if not self._open:  # on the path of every tool call
                return []
            self._used["wall_time"] = self._clock() - self._started
            crossed = [name for name, limit in self._open.items() if self._used[name] > limit]
            return [Crossing(budget=name, limit=self._open.pop(name), consumed=self._used[name]) for name in crossed]

    def look(self) -> list[Crossing]:
        """``spend`` of nothing: notices that wall time is over."""
        return self.spend("wall_time", 0.0)

    def consumed(self) -> dict[str, float]:
        """What was used of each budget; wall time in seconds until now."""
        with self._lock:
            return {**self._used, "wall_time": self._clock() - self._started}
