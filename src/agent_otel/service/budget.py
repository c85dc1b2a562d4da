"""How many bytes of requests may be in work at once, so that load beyond it costs senders time and not us memory."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final

from agent_otel.errors import Overloaded

EACH: Final = 16 << 10
"""What a request costs beside its body: buffers, tasks, headers."""


class Budget:
    """Bytes that may be in work. Whoever comes first to an empty house is let in, however large.

    Args:
        capacity: how many bytes.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._used = 0
        self._most = 0
        self._holders = 0

    @property
    def used(self) -> int:
        """Bytes in work."""
        return self._used

    def most(self) -> int:
        """The most bytes that were in work at a time since this was asked last."""
        with self._lock:
            most, self._most = self._most, self._used
        return most

    def reserve(self, size: int) -> Room:
        """Room for a request of this size; give it back by leaving it as a context.

        Raises:
            Overloaded: there is none.
        """
        self._take(size + EACH, own=0)
        return Room(self, size + EACH)

    def grow(self, size: int) -> None:
        """Takes more for a request that has room already.

        Raises:
            Overloaded: there is none, and others are in work.
        """
        self._take(size, own=1)

    def give_back(self, size: int) -> None:
        """Takes a whole request off the books."""
        with self._lock:
            self._used -= size
            self._holders -= 1

    def _take(self, size: int, *, own: int) -> None:
        with self._lock:
            if self._used + size > self._capacity and self._holders > own:
                message = f"{self._used} bytes of requests are in work, of at most {self._capacity}"
                raise Overloaded(message)
            self._used += size
            self._most = max(self._most, self._used)
            self._holders += 1 - own


class Room:
    """The bytes one request holds of the budget."""

    __slots__ = ("_budget", "size")

    def __init__(self, budget: Budget, size: int) -> None:
        self._budget = budget
        self.size = size

    def reach(self, size: int) -> None:
        """Makes it large enough for so many bytes of body.

        Raises:
            Overloaded: there is no room.
        """
        missing = size + EACH - self.size
        if missing > 0:
            self._budget.grow(missing)
            self.size += missing

    def __enter__(self) -> None:
        """The room is there already."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.give_back(self.size)
