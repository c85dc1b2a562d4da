"""The ground of a run: the areas that it edited with no file of theirs read before, and those that it read in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import msgspec

from agent_otel.model.record import ChangedFile, RunRecord
from agent_otel.review.fingerprints.areas import ROOT, area
from agent_otel.review.gaps import hiding_reads, losses

MOST_AREAS: Final = 50
MOST_FILES: Final = 5
"""Of a run so many areas, and of an area so many files."""

_EDITED: Final = ("edit", "delete", "move")


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run worked.

    ``main`` is the area of most of what it changed. ``unread`` are areas with the files that were edited there though
    none was read before; empty where the telemetry cannot show reads. ``read`` are areas that were read in.
    """

    main: str = ROOT
    unread: dict[str, tuple[str, ...]] = {}
    read: frozenset[str] = frozenset()


def ground_of(record: RunRecord) -> Ground:
    """The ground of a run; what lies at the top of a repository or outside of it is in no area."""
    base = min((each.directory for each in record.commands if each.directory), key=len, default=None)
    changed = [(file, _area(file.path, base)) for file in record.changed_files]
    read = frozenset(_read(record, changed, base))
    unread: dict[str, list[str]] = defaultdict(list)
    for file, where in changed if _shows_reads(record) else ():
        if where != ROOT and where not in read and _is_edited(file):
            unread[where].append(file.path)
    counted = Counter(where for _, where in changed if where != ROOT)
    return Ground(
        main=min(counted, key=lambda where: (-counted[where], where), default=ROOT),
        unread={where: tuple(unread[where][:MOST_FILES]) for where in sorted(unread)[:MOST_AREAS]},
        read=frozenset(sorted(read)[:MOST_AREAS]),
    )


def _shows_reads(record: RunRecord) -> bool:
    """True where a read that there was would be in the record; one without any read may not record them at all."""
    return bool(record.files_inspected) and not hiding_reads(record) and not losses(record)


def _read(record: RunRecord, changed: list[tuple[ChangedFile, str]], base: str | None) -> Iterator[str]:
    """The areas in which a file was read; a file that was first read after its edit shows nothing of what was known."""
    later = {file.path for file, _ in changed if file.read_before is False}
    yield from (_area(file.path, base) for file in record.files_inspected if file.path not in later)
    yield from (where for file, where in changed if file.read_before)


def _is_edited(file: ChangedFile) -> bool:
    """True for what an edit was seen of, and was there before; programs change files that nobody has to read."""
    return file.read_before is False and file.operation in _EDITED and "tool" in file.source


def _area(path: str, base: str | None) -> str:
    return area(path, directory=base) or ROOT
