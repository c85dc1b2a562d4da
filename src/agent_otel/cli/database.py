"""The database a command reads, brought up to date first."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from agent_otel.compaction.policy import Policy
from agent_otel.errors import NotFound
from agent_otel.model.record import RunRecord
from agent_otel.service.fold import fold_due
from agent_otel.store.base import RecordQuery, Store, cursor
from agent_otel.store.locate import find_database
from agent_otel.store.sqlite import SqliteStore

database_option: Final = click.option(
    "--db",
    "database",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The database; by default AGENT_OTEL_DB, or the nearest .agent-otel/runs.db upwards.",
)

_PAGE: Final = 200


def located(database: Path | None) -> Path:
    """The database that was named, or the one of the working directory; it need not exist."""
    return database if database is not None else find_database(Path.cwd(), os.environ)


@contextmanager
def existing_store(database: Path | None) -> Iterator[Store]:
    """The store at ``database``, with its due records folded: nobody else does that for a run that was killed.

    Raises:
        NotFound: there is no such file; reading does not make one.
    """
    path = located(database)
    if not path.exists():
        message = f"no database at {path}: run an instrumented agent in this folder, or name a database with --db"
        raise NotFound(message)
    store = SqliteStore(path)
    try:
        fold_due(store, now_ns=time.time_ns(), policy=Policy())
        yield store
    finally:
        store.close()


def every_record(store: Store) -> Iterator[RunRecord]:
    """All records, the latest run first, a page at a time."""
    after = ""
    while page := store.records(RecordQuery(after=after, limit=_PAGE)):
        yield from page
        after = cursor(page[-1])
