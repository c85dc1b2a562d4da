"""Which files the run looked at, and which it changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from agent_otel.compaction.paths import normalise
from agent_otel.compaction.runs import Run
from agent_otel.compaction.times import rfc3339
from agent_otel.model.fact import FileChanged, FileRead
from agent_otel.model.record import ChangedFile, FileInspected

NEW = ("create", "write")
"""Operations that need no reading before: the file was new, or may have been."""


def inspected_of(run: Run, root: str) -> tuple[FileInspected, ...]:
    """The files that were read, in order of their first reading."""
    reads: dict[str, list[FileRead]] = defaultdict(list)
    for fact in run.all(FileRead):
        reads[normalise(fact.path, root)].append(fact)
    return tuple(_inspected(path, found) for path, found in reads.items())


def _inspected(path: str, found: Sequence[FileRead]) -> FileInspected:
    missing = set(found[0].missing).intersection(*(fact.missing for fact in found))
    return FileInspected(
        path=path,
        reason=next((fact.reason for fact in found if fact.reason), None),
        reads=len(found),
        digest=next((fact.digest for fact in found if fact.digest), None),
        lines=next((fact.lines for fact in found if fact.lines), None),
        span=found[0].ref or None,
        missing=tuple(sorted(missing)),
    )


def changed_of(run: Run, root: str) -> tuple[ChangedFile, ...]:
    """The files that were changed, by path; the final diff knows more than the edits that were seen."""
    changes: dict[str, list[FileChanged]] = defaultdict(list)
    for fact in run.all(FileChanged):
        changes[normalise(fact.path, root)].append(fact)
    first_read: dict[str, int] = {}
    for read in run.all(FileRead):
        first_read.setdefault(normalise(read.path, root), read.time_ns)
    return tuple(_changed(path, changes[path], first_read, root) for path in sorted(changes))


def _changed(path: str, found: Sequence[FileChanged], first_read: dict[str, int], root: str) -> ChangedFile:
    edits = [fact for fact in found if fact.source == "tool"]
    diff = [fact for fact in found if fact.source == "git"]
    operation = diff[-1].operation if diff else _operation(edits)
    old_path = normalise(next((fact.old_path for fact in reversed(diff or edits) if fact.old_path), ""), root)
    names = [name for name in (path, old_path) if name]
    before = [first_read[name] for name in names if name in first_read]
    deadline = edits[0].time_ns if edits else None
    read_before = any(deadline is None or time_ns < deadline for time_ns in before)
    return ChangedFile(
        path=path,
        operation=operation,
        lines_added=_sum([fact.lines_added for fact in (diff[-1:] or edits)]),
        lines_removed=_sum([fact.lines_removed for fact in (diff[-1:] or edits)]),
        edits=len(edits) or None,
        read_before=None if operation in NEW and not read_before else read_before,
        last_edit=rfc3339(edits[-1].time_ns) if edits else None,
        old_path=old_path or None,
        source=tuple(sorted({fact.source for fact in found})),
        span=(edits or diff)[0].ref or None,
    )


def _operation(edits: Sequence[FileChanged]) -> str:
    """What all edits come to: a file that was created and then edited was created."""
    first, last = edits[0].operation, edits[-1].operation
    if last in ("delete", "move"):
        return last
    return first if first in (*NEW, "move") else last


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
