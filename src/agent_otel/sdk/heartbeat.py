"""Signs of life of open runs, so that a killed run can be told from a slow one."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

from agent_otel.sdk.guard import guard

if TYPE_CHECKING:
    from agent_otel.sdk.run import Run


class Heart:
    """Beats for every open run from one background thread, which exists only while there is one to beat for."""

    def __init__(self) -> None:
        self._runs: weakref.WeakSet[Run] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def add(self, run: Run, every_s: float) -> None:
        """Beats for ``run`` from now on, unless ``every_s`` is 0."""
        if every_s <= 0:
            return
        with self._lock:
            self._runs.add(run)
            if self._thread is None:
                self._wake.clear()
                self._thread = threading.Thread(
                    target=self._beat, args=(every_s,), name="agent-otel-heartbeat", daemon=True
                )
                self._thread.start()

    def remove(self, run: Run) -> None:
        """Beats for ``run`` no more."""
        with self._lock:
            self._runs.discard(run)
            if not self._runs:
                self._wake.set()
                self._thread = None

    def _beat(self, every_s: float) -> None:
        wake = self._wake
        while not wake.wait(every_s):
            with self._lock:
                runs = list(self._runs)
            for run in runs:
                with guard("sending a sign of life"):
                    run.beat()

    def _forget(self) -> None:
        """In a forked child the thread is gone, and the runs are the parent's."""
        self._runs = weakref.WeakSet()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread = None


heart = Heart()
