"""A chore that a thread does again and again until it is told to stop, whatever happens to it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from agent_otel.errors import AgentOtelError

_LONGEST_S: Final = 60.0


class Periodic:
    """Does ``step`` every ``interval_s``, or at once again while it says there is more to do.

    Args:
        name: of the thread.
        step: whether there is more to do; an ``AgentOtelError`` or ``OSError`` is told, and it is tried again, later
            each time up to a minute.
        interval_s: how long to rest.
        failed: called with what went wrong.
    """

    def __init__(
        self, name: str, step: Callable[[], bool], *, interval_s: float, failed: Callable[[Exception], object]
    ) -> None:
        self._step = step
        self._interval_s = interval_s
        self._failed = failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Ends after the step in hand; gives up waiting for it when time runs out."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        delay_s = min(1.0, self._interval_s)
        rest_s = 0.0
        while not self._stop.wait(rest_s):
            try:
                more = self._step()
            except (AgentOtelError, OSError) as exc:  # noqa: PERF203 - it is tried again
                self._failed(exc)
                rest_s, delay_s = delay_s, min(2 * delay_s, _LONGEST_S)
            else:
                rest_s, delay_s = 0.0 if more else self._interval_s, min(1.0, self._interval_s)
