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

Clock = Callable[[], int]


def open_store(url: str | Path, *, clock: Clock = time.time_ns) -> Store:
    """The store at ``sqlite:///relative/path``, ``sqlite:////absolute/path``, a plain path, or ``postgresql://…``.

    Args:
        url: where it is.
        clock: gives the time in ns.

    Raises:
        SettingsError: no store is named like this.
        MissingExtra: the driver of the database is not installed.
        StoreError: the database cannot be used.
    """
    if isinstance(url, Path):
        return SqliteStore(url, clock=clock)
    kind = scheme(url)
    if kind not in KINDS:
        message = f"no database is opened by {masked(url)!r}: {suggestion(f'{kind}://', FORMS)}"
        raise SettingsError(message)
    return KINDS[kind](url, clock)


def _path(url: str, clock: Clock) -> Store:
    if not url:
        message = f"expected a database, got nothing; known: {', '.join(FORMS)}"
        raise SettingsError(message)
    return SqliteStore(Path(url).expanduser(), clock=clock)


def _sqlite(url: str, clock: Clock) -> Store:
    host, slash, path = url.partition("://")[2].partition("/")
    if host or not slash or not path:
        message = f"expected sqlite:///relative/path or sqlite:////absolute/path, got {url!r}"
        raise SettingsError(message)
    return SqliteStore(Path(path), clock=clock)


def _postgres(url: str, clock: Clock) -> Store:
    try:
        from agent_otel.store.postgres.store import PostgresStore  # noqa: PLC0415 - psycopg may be absent
    except ImportError as exc:
        what = "PostgreSQL storage"
        raise MissingExtra(what, "psycopg", extra="postgres") from exc
    return PostgresStore(url, clock=clock)


KINDS: Final[Mapping[str, Callable[[str, Clock], Store]]] = {
    "": _path,
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
}
"""Scheme of a URL to what opens it."""

FORMS: Final = ("sqlite:///", "postgresql://", "postgres://")
