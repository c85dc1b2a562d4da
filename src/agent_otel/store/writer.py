"""Group commit: what many threads submit at about the same time is one transaction.

A commit waits for the disk, so single commits are hundreds a second and batches tens of thousands of items.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final, NamedTuple

from agent_otel.errors import Overloaded, StoreError
from agent_otel.model.item import Item
from agent_otel.store.base import PutResult, Store

MOST_AT_ONCE: Final = 8_192
"""Items in one transaction, roughly; more would let the first of them wait without making the rest faster."""

MOST_BYTES_AT_ONCE: Final = 16 << 20
"""Bytes in one transaction, roughly: what a connection holds in memory until it commits."""


class _Job(NamedTuple):
    items: Sequence[Item]
    size: int
    done: Future[PutResult]


class GroupCommit:
    """Collects items from many threads and commits them together, in a thread of its own.

    Args:
        store: where they go.
        capacity: items that may wait.
        capacity_bytes: bytes of them that may wait. What is larger by itself is taken when nothing else waits.
    """

    def __init__(self, store: Store, *, capacity: int = 100_000, capacity_bytes: int = 128 << 20) -> None:
        self._store = store
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
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
        job = _Job(items, sum(len(item.raw) for item in items), Future())
        with self._changed:
            if self._closed or (self._waiting and not self._has_room(job)):
                message = "the store writer is closed" if self._closed else f"{self._items} items wait for the disk"
                raise Overloaded(message)
            self._items += len(items)
            self._bytes += job.size
            self._waiting.append(job)
            self._start()
            self._changed.notify()
        return job.done

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
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def _has_room(self, job: _Job) -> bool:
        return self._items + len(job.items) <= self._capacity and self._bytes + job.size <= self._capacity_bytes

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
            count = size = 0
            while self._waiting and count < MOST_AT_ONCE and size < MOST_BYTES_AT_ONCE:
                job = self._waiting.popleft()
                count += len(job.items)
                size += job.size
                if job.done.set_running_or_notify_cancel():
                    jobs.append(job)
            self._items -= count
            self._bytes -= size
            return jobs

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            results = self._store.put_all([job.items for job in jobs])
        except BaseException as exc:  # noqa: BLE001 - whatever it was, those who wait must hear of it
            if len(jobs) > 1 and not isinstance(exc, StoreError):
                # Something in one of them cannot be stored; the others have nothing to do with it.
                for job in jobs:
                    self._commit([job])
                return
            for job in jobs:
                job.done.set_exception(exc)
        else:
            for job, result in zip(jobs, results, strict=True):
                job.done.set_result(result)
