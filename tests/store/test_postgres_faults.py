"""PostgreSQL under real trouble: servers that go, crash and come back, weak settings, races to be first, forks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import psycopg
import pytest

from agent_otel.errors import StoreError
from agent_otel.store.base import RecordQuery
from agent_otel.store.postgres.migrations import migrate
from agent_otel.store.postgres.store import PostgresStore
from agent_otel.store.postgres.tables import STEPS
from real.postgres import PostgresServer

PATIENCE_S = 60


@pytest.fixture(scope="module")
def server():
    """A server that may be stopped, since nobody else uses it."""
    with closing(PostgresServer()) as started:
        yield started


@pytest.fixture
def url(server, request):
    """A database of the test's own on that server."""
    name = f"test_{abs(hash(request.node.name))}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url(name)


def put_in_the_end(store, item):
    """Puts the item as a sender would: again until it is accepted."""
    ends_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_s:
        with suppress(StoreError):
            return store.put([item])
    return pytest.fail("the server did not come back")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_goes_and_comes_back_is_used_again(server, url, item, mode):
    """Errors in between, which a sender may retry; nothing that was acknowledged is lost."""
    with closing(PostgresStore(url, wait_s=0.5)) as store:
        store.put([item("before")])
        server.stop(mode)
        try:
            for _ in range(2):
                with pytest.raises(StoreError, match=r"^postgresql://agent_otel@127.0.0.1:\d+/test_\d+: "):
                    store.put([item("meanwhile")])
            with pytest.raises(StoreError, match="refused"):
                store.stats()
        finally:
            server.start()
        assert put_in_the_end(store, item("after")).stored == 1
        assert store.stats().items == 2
        assert sorted(each.key for group in store.due(now_ns=2**62) for each in store.items(group).items) == [
            "after",
            "before",
        ]


def test_what_was_acknowledged_survives_crashes_of_the_server(server, url, item):
    """Crash in the middle of the work, time and again: whatever was acknowledged is there, and counted."""
    acknowledged = []
    stop = threading.Event()

    def send(name):
        number = 0
        while not stop.is_set():
            put_in_the_end(store, item(f"{name}-{number}", f"trace:{name}-{number // 10}"))
            acknowledged.append(f"{name}-{number}")
            number += 1

    with closing(PostgresStore(url, wait_s=0.5)) as store, ThreadPoolExecutor(3) as pool:
        senders = [pool.submit(send, name) for name in "abc"]
        try:
            for _ in range(4):
                enough = len(acknowledged) + 30
                ends_s = time.monotonic() + PATIENCE_S
                while len(acknowledged) < enough:
                    assert time.monotonic() < ends_s
                    stop.wait(0.01)
                server.stop("immediate")
                server.start()
        finally:
            stop.set()
        for sender in senders:
            sender.result()
        stored = [each.key for group in store.due(now_ns=2**62) for each in store.items(group).items]
        assert set(acknowledged) <= set(stored)
        assert len(stored) == len(set(stored)) == store.stats().items


def test_every_connection_commits_durably(postgres_url, item):
    """Whatever the database's default is; a stronger setting stays."""
    name = postgres_url.rpartition("/")[2]
    for default, expected in (("off", "on"), ("local", "on"), ("remote_write", "on"), ("remote_apply", "remote_apply")):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = '{default}'")
        with closing(PostgresStore(postgres_url)) as store:
            store.put([item("a")])
            with store._database.session() as one, store._database.session() as other:
                for session in (one, other):
                    assert session.execute("SHOW synchronous_commit").fetchone() == (expected,)


def test_a_newer_database_is_refused(postgres_url):
    """An older program does not guess."""
    PostgresStore(postgres_url).close()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("INSERT INTO agent_otel.steps (number) VALUES (%s)", (len(STEPS) + 1,))
    with pytest.raises(StoreError, match=f"version {len(STEPS) + 1}, this program reads up to .*: upgrade agent-otel"):
        PostgresStore(postgres_url)


def test_an_old_server_is_refused(postgres_url):
    """With the version that is needed."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        with pytest.raises(StoreError, match=r"PostgreSQL 99 or newer is needed, this is \d\d$"):
            migrate(connection, oldest=99)


def test_a_schema_of_somebody_else_is_refused(postgres_url):
    """It is left as it is; what lies in other schemas is nobody's business."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE items (x integer)")
    PostgresStore(postgres_url).close()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP SCHEMA agent_otel CASCADE; CREATE SCHEMA agent_otel")
    with pytest.raises(StoreError, match="made by another program"):
        PostgresStore(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname IN ('agent_otel', 'public')")
        assert tables.fetchall() == [("items",)]


def test_many_processes_may_be_the_first(postgres_url):
    """A new database is made once, whoever comes first."""
    program = (
        "import sys; from agent_otel.store.open import open_store; sys.stdin.read(); open_store(sys.argv[1]).close()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    processes = [
        subprocess.Popen([sys.executable, "-c", program, postgres_url], stdin=subprocess.PIPE, env=environment)
        for _ in range(4)
    ]
    for process in processes:
        process.stdin.close()
    assert [process.wait(PATIENCE_S) for process in processes] == [0, 0, 0, 0]
    with psycopg.connect(postgres_url) as connection:
        done = connection.execute("SELECT number FROM agent_otel.steps ORDER BY number").fetchall()
        assert done == [(number,) for number in range(1, len(STEPS) + 1)]


def test_a_step_that_fails_leaves_nothing_behind(postgres_url):
    """Its statements and the note that it was done are one transaction; the steps before it stay."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        migrate(connection)
        with pytest.raises(psycopg.errors.SyntaxError):
            migrate(connection, [*STEPS, ("CREATE TABLE agent_otel.half (x integer)", "CREATE NONSENSE")])
        assert connection.execute("SELECT to_regclass('agent_otel.half')").fetchone() == (None,)
        migrate(connection, [*STEPS, ("CREATE TABLE agent_otel.whole (x integer)",)])
        assert connection.execute("SELECT max(number) FROM agent_otel.steps").fetchone() == (len(STEPS) + 1,)


def test_a_forked_child_has_connections_of_its_own(postgres_url, python):
    """Parent and child both go on, and a child that ends takes nothing along."""
    done = python(
        "import os, sys\n"
        "from agent_otel.store.open import open_store\n"
        f"store = open_store({postgres_url!r})\n"
        "assert store.stats().items == 0\n"
        "for closes in (False, True):\n"
        "    if not (child := os.fork()):\n"
        "        counted = None if closes else store.stats().items\n"
        "        store.close()\n"
        "        os._exit(0 if closes or counted == 0 else 1)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    assert store.stats().items == 0\n"
        "store.close()\n"
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_where_all_connections_are_busy_one_waits_and_gives_up(postgres_url, item):
    """With an error that a sender may retry."""
    with closing(PostgresStore(postgres_url, wait_s=0.2)) as store:
        store.put([item("a")])
        sessions = [store._database.session() for _ in range(8)]
        for session in sessions:
            session.__enter__()
        with pytest.raises(StoreError, match="couldn't get a connection"):
            store.put([item("b")])
        for session in sessions:
            session.__exit__(None, None, None)
        assert store.put([item("b")]).stored == 1


def test_the_password_is_not_shown(postgres_url):
    """Neither in the representation, nor in messages."""
    secret = postgres_url.replace("agent_otel@", "agent_otel:sesame@")
    with closing(PostgresStore(secret, wait_s=0.2)) as store:
        assert "agent_otel:***@" in repr(store)
        assert "sesame" not in repr(store) + repr(store._database)
    with pytest.raises(StoreError) as caught:
        store.records(RecordQuery())
    assert "sesame" not in str(caught.value)


def test_an_item_that_was_stored_under_another_link_is_a_duplicate(postgres_url, item):
    """A newer program may find another link in it; it is there once, and nothing is tried for ever."""
    with closing(PostgresStore(postgres_url)) as store:
        assert store.put([item("a", "trace:1")]).stored == 1
        result = store.put([item("a", "trace:2"), item("b", "trace:2")])
        assert (result.stored, result.duplicates) == (1, 1)
        assert store.stats().items == 2
