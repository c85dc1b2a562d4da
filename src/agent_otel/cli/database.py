"""Where a command reads: the options that say so, and what they open."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from agent_otel import settings
from agent_otel.cli.records import Records, StoreRecords
from agent_otel.cli.remote import RemoteRecords, TlsSettings
from agent_otel.compaction.policy import Policy
from agent_otel.errors import NotFound
from agent_otel.service.fold import fold_due
from agent_otel.service.settings import FoldSettings
from agent_otel.store.base import Store
from agent_otel.store.locate import find_database
from agent_otel.store.open import file_of, open_store

CommandT = TypeVar("CommandT", bound=Callable[..., object])

database_option: Final = click.option(
    "--db",
    "database",
    metavar="URL",
    help=(
        "The database: a path, sqlite:///path or postgresql://…; by default AGENT_OTEL_DB, or the nearest "
        ".agent-otel/runs.db upwards."
    ),
)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where to read: the database or the processor that was named, or else the database of the working directory."""

    database: str | None = None
    url: str | None = None
    token: str = ""


def source_options(command: Callable[..., object]) -> Callable[..., object]:
    """Adds ``--db``, ``--url`` and ``--token`` to a command, which gets them as ``source``."""

    @click.option("--url", metavar="URL", help="Ask the processor at this URL instead, such as http://127.0.0.1:4318.")
    @click.option(
        "--token",
        envvar="AGENT_OTEL_TOKEN",
        default="",
        help="Shown to the processor. Others can see it on a command line: better set AGENT_OTEL_TOKEN.",
    )
    @functools.wraps(command)
    def with_source(*, database: str | None, url: str | None, token: str, **rest: Any) -> object:
        if database is not None and url is not None:
            message = "choose one of --db and --url"
            raise click.UsageError(message)
        return command(source=Source(database=database, url=url, token=token), **rest)

    return database_option(with_source)


def located(database: str | None) -> str | Path:
    """The database that was named, or the one of the working directory; it need not exist."""
    return database if database is not None else find_database(Path.cwd(), os.environ)


@contextmanager
def existing_records(source: Source) -> Iterator[Records]:
    """The records at ``source``.

    Raises:
        NotFound: there is no such file; reading does not make one.
        SettingsError: this is nothing to read from, or we are not let in.
        StoreError: it cannot be read.
    """
    if source.url is not None:
        tls = settings.read(TlsSettings, environ=os.environ)
        with closing(RemoteRecords(source.url, token=source.token, tls=tls)) as remote:
            yield remote
    else:
        with existing_store(source.database) as store:
            yield StoreRecords(store)


def chosen_policy(abandoned_after_s: float | None = None) -> Policy:
    """How to compact: as was asked for, else as the environment says, which processors of the database read too.

    Raises:
        SettingsError: that cannot be.
    """
    return settings.read(FoldSettings, arguments={"abandoned_after_s": abandoned_after_s}, environ=os.environ).policy


@contextmanager
def existing_store(database: str | None, *, policy: Policy | None = None) -> Iterator[Store]:
    """The store at ``database``, a file with its due records folded: nobody else may do that for a run that was killed.

    A database of another kind has processors, whose work it is.

    Raises:
        NotFound: there is no such file; reading does not make one.
        SettingsError: it is no database.
        StoreError: it cannot be used.
    """
    where = located(database)
    file = file_of(where)
    if file is not None and not file.exists():
        message = f"no database at {file}: run an instrumented agent in this folder, or name a database with --db"
        raise NotFound(message)
    with closing(open_store(where)) as store:
        if file is not None:
            fold_due(store, now_ns=time.time_ns(), policy=policy or chosen_policy())
        yield store
