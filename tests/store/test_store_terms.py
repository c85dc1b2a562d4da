"""What a record can be found by beside its columns, and databases that are older than that."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from agent_otel.model.record import ChangedFile, Check, Failure, Finding, Task, Verification
from agent_otel.store.base import Folded, RecordQuery
from agent_otel.store.postgres.migrations import migrate as migrate_postgres
from agent_otel.store.postgres.store import PostgresStore
from agent_otel.store.postgres.tables import STEPS as POSTGRES_STEPS
from agent_otel.store.sqlite import SqliteStore
from agent_otel.store.terms import LONGEST, asked, terms


@pytest.fixture
def judged(record):
    """A record with two checks, one of which nothing ran, and a file that was moved."""
    return record(
        "r1",
        started="2026-05-18T09:00:00.000Z",
        task=Task(required_checks=(Check(name="e2e"),)),
        verifications=(
            Verification(id="v1", check="unit", outcome="fail", verdict="failed"),
            Verification(id="v2", check="unit", outcome="pass", verdict="proved"),
        ),
        failures=(Failure(id="f1", fingerprint="command:make:.:ab"), Failure(id="f2")),
        findings=(Finding(rule="x", severity="error", message="m", fingerprint="x:-:.:-"),),
        changed_files=(ChangedFile(path="b.py", operation="move", old_path="a.py"),),
    )


def test_terms_tell_where_checks_stand_and_what_was_changed(judged):
    """The verification that counts, or none at all; a file by its old path too."""
    assert terms(judged) == [
        "check:e2e", "check:unit", "file:a.py", "file:b.py", "fingerprint:command:make:.:ab", "fingerprint:x:-:.:-",
        "not_run:e2e", "proved:unit", "verdict:not_run",
        "verdict:proved",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, []),
        ({"check": "unit"}, ["check:unit"]),
        ({"verdict": "stale"}, ["verdict:stale"]),
        ({"check": "unit", "verdict": "stale"}, ["stale:unit"]),
        ({"file": "a.py", "check": "unit"}, ["file:a.py", "check:unit"]),
        ({"fingerprint": "x:-:.:-"}, ["fingerprint:x:-:.:-"]),
    ],
)
def test_a_query_asks_for_terms(query, expected):
    """A check and a verdict hold together."""
    assert asked(RecordQuery(**query)) == expected


def test_long_terms_stay_apart():
    """An index takes no text of any length; what is cut is told apart by its digest."""
    one, other = (asked(RecordQuery(file="x" * 5000 + end))[0] for end in "ab")
    assert one != other
    assert max(len(one), len(other)) < LONGEST + 20


def test_an_older_file_is_found_by_them_too(tmp_path, clock, item, judged):
    """What was stored before there were terms gets them when the database is opened."""
    path = tmp_path / "runs.db"
    with closing(SqliteStore(path, clock=clock)) as store:
        store.put([item("a")])
        store.save([Folded(group=store.due(now_ns=2**62)[0], sequence=1, records=[judged])])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE terms")
        connection.execute("DELETE FROM counters WHERE name = 'notes'")
        connection.execute("PRAGMA user_version = 1")
    with closing(SqliteStore(path, clock=clock)) as store:
        found = [store.records(RecordQuery(**{name: value})) for name, value in FOUND]
        assert [len(each) for each in found] == [1] * len(FOUND)


def test_an_older_database_is_found_by_them_too(postgres_url, clock, item, judged):
    """In PostgreSQL by the verifications there are; where a check stands, once it is folded again."""
    with closing(PostgresStore(postgres_url, clock=clock)) as store:
        store.put([item("a")])
        store.save([Folded(group=store.due(now_ns=2**62)[0], sequence=1, records=[judged])])
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE agent_otel.records DROP COLUMN terms")
        connection.execute("DELETE FROM agent_otel.steps WHERE number > 1")
        migrate_postgres(connection, POSTGRES_STEPS[:2])
        (found,) = connection.execute("SELECT terms FROM agent_otel.records").fetchone()
    assert sorted(found) == [
        "check:unit", "failed:unit", "file:a.py", "file:b.py", "proved:unit", "verdict:failed", "verdict:proved",
    ]  # fmt: skip


FOUND = (
    ("check", "unit"),
    ("check", "e2e"),
    ("verdict", "proved"),
    ("verdict", "not_run"),
    ("file", "a.py"),
    ("fingerprint", "x:-:.:-"),
)
