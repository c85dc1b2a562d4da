"""How many may do something at a time, where the others can be kept waiting for a moment."""

from __future__ import annotations

import asyncio
from types import TracebackType

from agent_otel.errors import Overloaded
from agent_otel.service.deadline import Deadline
from agent_otel.service.refusals import TooSlow


class Turns:
    """A context that so many coroutines of one loop are in at a time; others wait in line, and not for long.

    Args:
        at_once: how many.
        patience_s: seconds until one that waits is refused.
    """

    __slots__ = ("_free", "_patience_s")

    def __init__(self, at_once: int, *, patience_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._patience_s = patience_s

    async def __aenter__(self) -> None:
        """Waits for a turn.

        Raises:
            Overloaded: it did not come in time.
        """
        try:
            with Deadline(self._patience_s, f"no turn in {self._patience_s:g} s"):
                await self._free.acquire()
        except TooSlow as exc:
            message = f"others are being read; this one had to wait for more than {self._patience_s:g} s"
            raise Overloaded(message) from exc

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets the next one in."""
        self._free.release()
