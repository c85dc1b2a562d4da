"""What a reviewer has before him: the files that a record names, and the state of the repository they lie in."""

from __future__ import annotations

import msgspec

from agent_otel.model.record import Command, EvidenceFile, RunRecord, Verification
from agent_otel.review.reports.report import Report
from agent_otel.review.verified.weakened import ChangedTest


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that was looked for: its digest and what it reports, or the ``problem`` for which there is none."""

    sha256: str | None = None
    report: Report | None = None
    problem: str | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The repository that the files lie in.

    ``trees`` are the git trees that it stands for, of the work tree and of its last commit; empty where there is no
    repository. ``tests`` are the tests that the run changed; None where no diff could be had.
    """

    trees: tuple[str, ...] = ()
    tests: tuple[ChangedTest, ...] | None = None


def named_files(record: RunRecord) -> tuple[str, ...]:
    """The paths of all files that the evidence of a record names, each once."""
    commands = {command.id: command for command in record.commands}
    paths: dict[str, None] = {}
    for check in record.verifications:
        for path in (*(file.path for file in bound_to(check, commands)), *unbound(check, commands)):
            paths.setdefault(path)
    return tuple(paths)


def cited(check: Verification, commands: dict[str, Command]) -> list[Command]:
    """The commands of the record that a check names as its evidence."""
    names = dict.fromkeys((check.command_id or "", *check.evidence))
    return [commands[name] for name in names if name in commands]


def bound_to(check: Verification, commands: dict[str, Command]) -> list[EvidenceFile]:
    """The files that a check is bound to: its own, and those of the commands it names."""
    return [*check.files, *(file for command in cited(check, commands) for file in command.files)]


def unbound(check: Verification, commands: dict[str, Command]) -> list[str]:
    """What a check names as evidence that is no command, and of which no digest was recorded."""
    known = {*commands, *(file.path for file in bound_to(check, commands))}
    return [name for name in dict.fromkeys(check.evidence) if name not in known]
