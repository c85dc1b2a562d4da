"""Dialects from elsewhere: installed packages bring them by the entry point group ``agent_otel.dialects``.

An entry point names a class, or anything else that gives a dialect when it is called without arguments. One that cannot
be had, or whose name is taken, is left out and reported; telemetry is folded all the same.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import msgspec

from agent_otel.compaction.dialects.base import Dialect
from agent_otel.compaction.dialects.guarded import Guarded
from agent_otel.compaction.dialects.table import DIALECTS, beside
from agent_otel.errors import SettingsError

GROUP: Final = "agent_otel.dialects"
OWN: Final = "agent-otel"
_METHODS: Final = ("claims", "place", "backdrop", "read")

_logger = logging.getLogger("agent_otel.dialects")
_said: Final[set[tuple[str, str, str]]] = set()
"""Which failures were reported: the same one comes with every fold."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A dialect, and the package and version it comes from."""

    dialect: Dialect
    origin: str = OWN


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The dialects from elsewhere, and what is the matter with those that could not be had."""

    known: tuple[Known, ...] = ()
    problems: tuple[str, ...] = ()


def load(found: Iterable[EntryPoint]) -> Loaded:
    """The dialects that entry points bring, in the order of their names."""
    taken = {dialect.name: OWN for dialect in DIALECTS}
    known: list[Known] = []
    problems: list[str] = []
    for entry in sorted(found, key=lambda entry: (entry.name, entry.value)):
        origin = _origin(entry)
        try:
            dialect = _made(entry, taken)
        except Exception as exc:  # noqa: BLE001 - whatever a package does when it is imported, telemetry is folded
            problems.append(f"the dialect {entry.name!r} ({entry.value}) of {origin} is left out: {_words(exc)}")
            continue
        taken[dialect.name] = origin
        known.append(Known(dialect=dialect, origin=origin))
    return Loaded(known=tuple(known), problems=tuple(problems))


def for_a_fold() -> tuple[Dialect, ...]:
    """All dialects, in the order in which they are asked, those from elsewhere under guard."""
    return beside(Guarded(each.dialect, _failed) for each in installed().known)


def listed() -> Loaded:
    """All dialects, in the order in which they are asked, with where they come from."""
    loaded = installed()
    origins = {id(each.dialect): each for each in loaded.known}
    table = beside(each.dialect for each in loaded.known)
    return Loaded(
        known=tuple(origins.get(id(dialect), Known(dialect=dialect)) for dialect in table), problems=loaded.problems
    )


@cache
def installed() -> Loaded:
    """What is installed in this environment, looked for once in a process."""
    loaded = load(entry_points(group=GROUP))
    for problem in loaded.problems:
        _logger.warning("%s", problem)
    return loaded


def _failed(name: str, exc: Exception) -> None:
    """Says once what a dialect fails with, and where; not the message, which may hold what telemetry said."""
    where = traceback.extract_tb(exc.__traceback__)[-1]
    said = (name, type(exc).__name__, f"{where.filename}:{where.lineno}")
    if said not in _said:
        _said.add(said)
        _logger.warning("the dialect %r failed: %s at %s; records it could not read say so", *said)


def _made(entry: EntryPoint, taken: dict[str, str]) -> Dialect:
    dialect: Dialect = entry.load()()
    for name, kind in (("name", str), ("about", str), ("scopes", tuple)):
        if not isinstance(value := getattr(dialect, name, None), kind) or (kind is str and not value):
            message = f"expected its {name!r} to be a {kind.__name__}, got {value!r}"
            raise SettingsError(message)
    if missing := [name for name in _METHODS if not callable(getattr(dialect, name, None))]:
        message = f"it has no method {missing[0]!r}"
        raise SettingsError(message)
    if dialect.name in taken:
        message = f"the name {dialect.name!r} is taken by the dialect of {taken[dialect.name]}"
        raise SettingsError(message)
    return dialect


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unknown package"


def _words(exc: Exception) -> str:
    return str(exc) if isinstance(exc, SettingsError) else f"{type(exc).__name__}: {exc}"
