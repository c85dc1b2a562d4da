"""Several processes fold one database, and some of them die."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from agent_otel.store.base import Claim, Folded
from agent_otel.store.sqlite import SqliteStore

SCRIPT = Path(__file__).with_name("store_claimer_process.py")
GROUPS = 60


@pytest.fixture
def path(tmp_path, item):
    """A database in which many groups are due."""
    path = tmp_path / "runs.db"
    with closing(SqliteStore(path)) as store:
        store.put([item(f"{number}") for number in range(GROUPS)])
    return path


@pytest.fixture
def start(path):
    """Starts a claiming process that waits for a line."""
    started = []

    def run(name):
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def go(process):
    """Lets the process begin."""
    process.stdin.write("go\n")
    process.stdin.flush()


def test_no_group_is_folded_by_two_at_a_time(path, start, sound):
    """Every group is claimed once and saved once, whoever of them does it."""
    processes = [start(name) for name in ("one", "two", "three")]
    for process in processes:
        go(process)
    said = Counter(line for process in processes for line in process.communicate()[0].splitlines())
    assert [process.returncode for process in processes] == [0, 0, 0]
    with closing(SqliteStore(path)) as store:
        groups = {line.split()[1] for line in said}
        assert said == Counter(f"{word} {group}" for group in groups for word in ("claimed", "saved"))
        assert len(groups) == GROUPS
        assert store.stats().records == {"settled": GROUPS}
    sound(path)


def test_what_a_killed_process_had_is_folded_by_others(path, start, sound, record):
    """When its lease has ended, one by one, since one of them may have been what killed it."""
    process = start("victim")
    go(process)
    lines = [process.stdout.readline() for _ in range(4)]
    process.kill()
    lines += process.communicate()[0].splitlines()
    assert lines[0].startswith("claimed")
    with closing(SqliteStore(path)) as store:
        saved = store.stats().records.get("settled", 0)
        free = store.claim(Claim(limit=GROUPS), now_ns=time.time_ns())
        held = GROUPS - saved - len(free)
        assert 0 <= held <= 3
        assert store.save([Folded(group=group, sequence=1, records=[record(f"r{group}")]) for group in free])
        later_ns = time.time_ns() + 600_000_000_000
        for _ in range(held):
            (group,) = store.claim(Claim(limit=GROUPS), now_ns=later_ns)
            assert store.save([Folded(group=group, sequence=1, records=[record(f"r{group}")])]) == [True]
        assert store.claim(Claim(), now_ns=later_ns) == []
        assert store.stats().records == {"settled": GROUPS}
    sound(path)
