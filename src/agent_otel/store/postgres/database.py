"""Connections to a PostgreSQL database: set up so that a commit survives a crash, and given back when work is done."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, TypeVar

import msgspec
import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from agent_otel.errors import SettingsError, StoreError
from agent_otel.store.postgres.migrations import migrate
from agent_otel.store.urls import masked, without_secrets


class Session(Connection[TupleRow]):
    """A connection that knows when it was last in use."""

    used_s = 0.0


T = TypeVar("T")

MOST_CONNECTIONS: Final = 8
_TRUSTED_S: Final = 0.5
_TRIES: Final = 50
_LONGEST_PAUSE_S: Final = 0.05
_LONGEST_MESSAGE: Final = 1_000

_DEFAULTS: Final = {"application_name": "agent-otel", "connect_timeout": 10, "keepalives_idle": 30}
"""What a URL need not say."""

_SETUP: Final = (
    # An acknowledgement must survive a crash, whatever this database's default is. A stronger setting stays.
    """SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')""",
    # Nobody waits for ever: neither for the rows of another processor, nor others for the rows of one that hangs.
    "SET lock_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = '60s'",
)

_INHERITED: Final[list[ConnectionPool[Session]]] = []
"""Pools of a parent process: a child that let go of them would end the parent's connections."""


class Moved(Exception):  # noqa: N818 - not an error: the work begins again
    """Another processor changed what this transaction was about to build on.

    Args:
        groups: which groups to lock from the start, besides those known.
    """

    def __init__(self, groups: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.groups = groups


_BEGIN_AGAIN: Final = (Moved, errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)


class Attempt(msgspec.Struct, frozen=True):
    """A transaction that is open, and what was learnt in earlier ones that came to nothing."""

    session: Session
    groups: frozenset[int] = frozenset()
    """Which groups to lock from the start, besides those known."""
    first: bool = True


class _Opened(msgspec.Struct, frozen=True):
    pool: ConnectionPool[Session]
    pid: int


class Database:
    """A database by its URL, its tables up to date.

    Args:
        url: where it is, as libpq reads it.
        wait_s: how long to wait for a connection.

    Raises:
        SettingsError: this is no URL of a PostgreSQL database.
        StoreError: it cannot be reached, is not ours, or is newer than this program.
    """

    def __init__(self, url: str, *, wait_s: float) -> None:
        self.name = masked(url)
        self._url = url
        self._wait_s = wait_s
        self._closed = False
        self._options = self._parsed()
        with self._wrapped(), self._connect() as connection:
            migrate(connection)
        self._opened = self._open()

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection on which each statement is a transaction of its own.

        Raises:
            StoreError: the database refused, or cannot be reached.
        """
        pool = self._here()
        with self._wrapped():
            try:
                connection = pool.getconn(timeout=self._wait_s)
            except PoolTimeout:
                self._explain()
                raise
            try:
                yield connection
            finally:
                connection.used_s = time.monotonic()
                pool.putconn(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A connection on which all statements see the database as it is now.

        Raises:
            StoreError: the database refused, or cannot be reached.
        """
        with self.session() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            try:
                yield connection
            finally:
                # Where the connection is lost, so is the transaction.
                if not connection.closed:
                    connection.execute("ROLLBACK")

    def write(self, work: Callable[[Attempt], T]) -> T:
        """What the work gives, done in one transaction; from the start again where another processor got in its way.

        Raises:
            StoreError: the database refused, or cannot be reached; nothing was changed.
        """
        groups: frozenset[int] = frozenset()
        with self.session() as session:
            for number in range(_TRIES):
                try:
                    with session.transaction():
                        return work(Attempt(session, groups, first=not number))
                except _BEGIN_AGAIN as exc:  # noqa: PERF203 - it is tried again
                    reason = exc
                    groups |= exc.groups if isinstance(exc, Moved) else frozenset()
                    time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.001 * number)))  # noqa: S311 - no secret
        message = f"{self.name}: other processors changed the same groups {_TRIES} times in a row"
        raise StoreError(message) from reason

    def close(self) -> None:
        """Closes the connections; twice equals once. In a forked child there are none to close."""
        self._closed = True
        if self._opened.pid == os.getpid():
            self._opened.pool.close()

    def _here(self) -> ConnectionPool[Session]:
        """The connections of this process: a forked child has its own."""
        if self._opened.pid != os.getpid() and not self._closed:
            _INHERITED.append(self._opened.pool)
            self._opened = self._open()
        if self._closed:
            message = f"{self.name}: the store is closed"
            raise StoreError(message)
        return self._opened.pool

    def _open(self) -> _Opened:
        pool: ConnectionPool[Session] = ConnectionPool(
            kwargs={**self._options, "autocommit": True},
            min_size=0,
            max_size=MOST_CONNECTIONS,
            configure=_set_up,
            check=_check,
            connection_class=Session,
            timeout=self._wait_s,
            reconnect_timeout=self._wait_s,
            num_workers=1,
            name="agent-otel",
            open=True,
        )
        return _Opened(pool, os.getpid())

    @contextmanager
    def _connect(self) -> Iterator[Session]:
        """A connection beside those of the pool."""
        with closing(Session.connect(**self._options, autocommit=True)) as connection:
            _set_up(connection)
            yield connection

    def _explain(self) -> None:
        """Raises the reason why no connection can be had; returns where one can: then all were busy."""
        with self._connect():
            pass

    def _parsed(self) -> dict[str, Any]:
        try:
            return {**_DEFAULTS, **conninfo_to_dict(self._url)}
        except psycopg.Error as exc:
            message = f"{self.name} is no URL of a PostgreSQL database: {self._said(exc)}"
            raise SettingsError(message) from None  # the driver quotes what it cannot read, and be it a password

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, StoreError) as exc:
            message = f"{self.name}: {self._said(exc)}"
            raise StoreError(message) from exc

    def _said(self, exc: Exception) -> str:
        """The message on one line, without passwords."""
        return without_secrets(" ".join(str(exc).split()), self._url)[:_LONGEST_MESSAGE]


def _check(connection: Session) -> None:
    """Finds out whether the server is still there; not where it just was, since asking costs as much as a read."""
    if time.monotonic() - connection.used_s > _TRUSTED_S:
        ConnectionPool.check_connection(connection)


def _set_up(connection: Session) -> None:
    for statement in _SETUP:
        connection.execute(statement)
