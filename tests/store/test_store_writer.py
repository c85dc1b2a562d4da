"""Group commit: many threads, few transactions, and everybody hears what became of theirs."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_otel.errors import Overloaded, StoreError
from agent_otel.store import writer as writer_module
from agent_otel.store.base import PutResult
from agent_otel.store.sqlite import SqliteStore
from agent_otel.store.writer import GroupCommit


class GatedStore:
    """A store whose commits wait until they are let through."""

    def __init__(self, store):
        self._store = store
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.commits = []

    def put_all(self, batches):
        """Waits, then commits."""
        self.entered.set()
        assert self.gate.wait(10)
        self.commits.append(len(batches))
        return self._store.put_all(batches)


@pytest.fixture
def store(tmp_path):
    """A store in a file."""
    opened = SqliteStore(tmp_path / "runs.db")
    yield opened
    opened.close()


def test_what_is_acknowledged_is_stored(store, item):
    """Each submission has its own result."""
    writer = GroupCommit(store)
    assert writer.put([item("a"), item("b")]) == PutResult(2, 0)
    assert writer.put([item("a")]) == PutResult(0, 1)
    assert store.stats().items == 2
    writer.close()


def test_submissions_that_wait_are_committed_together(store, item):
    """While one commit waits for the disk the others gather, and are one commit."""
    gated = GatedStore(store)
    writer = GroupCommit(gated)
    first = writer.submit([item("first")])
    assert gated.entered.wait(10)
    others = [writer.submit([item(f"k{number}")]) for number in range(20)]
    gated.gate.set()
    assert [done.result(10).stored for done in [first, *others]] == [1] * 21
    assert gated.commits == [1, 20]
    writer.close()


def test_many_threads_at_once_lose_nothing(store, item):
    """Every item of every thread is stored once."""
    writer = GroupCommit(store)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: writer.put([item(f"k{number}"), item("same")]), range(100)))
    writer.close()
    assert sum(result.stored for result in results) == store.stats().items == 101
    assert sum(result.duplicates for result in results) == 99


def test_too_much_waiting_is_refused(store, item):
    """What waits is bounded; the sender may come again, and then succeeds."""
    gated = GatedStore(store)
    writer = GroupCommit(gated, capacity=2)
    first = writer.submit([item("a")])
    assert gated.entered.wait(10)
    second = writer.submit([item("b"), item("c")])
    with pytest.raises(Overloaded):
        writer.submit([item("d")])
    gated.gate.set()
    assert (first.result(10).stored, second.result(10).stored) == (1, 2)
    assert writer.put([item("d"), item("e"), item("f")]).stored == 3
    writer.close()


def test_too_many_bytes_waiting_are_refused(store, item):
    """Few items may be large; one that is larger than everything that may wait is taken when nothing else does."""
    gated = GatedStore(store)
    writer = GroupCommit(gated, capacity_bytes=1_000)
    first = writer.submit([item("a", says="x" * 2_000)])
    assert gated.entered.wait(10)
    second = writer.submit([item("b", says="x" * 900)])
    with pytest.raises(Overloaded):
        writer.submit([item("c", says="x" * 200)])
    gated.gate.set()
    assert (first.result(10).stored, second.result(10).stored) == (1, 1)
    assert writer.put([item("c", says="x" * 200)]).stored == 1
    writer.close()


def test_a_transaction_is_bounded(store, item, monkeypatch):
    """In items and in bytes; what does not fit any more is the next one."""
    monkeypatch.setattr(writer_module, "MOST_AT_ONCE", 4)
    monkeypatch.setattr(writer_module, "MOST_BYTES_AT_ONCE", 1_000)
    gated = GatedStore(store)
    writer = GroupCommit(gated)
    waiting = [writer.submit([item("first")])]
    assert gated.entered.wait(10)
    waiting += [writer.submit([item(f"small{number}")]) for number in range(6)]
    waiting += [writer.submit([item(f"large{number}", says="x" * 600)]) for number in range(4)]
    gated.gate.set()
    assert [done.result(10).stored for done in waiting] == [1] * 11
    assert gated.commits == [1, 4, 4, 2]
    writer.close()


def test_what_cannot_be_stored_fails_alone(store, item):
    """Those it waited with have nothing to do with it."""
    gated = GatedStore(store)
    writer = GroupCommit(gated)
    first = writer.submit([item("a")])
    assert gated.entered.wait(10)
    others = [writer.submit([item("b")]), writer.submit([item("c", time_ns=1 << 70)]), writer.submit([item("d")])]
    gated.gate.set()
    assert first.result(10).stored == others[0].result(10).stored == others[2].result(10).stored == 1
    with pytest.raises(OverflowError):
        others[1].result(10)
    writer.close()
    assert store.stats().items == 3


def test_a_refusing_database_is_heard_by_all_who_wait(store, item):
    """The error reaches every caller, and the writer goes on."""
    store.close()
    writer = GroupCommit(store)
    for _ in range(2):
        with pytest.raises(StoreError):
            writer.put([item("a")])
    writer.close()


def test_a_submission_may_be_cancelled_while_it_waits(store, item):
    """It is not written, and nobody else is disturbed."""
    gated = GatedStore(store)
    writer = GroupCommit(gated)
    first = writer.submit([item("a")])
    assert gated.entered.wait(10)
    cancelled, last = writer.submit([item("b")]), writer.submit([item("c")])
    assert cancelled.cancel()
    gated.gate.set()
    assert (first.result(10).stored, last.result(10).stored) == (1, 1)
    writer.close()
    assert store.stats().items == 2


def test_closing_commits_what_waits_and_then_refuses(store, item):
    """Nothing that was taken is dropped; closing twice is closing once, also where nothing was ever written."""
    writer = GroupCommit(store)
    waiting = [writer.submit([item(f"k{number}")]) for number in range(5)]
    writer.close()
    writer.close()
    assert all(done.result(0).stored == 1 for done in waiting)
    with pytest.raises(Overloaded, match="closed"):
        writer.submit([item("late")])
    GroupCommit(store).close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_writes_for_itself(store, item):
    """The thread of the parent does not exist there; parent and child go on with their own."""
    writer = GroupCommit(store)
    writer.put([item("before")])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            writer.put([item("child")])
            writer.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    writer.put([item("after")])
    writer.close()
    assert store.stats().items == 3
