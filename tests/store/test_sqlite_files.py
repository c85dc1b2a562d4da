"""The file of a database in trouble: removed, replaced, locked and free again, claimed by several processes."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from agent_otel.errors import StoreError
from agent_otel.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path):
    """Where the database will be."""
    return tmp_path / "data" / "runs.db"


def test_a_file_that_is_gone_is_an_error_until_it_is_back(path, tmp_path, item):
    """SQLite would go on writing to the removed file, and what was acknowledged would be lost."""
    with closing(SqliteStore(path)) as store:
        store.put([item("before")])
        path.parent.rename(tmp_path / "elsewhere")
        for use in (lambda: store.put([item("lost")]), store.stats):
            with pytest.raises(StoreError, match="gone"):
                use()
        assert not path.parent.exists()
        (tmp_path / "elsewhere").rename(path.parent)
        assert store.put([item("after")]).stored == 1
        assert store.stats().items == 2


def test_a_file_that_was_replaced_is_the_one_that_counts(path, tmp_path, item, sound):
    """A backup is brought back while the program runs; neither file is damaged."""
    with closing(SqliteStore(path)) as store:
        store.put([item("in the backup")])
    shutil.copytree(path.parent, tmp_path / "backup")
    with closing(SqliteStore(path)) as store:
        store.put([item("since the backup")])
        path.parent.rename(tmp_path / "old")
        shutil.copytree(tmp_path / "backup", path.parent)
        assert store.put([item("in the backup"), item("after")]).stored == 1
        assert store.stats().items == 2
    for folder, items in ((path.parent, 2), (tmp_path / "old", 2)):
        sound(folder / "runs.db")
        with closing(SqliteStore(folder / "runs.db")) as store:
            assert store.stats().items == items


def test_a_file_that_goes_while_it_is_written_to_is_an_error(path, item):
    """What was committed to a file that is gone is not acknowledged."""

    class Item:
        """An item in whose midst the file is removed."""

        def __init__(self, kept):
            self._kept = kept

        def __getattr__(self, name):
            if name == "raw":
                path.unlink(missing_ok=True)
            return getattr(self._kept, name)

    with closing(SqliteStore(path)) as store:
        with pytest.raises(StoreError, match="removed or replaced"):
            store.put([Item(item("a"))])


def test_a_closed_store_stays_closed(path, item):
    """Also where another file has come into the place of its own."""
    store = SqliteStore(path)
    store.close()
    path.unlink()
    SqliteStore(path).close()
    with pytest.raises(StoreError, match="closed"):
        store.put([item("a")])


def test_who_waits_for_a_lock_goes_on_when_it_is_free(path, item):
    """Another process may write for a while."""
    with (
        closing(SqliteStore(path)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(store.put, [item("a")])
        assert not waiting.done()
        other.execute("ROLLBACK")
        assert waiting.result(30).stored == 1
