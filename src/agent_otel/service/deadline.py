"""A time limit for a part of a coroutine."""

from __future__ import annotations

import asyncio
from types import TracebackType

from agent_otel.service.refusals import TooSlow


class Deadline:
    """A context that raises ``TooSlow`` where what is awaited in it takes too long.

    ``asyncio.timeout`` came with Python 3.11, and ``wait_for`` makes a task of each thing it waits for, which is a good
    part of what a request costs.

    Args:
        seconds: how long.
        message: what is too slow.
    """

    __slots__ = ("_message", "_passed", "_seconds", "_timer")

    def __init__(self, seconds: float, message: str) -> None:
        self._seconds = seconds
        self._message = message
        self._passed = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "awaited outside of a task"  # noqa: S101 - a mistake of ours

        def passed() -> None:
            self._passed = True
            task.cancel()

        self._timer = asyncio.get_running_loop().call_later(self._seconds, passed)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._passed and kind is asyncio.CancelledError:
            raise TooSlow(self._message) from error
