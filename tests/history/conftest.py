"""The history, and a store of each kind that it is kept in."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import psycopg
import pytest

from agent_otel.model.item import Item
from history.kept import add_later, items_of, keep
from history.plan import History


@pytest.fixture(scope="session")
def history() -> History:
    """What was planted."""
    return History()


@pytest.fixture(scope="session")
def items(history: History) -> list[Item]:
    """What the runs sent."""
    return items_of(history.runs)


def _sqlite(request: pytest.FixtureRequest, items: list[Item]) -> str:
    """In the order of the stories."""
    database = str(request.getfixturevalue("tmp_path_factory").mktemp("history") / "runs.db")
    keep(items, database)
    return database


def _postgresql(request: pytest.FixtureRequest, items: list[Item]) -> str:
    """In any order, and a quarter of it twice."""
    server = request.getfixturevalue("postgres")
    with psycopg.connect(server.url(), autocommit=True) as connection, suppress(psycopg.errors.DuplicateDatabase):
        connection.execute("CREATE DATABASE history")
    chosen = random.Random(7)
    mixed = [*items, *chosen.sample(items, len(items) // 4)]
    chosen.shuffle(mixed)
    keep(mixed, server.url("history"))
    return str(server.url("history"))


STORES: dict[str, Callable[[pytest.FixtureRequest, list[Item]], str]] = {"sqlite": _sqlite, "postgresql": _postgresql}


@pytest.fixture(scope="session", params=STORES)
def kept(request: pytest.FixtureRequest, history: History, items: list[Item]) -> str:
    """The database of each kind that the history is kept in."""
    database = STORES[request.param](request, items)
    add_later(history.runs, database)
    return database
