"""SQLite on a disk that loses its power, or fails at any moment."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress

import pytest

from agent_otel.errors import StoreError
from agent_otel.store.base import Folded
from agent_otel.store.sqlite import SqliteStore
from sqlite_disk import disk_under_sqlite


def keys(path):
    """The keys of all items, after SQLite has checked the file."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {key for (key,) in connection.execute("SELECT key FROM items")}


def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path, item):
    """Each time ``put`` returns, what it put is on the disk for certain: the write-ahead file was synchronised (G1)."""
    chance = random.Random(20261121)
    acknowledged = []
    with disk_under_sqlite() as disk, closing(SqliteStore(tmp_path / "runs.db")) as store:
        with store._database.transaction(write=False) as connection:
            connection.execute("PRAGMA wal_autocheckpoint = 100")
        for number in range(16):
            before = disk.syncs
            store.put([item(f"{number}.{each}", says="x" * 3_000) for each in range(chance.randrange(1, 400))])
            assert disk.syncs > before
            acknowledged.append(store.stats().items)
            disk.cut_power(tmp_path / f"cut{number}", chance)
    # The write-ahead file was brought into the database meanwhile, several times.
    assert (tmp_path / "cut15" / "runs.db").stat().st_size > 1 << 20
    for number, items in enumerate(acknowledged):
        found = keys(tmp_path / f"cut{number}" / "runs.db")
        assert len(found) == items
        with closing(SqliteStore(tmp_path / f"cut{number}" / "runs.db")) as store:
            assert store.stats().items == items
            assert store.put([item("next")]).stored == 1


def test_a_power_cut_would_be_noticed(tmp_path):
    """The same disk shows that a database which does not synchronise loses what it said was there."""
    with disk_under_sqlite() as disk:
        with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("CREATE TABLE items (key TEXT)")
            connection.execute("PRAGMA synchronous = NORMAL")
            for number in range(20):
                connection.execute("INSERT INTO items VALUES (?)", (f"{number}",))
            disk.cut_power(tmp_path / "cut", random.Random(1))
    assert len(keys(tmp_path / "cut" / "x.db")) < 20


def test_a_record_that_was_saved_survives_a_power_cut(tmp_path, item, record):
    """Saving is as durable as putting: what was emitted afterwards is not unsaid."""
    with disk_under_sqlite() as disk, closing(SqliteStore(tmp_path / "runs.db")) as store:
        store.put([item("a")])
        (group,) = store.due(now_ns=1 << 62)
        store.save([Folded(group=group, sequence=1, records=[record("r")])])
        disk.cut_power(tmp_path / "cut", random.Random(1))
    with closing(SqliteStore(tmp_path / "cut" / "runs.db")) as store:
        assert store.record("r") == record("r")


@pytest.mark.parametrize(("count", "stride"), [(4, 1.0), (300, 1.4)])
def test_a_disk_may_fail_at_any_moment(tmp_path, item, record, sound, count, stride):
    """Full at a write, or unable to synchronise: an error, nothing of it there, and all is well when the disk is."""
    moment = 1
    while moment < 2_000:
        path = tmp_path / f"{moment}" / "runs.db"
        batch = [item(f"{moment}.{each}", says="x" * 5_000) for each in range(count)]
        with disk_under_sqlite() as disk, closing(SqliteStore(path)) as store:
            store.put([item("before", "trace:1")])
            with store._database.transaction(write=False) as connection:
                connection.execute("PRAGMA wal_autocheckpoint = 20")
            disk.fail_at = moment
            stored = 0
            with suppress(StoreError):
                stored = store.put(batch).stored
            if not disk.failed:
                break
            assert store.stats().items == 1 + stored
            assert store.put(batch).stored == count - stored
            (first, *_) = store.due(now_ns=1 << 62)
            assert store.save([Folded(group=first, sequence=1, records=[record("r")])]) == [True]
        sound(path)
        assert len(keys(path)) == 1 + count
        moment = max(moment + 1, int(moment * stride))
    assert not disk.failed
    assert moment > 10
