"""One SQLite connection that the threads of a process share, set up so that a commit survives a crash."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from agent_otel.errors import StoreError
from agent_otel.store.files import prepare
from agent_otel.store.migrations import migrate

_INHERITED: Final[list[sqlite3.Connection]] = []
"""Connections of a parent process. SQLite forbids a child to use or close them (sqlite.org/howtocorrupt.html, 2.6)."""


_LOOK_MS: Final = 18
"""After so long a wait SQLite begins again with its shortest pauses (1, 2, 5 and 10 ms)."""

_LOCKED: Final = "database is locked"
"""What SQLite says where waiting helps; its number of the error is known from Python 3.11 on only."""


class _Opened(msgspec.Struct, frozen=True):
    """What one process uses, kept together: nobody takes the lock of one connection and then another connection."""

    connection: sqlite3.Connection
    lock: threading.Lock
    pid: int
    file: tuple[int, int] | None


class Connection:
    """A database file, or (path None) a database in memory.

    A file that is removed is not made again, and nothing is told to be written until it is back: an empty database in
    the place of a volume that was not mounted would be believed to be all there is.

    Args:
        path: the file.
        busy_s: how long to wait for another process that is writing.

    Raises:
        StoreError: it cannot be opened, is not ours, or is newer than this program.
    """

    def __init__(self, path: Path | None, *, busy_s: float) -> None:
        # A forked child opens it again, and may have gone to another folder.
        self.path = path.absolute() if path else None
        self._busy_s = busy_s
        self._name = str(self.path) if path else ":memory:"
        self._closed = False
        self._opened = self._open()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Everything inside is committed together at the end, or undone.

        Raises:
            StoreError: the database refused.
        """
        opened = self._here()
        with opened.lock, self._wrapped():
            self._begin(opened.connection, write=write)
            try:
                yield opened.connection
                opened.connection.execute("COMMIT")
                if write:
                    self._check(opened)
            except BaseException:
                # A full disk may have rolled back already.
                if opened.connection.in_transaction:
                    opened.connection.execute("ROLLBACK")
                raise

    def _begin(self, connection: sqlite3.Connection, *, write: bool) -> None:
        """Begins a transaction; one that writes has its turn soon, however busy others are.

        SQLite knows no queue: whoever waits looks again, and in the end but ten times a second, so that a writer that
        hardly pauses is hardly ever met in a pause.
        """
        if not write:
            connection.execute("BEGIN")
            return
        deadline = time.monotonic() + self._busy_s
        connection.execute(f"PRAGMA busy_timeout = {_LOOK_MS}")
        try:
            while not _has_turn(connection, last=time.monotonic() > deadline):
                pass
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(1000 * self._busy_s)}")

    def close(self) -> None:
        """Closes the connection; twice equals once. In a forked child there is none to close."""
        self._closed = True
        opened = self._opened
        if opened.pid == os.getpid():
            with opened.lock, self._wrapped():
                opened.connection.close()

    def _here(self) -> _Opened:
        """What this process uses; a forked child opens the file anew (memory is its own already)."""
        opened = self._opened
        if self._closed:
            message = f"{self._name}: the store is closed"
            raise StoreError(message)
        if self.path is None:
            return opened
        if opened.pid != os.getpid():
            _INHERITED.append(opened.connection)
            self._opened = self._open()
        elif (file := self._file()) != opened.file:
            if file is None:
                message = f"{self._name}: the file is gone"
                raise StoreError(message)
            self._follow(opened)
        return self._opened

    def _follow(self, opened: _Opened) -> None:
        """Goes over to the file that has come into the place of the one that was open: a backup, for example."""
        with opened.lock:
            if self._opened is opened:
                opened.connection.close()
                self._opened = self._open()

    def _check(self, opened: _Opened) -> None:
        # SQLite goes on writing to a file that was removed, and says nothing.
        if self._file() != opened.file:
            message = "the file was removed or replaced while it was written to"
            raise StoreError(message)

    def _file(self) -> tuple[int, int] | None:
        """Which file has the name now; None where there is none, or no file at all."""
        if self.path is None:
            return None
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _open(self) -> _Opened:
        if self.path is not None:
            prepare(self.path)
        with self._wrapped():
            connection = self._connect()
            try:
                # Seven agent-like spans to a page instead of one: half the file, half the time. Only new files hear.
                connection.execute("PRAGMA page_size = 16384")
                # What a large transaction changes stays in memory until it is committed, and is written once.
                connection.execute("PRAGMA cache_size = -16384")
                _use_write_ahead_log(connection, self._busy_s)
                connection.execute("PRAGMA synchronous = FULL")
                migrate(connection)
            except BaseException:
                connection.close()
                raise
        return _Opened(connection, threading.Lock(), os.getpid(), self._file())

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._name, timeout=self._busy_s, isolation_level=None, check_same_thread=False)

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, StoreError) as exc:
            message = f"{self._name}: {exc}"
            raise StoreError(message) from exc


def _has_turn(connection: sqlite3.Connection, *, last: bool) -> bool:
    """Whether nobody else is writing now; if this was the last try, they are why there is none.

    Raises:
        sqlite3.OperationalError: it was the last, or waiting does not help.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as exc:
        if last or str(exc) != _LOCKED:
            raise
        return False
    return True


def _use_write_ahead_log(connection: sqlite3.Connection, busy_s: float) -> None:
    """Switches the journal; SQLite does not wait by itself where two processes do this to a new file at once."""
    deadline = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # noqa: PERF203 - it is tried again
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
