"""Stores to hold to the contract, and small items and records to put into them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from agent_otel.model.item import Item
from agent_otel.model.record import Agent, Base, Finding, RunRecord
from agent_otel.store.base import Store
from agent_otel.store.postgres.store import PostgresStore
from agent_otel.store.sqlite import SqliteStore
from real.postgres import PostgresServer


class Clock:
    """A time that goes when told to."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000_000

    def __call__(self) -> int:
        """The time."""
        return self.now_ns

    def pass_s(self, seconds: float) -> int:
        """Lets time pass, and tells the new one."""
        self.now_ns += int(seconds * 1e9)
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    """The time the stores see."""
    return Clock()


@pytest.fixture(scope="session")
def _postgres_tables(postgres: PostgresServer) -> str:
    """A database with the tables of the store; making them takes longer than most tests."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE contract")
    PostgresStore(postgres.url("contract")).close()
    return postgres.url("contract")


@pytest.fixture
def postgres_emptied(_postgres_tables: str) -> str:
    """The same database for all tests, with nothing in its tables."""
    with psycopg.connect(_postgres_tables) as connection:
        connection.execute(
            "TRUNCATE agent_otel.groups, agent_otel.links, agent_otel.origins, agent_otel.items, agent_otel.records,"
            " agent_otel.counters RESTART IDENTITY"
        )
    return _postgres_tables


# A new kind of store joins the contract by one line.
STORES: dict[str, Callable[[pytest.FixtureRequest, Clock], Store]] = {
    "sqlite-file": lambda test, clock: SqliteStore(test.getfixturevalue("tmp_path") / "runs.db", clock=clock),
    "sqlite-memory": lambda _, clock: SqliteStore(None, clock=clock),
    "postgres": lambda test, clock: PostgresStore(test.getfixturevalue("postgres_emptied"), clock=clock),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Store]:
    """An empty store of each kind."""
    opened = STORES[request.param](request, clock)
    yield opened
    opened.close()


def make_item(key: str, *links: str, says: str = "", time_ns: int = 5, resource: bytes = b"resource") -> Item:
    """An item; what it ``says`` tells copies of one key apart."""
    raw = f"{key} {says}".encode()
    return Item(
        signal="log" if key.startswith("log:") else "span",
        key=key,
        digest=hashlib.blake2b(raw, digest_size=16).digest(),
        links=links or (f"trace:{key}",),
        time_ns=time_ns,
        resource=resource,
        scope=b"scope",
        raw=raw,
        repaired=says == "repaired",
    )


def make_record(run_id: str, **fields: object) -> RunRecord:
    """A record; short names for what lies deeper."""
    agent = fields.pop("agent", None)
    repository = fields.pop("repository", None)
    rules = fields.pop("rules", ())
    return RunRecord(
        **{  # type: ignore[arg-type]  # a test's own arguments
            "run_id": run_id,
            "lifecycle": "settled",
            "outcome": "ended",
            "agent": Agent(name=agent),
            "base": Base(repository=repository),
            "findings": tuple(Finding(rule=rule, severity="error", message=rule) for rule in rules),
            **fields,
        }
    )


@pytest.fixture(scope="session")
def item() -> Callable[..., Item]:
    """Makes an item."""
    return make_item


@pytest.fixture(scope="session")
def record() -> Callable[..., RunRecord]:
    """Makes a record."""
    return make_record


EQUAL = (
    (
        "SELECT id, items FROM groups",
        "SELECT groups.id, count(item) FROM groups LEFT JOIN members ON group_id = groups.id GROUP BY groups.id",
    ),
    ("SELECT value FROM counters WHERE name = 'items'", "SELECT count(*) FROM items"),
    ("SELECT value FROM counters WHERE name = 'groups'", "SELECT count(*) FROM groups"),
    ("SELECT value FROM counters WHERE name = 'expired'", "SELECT coalesce(sum(expired), 0) FROM groups"),
    ("SELECT id FROM items", "SELECT item FROM members"),
    (
        "SELECT id, items FROM contents",
        (
            "SELECT content, count(*) FROM (SELECT resource AS content FROM items"
            " UNION ALL SELECT scope FROM items) GROUP BY content"
        ),
    ),
    (
        "SELECT lifecycle, records FROM lifecycles WHERE records > 0",
        "SELECT lifecycle, count(*) FROM records GROUP BY 1",
    ),
    ("SELECT DISTINCT group_id FROM links", "SELECT id FROM groups"),
    ("SELECT count(*) FROM findings LEFT JOIN records USING (run_id, started) WHERE document IS NULL", "SELECT 0"),
    ("SELECT count(*) FROM terms LEFT JOIN records USING (run_id, started) WHERE document IS NULL", "SELECT 0"),
    ("SELECT count(*) FROM records LEFT JOIN groups ON id = group_id WHERE id IS NULL", "SELECT 0"),
    (
        "SELECT run_id FROM records WHERE waiting_since_ns IS NULL",
        "SELECT run_id FROM records WHERE emitted >= revision",
    ),
)
"""What the tables of SQLite say twice, so that it need not be counted."""


@pytest.fixture(scope="session")
def sound() -> Callable[[Path], None]:
    """Checks a database file: for SQLite, and for what we keep in it."""

    def check(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            for kept, counted in EQUAL:
                assert sorted(connection.execute(kept)) == sorted(connection.execute(counted)), kept

    return check
