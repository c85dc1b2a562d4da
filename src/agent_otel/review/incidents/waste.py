"""Time that was lost inside of a run: work that it rolled back, and the same command failing over and over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from agent_otel.model.record import Command, RunRecord

LOOP: Final = 3
"""Failures of one command line in a row, after which it is a loop."""

_ROLLBACK: Final = re.compile(
    r"\bgit\s+(?:-C\s+\S+\s+)?"
    r"(?:reset\s+(?:\S+\s+)*--hard\b|(?:checkout|restore)\s+(?:-\S+\s+|--\s+|HEAD\s+)*\.(?:\s|$)|clean\s+-\w*f)"
)
_KEPT: Final = re.compile(r"\bgit\s+(?:-C\s+\S+\s+)?commit\b")


class Waste(NamedTuple):
    """How much time was lost, and what on: ``rolled_back`` times, and the command that ``looped``."""

    seconds: float = 0.0
    rolled_back: int = 0
    looped: str = ""


class _Span(NamedTuple):
    start: datetime
    end: datetime


def wasted(record: RunRecord) -> Waste:
    """The time that a run lost; nothing where its commands do not say when they ran."""
    commands = [(when, command) for command in record.commands if (when := moment(command.started)) is not None]
    commands.sort(key=lambda each: each[0])
    rolled = list(_rollbacks(record, commands))
    loops = list(_loops(commands))
    seconds = _length([*rolled, *(span for span, _ in loops)])
    longest = max(loops, key=lambda each: each[0].end - each[0].start, default=(None, ""))
    return Waste(seconds, len(rolled), longest[1])


def rolls_back(line: str) -> bool:
    """True for a command line that throws away all work since the last commit."""
    return _ROLLBACK.search(line) is not None


def moment(text: str | None) -> datetime | None:
    """The moment that a record states; None where it states none."""
    try:
        found = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _rollbacks(record: RunRecord, commands: list[tuple[datetime, Command]]) -> Iterator[_Span]:
    """Since the start, the last commit or the last roll back, all work is gone."""
    since = moment(record.started)
    for when, command in commands:
        if command.result != "passed":
            continue
        if rolls_back(command.command):
            if since is not None and since < when:
                yield _Span(since, when)
            since = when
        elif _KEPT.search(command.command):
            since = when


def _loops(commands: list[tuple[datetime, Command]]) -> Iterator[tuple[_Span, str]]:
    """From the first failure of a command line to the end of the last one, where there are so many in a row."""
    failing: dict[str, list[tuple[datetime, Command]]] = {}
    for when, command in commands:
        row = failing.setdefault(command.command, [])
        if command.result in ("failed", "timed_out"):
            row.append((when, command))
        elif command.result == "passed":
            yield from _loop(row)
            failing[command.command] = []
    for row in failing.values():
        yield from _loop(row)


def _loop(row: list[tuple[datetime, Command]]) -> Iterator[tuple[_Span, str]]:
    if len(row) >= LOOP:
        when, last = row[-1]
        yield _Span(row[0][0], when + timedelta(seconds=max(last.duration_s or 0.0, 0.0))), last.command


def _length(spans: list[_Span]) -> float:
    """The seconds in any of the spans, each once."""
    total, reached = 0.0, None
    for span in sorted(spans):
        start = span.start if reached is None else max(span.start, reached)
        if span.end > start:
            total += (span.end - start).total_seconds()
            reached = span.end
    return total
