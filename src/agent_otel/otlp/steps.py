"""How much of a request is walked through in Python, where no faster way is left."""

from __future__ import annotations

from agent_otel.errors import TooLarge
from agent_otel.otlp.limits import MAX_STEPS


class Steps:
    """Counts the fields of one request that were stepped over one by one."""

    __slots__ = ("taken",)

    def __init__(self) -> None:
        self.taken = 0

    def take(self, count: int = 1) -> None:
        """Counts so many more.

        Raises:
            TooLarge: these are too many.
        """
        self.taken += count
        if self.taken > MAX_STEPS:
            message = f"large or damaged items of more than {MAX_STEPS} fields in one request: send fewer at a time"
            raise TooLarge(message)
