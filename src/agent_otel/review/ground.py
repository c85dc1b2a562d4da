"""What verdicts are measured against: the commands of a run, the tree it ended on, and when it was last edited."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from agent_otel.model.record import ChangedFile, Command, RunRecord
from agent_otel.review.gaps import hides_edits, hiding_commands

Edits = Literal["none", "timed", "untimed"]


class Ground(NamedTuple):
    """The parts of a record that say what evidence is worth.

    ``reruns`` has the last run with a known result of each command line and directory. ``edits`` tells whether it is
    known when the files were last edited: ``untimed`` when at least one changed file does not say. ``gapless`` when no
    edit can be missing; ``hidden`` are the limits for which commands can.
    """

    commands: dict[str, Command]
    order: dict[str, int]
    reruns: dict[tuple[str, str | None], Command]
    globs: dict[str, str]
    final_tree: str | None
    edits: Edits
    last_edit: datetime | None
    gapless: bool
    hidden: tuple[str, ...] = ()


def ground(record: RunRecord) -> Ground:
    """What the verifications of ``record`` are measured against."""
    times = [moment(file.last_edit) for file in record.changed_files]
    return Ground(
        commands={command.id: command for command in record.commands},
        order={command.id: place for place, command in enumerate(record.commands)},
        reruns={_line(command): command for command in record.commands if command.result in _RAN},
        globs={check.name: check.command for check in record.task.required_checks if check.command},
        final_tree=record.final.tree,
        edits=_edits(record.changed_files, times),
        last_edit=max((time for time in times if time is not None), default=None),
        gapless=not hides_edits(record.capture),
        hidden=hiding_commands(record),
    )


def started(command: Command) -> datetime | None:
    """When a command started, where that was recorded."""
    return moment(command.started)


def counted(cited: Iterable[Command], base: Ground) -> list[Command]:
    """The runs that decide: of each cited command line its last run, in the order of the run."""
    last: dict[tuple[str, str | None], Command] = {}
    for command in sorted(cited, key=lambda command: base.order[command.id]):
        rerun = base.reruns.get(_line(command), command)
        last[_line(command)] = rerun if base.order[rerun.id] > base.order[command.id] else command
    return list(last.values())


_RAN = ("passed", "failed", "timed_out")


def _line(command: Command) -> tuple[str, str | None]:
    return command.command, command.directory


def _edits(files: tuple[ChangedFile, ...], times: list[datetime | None]) -> Edits:
    if not files:
        return "none"
    return "timed" if None not in times else "untimed"


def moment(text: str | None) -> datetime | None:
    """The moment an RFC 3339 text names; ``None`` for anything else (Python 3.10 does not read the ``Z``)."""
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
