"""Group commit: what many threads submit at about the same time is one transaction.

A commit waits for the disk, so single commits are hundreds a second and batches tens of thousands of items.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from agent_otel.errors import Overloaded
from agent_otel.model.item import Item
from agent_otel.store.base import PutResult, Store

MOST_AT_ONCE: Final = 8_192
"""Items in one transaction, roughly; more would let the first of them wait without making the rest faster."""

_Job = tuple[Sequence[Item], "Future[PutResult]"]


class GroupCommit:
    """Collects items from many threads and commits them together, in a thread of its own.

    Args:
        store: where they go.
        capacity: items that may wait.
    """

    def __init__(self, store: Store, *, capacity: int = 100_000) -> None:
        self._store = store
        self._capacity = capacity
        self._changed = threading.Condition()
        self._reset()

    def submit(self, items: Sequence[Item]) -> Future[PutResult]:
        """Hands the items over; the future is done when they are committed, or holds the ``StoreError``.

        Raises:
            Overloaded: too much waits already, or this was closed.
        """
        if self._pid != os.getpid():
            # A forked child: the thread is gone, and what waits is the parent's.
            self._reset()
        done: Future[PutResult] = Future()
        with self._changed:
            if self._closed or (self._waiting and self._items + len(items) > self._capacity):
                message = "the store writer is closed" if self._closed else f"{self._items} items wait for the disk"
                raise Overloaded(message)
            self._items += len(items)
            self._waiting.append((items, done))
            self._start()
            self._changed.notify()
        return done

    def put(self, items: Sequence[Item]) -> PutResult:
        """Hands the items over and waits until they are committed.

        Raises:
            Overloaded: too much waits already, or this was closed.
            StoreError: the database refused.
        """
        return self.submit(items).result()

    def close(self) -> None:
        """Commits what waits and ends the thread; twice equals once."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._waiting: deque[_Job] = deque()
        self._items = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="agent-otel-store-writer", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (jobs := self._next_jobs()) is not None:
            self._commit(jobs)

    def _next_jobs(self) -> list[_Job] | None:
        """What waits, up to one transaction's worth; None once closed and done."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            jobs: list[_Job] = []
            count = 0
            while self._waiting and count < MOST_AT_ONCE:
                items, done = self._waiting.popleft()
                count += len(items)
                if done.set_running_or_notify_cancel():
                    jobs.append((items, done))
            self._items -= count
            return jobs

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            results = self._store.put_all([items for items, _ in jobs])
        except BaseException as exc:  # noqa: BLE001 - whatever it was, those who wait must hear of it
            for _, done in jobs:
                done.set_exception(exc)
        else:
            for (_, done), result in zip(jobs, results, strict=True):
                done.set_result(result)
