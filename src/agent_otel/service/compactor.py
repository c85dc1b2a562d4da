"""Keeps worker processes at their work: starts them, hears what they did, replaces those that died, ends them.

Folding has processes of its own, so that it takes no time from the acknowledgements of the process that receives, and
so that whatever a run's telemetry does to a fold, it does it to a process that can be replaced.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

import msgspec

from agent_otel.service.worker import Event, Lane, Settings, work

SHORT_LIFE_S: Final = 60.0
"""A worker that died younger than this is replaced later each time."""

_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 30.0
_LOOK_S: Final = 0.5


class Died(msgspec.Struct, frozen=True, kw_only=True):
    """A worker ended without being told to; it is replaced after ``delay_s``."""

    exit_code: int
    delay_s: float


class Compactor:
    """Worker processes on one database.

    Start it before threads and servers, and from a program whose main module may be imported again (the processes are
    spawned).

    Args:
        settings: how workers work.
        workers: how many; the first leaves large groups to the others, where there are others.
        tell: called with each event, from a thread of the compactor.
    """

    def __init__(self, settings: Settings, *, workers: int, tell: Callable[[Event | Died], object]) -> None:
        self._settings = settings
        self._tell = tell
        self._stop = threading.Event()
        self._posts = [_Post("small" if number == 0 and workers > 1 else "any") for number in range(workers)]
        self._thread = threading.Thread(target=self._supervise, name="agent-otel-workers", daemon=True)

    def start(self) -> None:
        """Starts the workers."""
        for post in self._posts:
            post.fill(self._settings)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Ends the workers: each finishes what it has in hand, or is killed when time runs out.

        What a killed one had claimed is free when its lease ends.
        """
        deadline = time.monotonic() + timeout_s
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for post in self._posts:
            post.dismiss()
        for post in self._posts:
            post.end(deadline)

    def pids(self) -> list[int]:
        """The process ids of the workers that live."""
        return [pid for post in self._posts if (pid := post.pid) is not None]

    def _supervise(self) -> None:
        while not self._stop.is_set():
            for post in self._posts:
                died = post.check()
                if died is not None:
                    self._tell(died)
                if post.process is None and time.monotonic() >= post.not_before_s:
                    post.fill(self._settings)
            lines = [post.line for post in self._posts if post.line is not None]
            if not lines:
                self._stop.wait(_LOOK_S)
            for line in wait(lines, timeout=_LOOK_S) if lines else ():
                self._hear(line)

    def _hear(self, line: object) -> None:
        assert isinstance(line, Connection)  # noqa: S101 - for the type checker; only connections were waited for
        try:
            self._tell(line.recv())
        except (EOFError, OSError):  # it died; the next look at its post finds that
            self._stop.wait(0.01)


class _Post:
    """The place of one worker, and who fills it."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._since_s = 0.0
        self._delay_s = _DELAY_S
        self.process: SpawnProcess | None = None
        self.pid: int | None = None  # its process's, kept for those who ask from other threads while it is replaced
        self.line: Connection | None = None
        self.not_before_s = 0.0

    def fill(self, settings: Settings) -> None:
        """Starts a worker."""
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(settings, self._lane, theirs), name="agent-otel-worker")
        self.process.start()
        self.pid = self.process.pid
        theirs.close()
        self._since_s = time.monotonic()

    def check(self) -> Died | None:
        """Notes that the worker has died, if it has; one that ended in good order (it grew) is replaced at once."""
        if self.process is None or self.process.is_alive():
            return None
        code = self.process.exitcode or 0
        if code == 0 or time.monotonic() - self._since_s > SHORT_LIFE_S:
            self._delay_s = _DELAY_S
        delay_s = 0.0 if code == 0 else self._delay_s
        self._delay_s = min(2 * self._delay_s, _LONGEST_DELAY_S)
        self.not_before_s = time.monotonic() + delay_s
        self._leave()
        return Died(exit_code=code, delay_s=delay_s) if code else None

    def dismiss(self) -> None:
        """Asks the worker to end."""
        if self.line is not None:
            # Closing our end is what it would see if this process died: there is but one way to end.
            self.line.close()
            self.line = None

    def end(self, deadline_s: float) -> None:
        """Waits for the end of the worker, and brings it about."""
        if self.process is not None:
            self.process.join(max(deadline_s - time.monotonic(), 0.1))
            if self.process.is_alive():
                self.process.kill()
                self.process.join()
            self._leave()

    def _leave(self) -> None:
        self.dismiss()
        if self.process is not None:
            self.pid = None
            self.process.close()
            self.process = None
