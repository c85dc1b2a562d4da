"""Worker processes that fold: real ones, on a real database."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import agent_spans
import pytest

from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.service.compactor import Compactor, Died
from agent_otel.service.worker import CLAIMS, Settings, Trouble, Turn, turn
from agent_otel.store.base import Pace, RecordQuery
from agent_otel.store.sqlite import SqliteStore

AT_ONCE = Pace()


class Heard:
    """The events a compactor told, and a way to wait for one."""

    def __init__(self):
        self.events = []
        self._changed = threading.Condition()

    def __call__(self, event):
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, wanted, timeout_s=30.0):
        with self._changed:
            assert self._changed.wait_for(lambda: wanted(self.events), timeout_s), self.events


@pytest.fixture
def heard():
    """What the compactor of a test tells."""
    return Heard()


@pytest.fixture
def database(tmp_path):
    """The URL of a database that is there."""
    path = tmp_path / "runs.db"
    SqliteStore(path).close()
    return f"sqlite:///{path}"


@pytest.fixture
def compactor(database, heard):
    """Starts compactors on the database, and ends them."""
    started = []

    def start(workers=2, **settings):
        made = Compactor(
            Settings(database=database, pace=AT_ONCE, poll_s=0.02, **settings), workers=workers, tell=heard
        )
        made.start()
        started.append(made)
        return made

    yield start
    for each in started:
        each.stop(10.0)


def put(database, *, runs, spans, first_run=0):
    """Puts whole runs into the store; how many items."""
    store = SqliteStore(_path(database))
    items = [
        item
        for body in agent_spans.requests(runs=runs, spans=spans, first_run=first_run, size=300)
        for item in items_from_protobuf(body, "span").items
    ]
    store.put(items)
    store.close()
    return len(items)


def records(database):
    """The records in the store."""
    store = SqliteStore(_path(database))
    try:
        return store.records(RecordQuery(limit=10_000))
    finally:
        store.close()


def _path(database):
    return Path(database.removeprefix("sqlite:///"))


def folded_runs(events):
    """How many records the events tell of."""
    return sum(event.records for event in events if isinstance(event, Turn))


@pytest.mark.parametrize("workers", [1, 3])
def test_what_comes_is_folded(compactor, database, heard, workers):
    """Items put by another process become records, each group folded by one worker, and are told of."""
    compactor(workers)
    items = put(database, runs=100, spans=5)
    heard.wait_for(lambda events: folded_runs(events) >= 100)
    assert folded_runs(heard.events) == 100
    assert sum(event.items for event in heard.events if isinstance(event, Turn)) == items
    assert [record.capture.spans for record in records(database)] == [5] * 100


def test_a_worker_that_dies_is_replaced(compactor, database, heard):
    """Killed workers cost nothing but time."""
    started = compactor(2)
    for pid in started.pids():
        os.kill(pid, signal.SIGKILL)
    heard.wait_for(lambda events: sum(isinstance(event, Died) for event in events) == 2)
    assert {event.exit_code for event in heard.events} == {-signal.SIGKILL}
    put(database, runs=3, spans=4)
    heard.wait_for(lambda events: folded_runs(events) >= 3)


def test_workers_leave_signals_to_their_parent(compactor, database, heard):
    """Ctrl-C and service managers signal all processes of a service; the parent decides when workers end."""
    started = compactor(1)
    put(database, runs=1, spans=2)
    heard.wait_for(lambda events: folded_runs(events) == 1)
    (pid,) = started.pids()
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    put(database, runs=1, spans=2, first_run=1)
    heard.wait_for(lambda events: folded_runs(events) == 2)
    assert started.pids() == [pid]


def test_workers_end_with_their_parent(python, database, tmp_path):
    """A parent that is killed leaves no workers behind."""
    text = f"""
import os, signal
from agent_otel.service.compactor import Compactor
from agent_otel.service.worker import Settings
if __name__ == "__main__":
    compactor = Compactor(Settings(database={database!r}), workers=2, tell=print)
    compactor.start()
    print(*compactor.pids(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    script = tmp_path / "parent.py"
    script.write_text(text)
    done = python(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')")
    assert done.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(map(_lives, pids)):
        assert time.monotonic() < deadline


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody waits for has ended too.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_stopping_leaves_nobody(compactor, database):
    """When stop returns the workers are gone, in time."""
    started = compactor(2)
    pids = started.pids()
    begun = time.monotonic()
    started.stop(10.0)
    assert time.monotonic() - begun < 10
    assert not any(map(_lives, pids))
    assert started.pids() == []


def test_a_database_that_refuses_is_told_and_tried_again(compactor, database, heard):
    """Workers outlive trouble with the database."""
    path = _path(database)
    moved = path.with_suffix(".away")
    path.rename(moved)
    path.write_bytes(b"this is no database at all, but a text that somebody put there")
    compactor(1)
    heard.wait_for(lambda events: any(isinstance(event, Trouble) for event in events))
    moved.replace(path)
    put(database, runs=1, spans=2)
    heard.wait_for(lambda events: folded_runs(events) == 1)


def test_a_worker_that_grew_is_replaced_in_good_order(compactor, database, heard):
    """Memory that a giant run took comes back with a fresh process."""
    started = compactor(1, most_rss_mib=1)
    first = started.pids()
    put(database, runs=2, spans=3)
    heard.wait_for(lambda events: folded_runs(events) >= 2)
    deadline = time.monotonic() + 20
    while started.pids() == first:
        assert time.monotonic() < deadline
    assert not any(isinstance(event, Died) for event in heard.events)


def test_the_small_lane_leaves_large_groups(tmp_path):
    """A giant run is nobody's business who has others to serve."""
    path = tmp_path / "runs.db"
    database = f"sqlite:///{path}"
    put(database, runs=1, spans=1_001)
    put(database, runs=2, spans=3, first_run=5)
    store = SqliteStore(path)
    heard = []
    settings = Settings(database=database, pace=AT_ONCE)
    assert turn(store, settings, CLAIMS["small"], tell=heard.append)
    assert (heard[0].groups, heard[0].items) == (2, 6)
    assert not turn(store, settings, CLAIMS["small"], tell=heard.append)
    assert turn(store, settings, CLAIMS["any"], tell=heard.append)
    assert heard[1].items == 1_001
    store.close()
