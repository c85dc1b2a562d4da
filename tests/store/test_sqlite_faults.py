"""SQLite under real trouble: killed processes, full disks, foreign files, races, forks."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from agent_otel.errors import StoreError
from agent_otel.model.record import Lifecycle
from agent_otel.store.base import Folded
from agent_otel.store.migrations import APPLICATION_ID, STEPS, migrate
from agent_otel.store.sqlite import SqliteStore

SCRIPT = Path(__file__).with_name("store_writer_process.py")


@pytest.fixture
def path(tmp_path):
    """Where the database will be."""
    return tmp_path / ".agent-otel" / "runs.db"


@pytest.fixture
def start(path):
    """Starts a writer process that waits for a line before it opens the database."""
    started = []

    def run(name, *, count, threads=1):
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(path), name, str(count), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def keys(path):
    """The keys of all items, after SQLite has checked the file."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [key for (key,) in connection.execute("SELECT key FROM items")]


def test_what_was_acknowledged_survives_kills(path, start):
    """SIGKILL in the middle of the work, time and again: whatever was acknowledged is there, and the file is whole."""
    acknowledged = set()
    chance = random.Random(20261121)
    for attempt in range(10):
        process = start(f"w{attempt}", count=100_000, threads=4)
        process.stdin.write(b"go\n")
        process.stdin.flush()
        for _ in range(chance.randrange(1, 80)):
            acknowledged.add(process.stdout.readline().decode().strip())
        process.kill()
        acknowledged.update(
            line.decode().strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")
        )
        process.wait()
        assert acknowledged <= set(keys(path))
    with closing(SqliteStore(path)) as store:
        stored = [item.key for group in store.due(now_ns=2**62) for item in store.items(group).items]
        assert sorted(stored) == sorted(keys(path))
        assert store.stats().items == len(stored)


def test_two_processes_write_one_database(path, start):
    """Both at once, from the first moment on: nothing is lost, and the groups they share are one."""
    processes = [start(name, count=200, threads=2) for name in ("one", "two")]
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    acknowledged = [line for process in processes for line in process.communicate()[0].decode().split()]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(keys(path)) == sorted(acknowledged)
    assert len(acknowledged) == len(set(acknowledged)) == 800
    with closing(SqliteStore(path)) as store:
        assert len(store.due(now_ns=2**62)) == 1


def test_many_processes_may_be_the_first(path, start):
    """A new database is made once, whoever comes first."""
    processes = [start(f"p{number}", count=1) for number in range(4)]
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert len(keys(path)) == 4


def test_a_full_disk_refuses_and_does_no_harm(path, item):
    """The write that does not fit is an error and leaves nothing; what fits later is stored."""
    with closing(SqliteStore(path)) as store:
        store.put([item("small")])
        with store._database.transaction(write=False) as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        with pytest.raises(StoreError, match="full"):
            store.put([item("fits not", says="x" * 1_000_000)])
        assert store.stats().items == 1
        with store._database.transaction(write=False) as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        assert store.put([item("fits not", says="x" * 1_000_000)]).stored == 1
    assert len(keys(path)) == 2


def test_a_live_database_can_be_copied(path, tmp_path, item):
    """A copy of the file with its write-ahead file holds everything that was acknowledged."""
    with closing(SqliteStore(path)) as store:
        store.put([item("a")])
        copied = tmp_path / "copy"
        shutil.copytree(path.parent, copied)
    assert keys(copied / "runs.db") == ["a"]


def test_only_the_owner_may_read(path, item):
    """Telemetry is private, and is not committed to the repository by accident."""
    with closing(SqliteStore(path)) as store:
        store.put([item("a")])
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.glob("runs.db*")}
        assert modes == {"runs.db": 0o600, "runs.db-wal": 0o600, "runs.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (path.parent / ".gitignore").read_text() == "*\n"


def test_folders_that_are_there_stay_as_they_are(tmp_path):
    """Nothing is put beside a database that the user placed somewhere."""
    (tmp_path / "mine").mkdir(mode=0o755)
    SqliteStore(tmp_path / "mine" / "x.db").close()
    SqliteStore(tmp_path / "new" / "x.db").close()
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["x.db"]
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["x.db"]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    """The message names the path and the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        SqliteStore(tmp_path / "file" / "runs.db")


def test_what_was_stored_is_there_after_opening_again(path, item, record):
    """Items, groups and records outlive the process."""
    with closing(SqliteStore(path)) as store:
        store.put([item("a")])
        (group,) = store.due(now_ns=2**62)
        store.save([Folded(group=group, sequence=1, records=[record("r")])])
    with closing(SqliteStore(path)) as store:
        assert store.record("r") is not None
        assert store.put([item("a")]).duplicates == 1


def test_a_newer_database_is_refused(path):
    """An older program does not guess."""
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(StoreError, match="upgrade agent-otel"):
        SqliteStore(path)


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE theirs (x)", "PRAGMA user_version = 1", "PRAGMA application_id = 5"]
)
def test_a_database_of_somebody_else_is_refused(tmp_path, statement):
    """It is left as it is."""
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'items'").fetchone() == (0,)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """Whatever it is, it is named."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but longer than the header of one " * 10)
    with pytest.raises(StoreError, match=r"notes\.txt"):
        SqliteStore(path)


def test_a_step_that_fails_leaves_nothing_behind(tmp_path):
    """Its statements and the note that it was done are one transaction; the steps before it stay."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        migrate(connection)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, [*STEPS, ("CREATE TABLE half (x)", "CREATE NONSENSE")])
        assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)
        migrate(connection, [*STEPS, ("CREATE TABLE whole (x)",)])
        assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS) + 1,)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_a_step_that_another_process_did_meanwhile_is_not_done_again(tmp_path):
    """The version is asked again once the database is locked."""

    class Racing(sqlite3.Connection):
        def execute(self, sql, *parameters):
            if sql == "BEGIN IMMEDIATE":
                with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
                    migrate(other)
            return super().execute(sql, *parameters)

    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None, factory=Racing)) as connection:
        migrate(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)


def test_a_database_that_stays_locked_is_an_error(path, item):
    """Waiting ends, with a message, and nothing is half done."""
    with closing(SqliteStore(path, busy_s=0.05)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"):
                store.put([item("a")])
            other.execute("ROLLBACK")
        assert store.put([item("a")]).stored == 1


def test_whoever_waits_has_a_turn_beside_a_writer_that_hardly_pauses(path, item):
    """A worker is not kept from its claims by a processor that commits one large batch after the other."""
    over, holding = threading.Event(), threading.Event()

    def write():
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
            while not over.wait(0.003):
                other.execute("BEGIN IMMEDIATE")
                holding.set()
                over.wait(0.25)
                holding.clear()
                other.execute("COMMIT")

    with closing(SqliteStore(path, busy_s=2)) as store, ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            for number in range(6):
                assert holding.wait(10)
                assert store.put([item(f"{number}")]).stored == 1
        finally:
            over.set()
        writing.result()


def test_a_new_file_that_stays_locked_is_an_error(path):
    """Also where the very first thing cannot be done."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            SqliteStore(path, busy_s=0.05)


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_forked_child_has_a_connection_of_its_own(path, item, in_memory):
    """Parent and child both go on; in memory, each has its own from then on."""
    with closing(SqliteStore(None if in_memory else path)) as store:
        store.put([item("before")])
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if store.put([item("child")]).stored and store.stats().items == 2 else 2
                store.close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.put([item("after")]).stored == 1
        assert store.stats().items == (2 if in_memory else 3)


def test_a_child_that_went_elsewhere_uses_the_same_file(tmp_path, item, monkeypatch):
    """A path given relative to a folder means that folder for ever."""
    monkeypatch.chdir(tmp_path)
    with closing(SqliteStore(Path("runs.db"))) as store:
        child = os.fork()
        if child == 0:
            os.chdir("/")
            os._exit(0 if store.put([item("child")]).stored else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.put([item("child")]).duplicates == 1


def test_a_child_that_only_closes_leaves_the_parent_alone(path, item):
    """The connection is the parent's, and is not closed by the child."""
    with closing(SqliteStore(path)) as store:
        child = os.fork()
        if child == 0:
            store.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.put([item("a")]).stored == 1


def test_every_lifecycle_is_counted(path):
    """The counts are kept by the database, which knows the lifecycles by name."""
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        counted = {name for (name,) in connection.execute("SELECT lifecycle FROM lifecycles")}
    assert counted == set(get_args(Lifecycle))


def test_opening_a_database_twice_lets_go_of_no_lock(tmp_path, item, python):
    """What a process writes is kept, though it opened the file again, and another process came and went meanwhile."""
    path = tmp_path / "runs.db"
    first, second = SqliteStore(path), SqliteStore(path)
    first.put([item("a")])
    # The last to close a database moves its log into it and deletes that; who thinks so wrongly destroys it.
    done = python(f"import sqlite3; c = sqlite3.connect({str(path)!r}); c.execute('SELECT * FROM items'); c.close()")
    assert done.returncode == 0, done.stderr
    first.put([item("b")])
    assert second.stats().items == 2
    text = f"import sqlite3; print(sqlite3.connect({str(path)!r}).execute('SELECT count(*) FROM items').fetchone()[0])"
    assert python(text).stdout == "2\n"
    first.close()
    second.close()
