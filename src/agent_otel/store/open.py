"""Opens the store that a URL names."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from agent_otel.errors import MissingExtra, SettingsError, suggestion
from agent_otel.store.base import Store
from agent_otel.store.sqlite import SqliteStore
from agent_otel.store.urls import masked, scheme

_LONGEST_WAIT_S: Final = 5.0

Clock = Callable[[], int]


def open_store(url: str | Path, *, clock: Clock = time.time_ns, patience_s: float = 30.0) -> Store:
    """The store at ``sqlite:///relative/path``, ``sqlite:////absolute/path``, a plain path, or ``postgresql://…``.

    Args:
        url: where it is.
        clock: gives the time in ns.
        patience_s: how long to wait for a database that others hold locked, or that is not there, before refusing.

    Raises:
        SettingsError: no store is named like this.
        MissingExtra: the driver of the database is not installed.
        StoreError: the database cannot be used.
    """
    if isinstance(url, Path):
        return SqliteStore(url, clock=clock, busy_s=patience_s)
    kind = scheme(url)
    if kind not in KINDS:
        message = f"no database is opened by {masked(url)!r}: {suggestion(f'{kind}://', FORMS)}"
        raise SettingsError(message)
    return KINDS[kind](url, clock, patience_s)


def file_of(url: str | Path) -> Path | None:
    """The file that a URL or path names; None where the database is no file.

    Raises:
        SettingsError: the URL is one of a file, and not written like that.
    """
    if isinstance(url, Path):
        return url
    read = _FILES.get(scheme(url))
    return read(url) if read is not None else None


def _path(url: str) -> Path:
    if not url:
        message = f"expected a database, got nothing; known: {', '.join(FORMS)}"
        raise SettingsError(message)
    return Path(url).expanduser()


def _path_of_sqlite(url: str) -> Path:
    host, slash, path = url.partition("://")[2].partition("/")
    if host or not slash or not path:
        message = f"expected sqlite:///relative/path or sqlite:////absolute/path, got {url!r}"
        raise SettingsError(message)
    return Path(path)


_FILES: Final[Mapping[str, Callable[[str], Path]]] = {"": _path, "sqlite": _path_of_sqlite}


def _sqlite(url: str, clock: Clock, patience_s: float) -> Store:
    return SqliteStore(file_of(url), clock=clock, busy_s=patience_s)


def _postgres(url: str, clock: Clock, patience_s: float) -> Store:
    try:
        from agent_otel.store.postgres.store import PostgresStore  # noqa: PLC0415 - psycopg may be absent
    except ImportError as exc:
        what = "PostgreSQL storage"
        raise MissingExtra(what, "psycopg", extra="postgres") from exc
    # Senders are better told to come back soon than kept waiting for a server that is away.
    return PostgresStore(url, clock=clock, wait_s=min(patience_s, _LONGEST_WAIT_S))


KINDS: Final[Mapping[str, Callable[[str, Clock, float], Store]]] = {
    "": _sqlite,
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
}
"""Scheme of a URL to what opens it."""

FORMS: Final = ("sqlite:///", "postgresql://", "postgres://")
