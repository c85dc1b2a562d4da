"""What did the run know? Its task, where it started from, its context, the files it read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent_otel.model.record import FileInspected, RunRecord
from agent_otel.review.outline.shape import Code, Line, Own, Part, fact, joined, line, listed, part
from agent_otel.review.wording import count


def knew(record: RunRecord) -> Iterator[Part]:
    """The parts that answer the first question."""
    yield from part("Task", _task(record))
    yield from part("Started from", _base(record))
    yield from listed("Context", (line(source.name) for source in record.context_sources))
    yield from listed("Files inspected", (_file(file) for file in record.files_inspected))


def _task(record: RunRecord) -> Iterator[Line]:
    task = record.task
    yield from fact("objective", task.objective) or (line(Own("objective: not recorded"), tone="warn"),)
    for text in task.follow_ups:
        yield from fact("asked later", text)
    yield from fact("active behavior", task.active_behavior)
    yield from fact("acceptance", task.acceptance)
    yield from fact("scope", *joined(task.scope, Code))
    yield from fact("excluded", *joined(task.exclusions, Code))
    yield from fact("off limits", *joined(task.off_limits, Code))
    for check in task.required_checks:
        yield from fact("required check", check.name, *((Own(" = "), Code(check.command)) if check.command else ()))


def _base(record: RunRecord) -> Iterable[Line]:
    base = record.base
    pieces = [
        *((base.repository, Own(" ")) if base.repository else ()),
        *((Code(base.branch), Own(" ")) if base.branch else ()),
        *((Own("at "), Code(base.commit[:12])) if base.commit else ()),
        *((Own(", with uncommitted changes" if base.dirty else ", clean"),) if base.dirty is not None else ()),
    ]
    return (line(*pieces),) if pieces else (line(Own("no repository was recorded"), tone="dim"),)


def _file(file: FileInspected) -> Line:
    details = [
        *((Own(" lines "), file.lines) if file.lines else ()),
        *((Own(": "), file.reason) if file.reason else ()),
        *((Own(f" ({count(file.reads, 'read')})"),) if file.reads > 1 else ()),
    ]
    return line(Code(file.path), *details)
