"""Rules about files: read before edited, in scope, not off limits."""

from __future__ import annotations

from collections.abc import Iterator

from agent_otel.model.record import ChangedFile, RunRecord, Severity
from agent_otel.review.gaps import hiding_reads
from agent_otel.review.globs import first_match, is_path_pattern
from agent_otel.review.rules.base import Notice
from agent_otel.review.wording import count


def unread_edit(record: RunRecord) -> Iterator[Notice]:
    """A file edited by a tool that was not read before; created files have nothing to read."""
    unread = [
        file for file in record.changed_files if file.read_before is False and file.operation in ("edit", "delete")
    ]
    hidden = hiding_reads(record)
    if unread and (hidden or not record.files_inspected):
        why = f"reads may be missing ({', '.join(hidden)})" if hidden else "reads were not recorded"
        yield Notice(
            f"{why}: whether {count(len(unread), 'edited file was', 'edited files were')} read first cannot be told",
            tuple(file.path for file in unread),
            "info",
            "capture",
        )
        return
    for file in unread:
        if file.source == ("git",):
            yield Notice(f"{file.path} was changed, by no edit that was seen, and never read", (file.path,), "info")
        else:
            yield Notice(f"{file.path} was edited without having been read", (file.path,))


def out_of_scope(record: RunRecord) -> Iterator[Notice]:
    """A changed file outside the task's scope, or inside its exclusions."""
    scope = [pattern for pattern in record.task.scope if is_path_pattern(pattern)]
    # Where part of the scope is prose, a path outside the patterns may still be meant.
    severity: Severity | None = None if len(scope) == len(record.task.scope) else "info"
    exclusions = [pattern for pattern in record.task.exclusions if is_path_pattern(pattern)]
    for file in record.changed_files:
        excluded = _covered(file, exclusions)
        if excluded is not None:
            yield Notice(f"{file.path} was changed, and the task excludes {excluded!r}", (file.path,))
        elif scope and not all(first_match(path, scope) for path in _paths(file)):
            yield Notice(f"{file.path} was changed, outside the scope of the task", (file.path,), severity)


def off_limits(record: RunRecord) -> Iterator[Notice]:
    """A file that no task may touch was changed, or read."""
    patterns = record.task.off_limits
    for file in record.changed_files:
        pattern = _covered(file, patterns)
        if pattern is not None:
            yield Notice(f"{file.path} was changed, and {pattern!r} is off limits", (file.path,))
    for read in record.files_inspected:
        pattern = first_match(read.path, patterns)
        if pattern is not None:
            yield Notice(f"{read.path} was read, and {pattern!r} is off limits", (read.path,), "warning")


def _paths(file: ChangedFile) -> tuple[str, ...]:
    """A moved file is touched in both places."""
    return (file.path, file.old_path) if file.old_path else (file.path,)


def _covered(file: ChangedFile, patterns: tuple[str, ...] | list[str]) -> str | None:
    return next((pattern for path in _paths(file) if (pattern := first_match(path, patterns))), None)
