"""The checks: those that ran, those that were skipped, and required ones of which nothing was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from agent_otel.compaction.passes.commands import Commands
from agent_otel.compaction.runs import Run
from agent_otel.model.contract import RequiredCheck
from agent_otel.model.fact import CommandRun, TaskStarted, VerificationRan
from agent_otel.model.record import Command, CommandResult, Level, Verification, VerificationOutcome

OUTCOMES: dict[CommandResult, VerificationOutcome] = {"passed": "pass", "failed": "fail", "timed_out": "fail"}
NEVER_STARTED: tuple[CommandResult, ...] = ("denied", "not_started")


class _Draft(NamedTuple):
    time_ns: int
    order: int
    entry: Verification


def verifications_of(run: Run, started: TaskStarted | None, commands: Commands) -> tuple[Verification, ...]:
    """The checks of a run in order of time, v1 the first; what never ran stands last."""
    required = started.contract.required_checks if started else ()
    by_id = {entry.id: entry for entry in commands.entries}
    stated = [_stated(fact, commands.ids, by_id, required) for fact in run.all(VerificationRan)]
    drafts = [_Draft(fact.time_ns, 0, entry) for fact, entry in zip(run.all(VerificationRan), stated, strict=True)]
    drafts += [_Draft(fact.time_ns, 1, entry) for fact, entry in _derived(required, stated, commands)]
    entries = [draft.entry for draft in sorted(drafts, key=lambda draft: draft[:2])]
    entries += _unseen(required, entries)
    return tuple(msgspec.structs.replace(entry, id=f"v{number}") for number, entry in enumerate(entries, start=1))


def skipped_of(verifications: Sequence[Verification]) -> tuple[str, ...]:
    """The ids of checks that were not run, and did not run at another time either."""
    ran = {entry.check for entry in verifications if entry.outcome != "not_run"}
    return tuple(entry.id for entry in verifications if entry.outcome == "not_run" and entry.check not in ran)


def _stated(
    fact: VerificationRan, ids: Mapping[str, str], by_id: Mapping[str, Command], required: Sequence[RequiredCheck]
) -> Verification:
    evidence = tuple(ids.get(name, name) for name in fact.evidence)
    command = next((by_id[name] for name in reversed(evidence) if name in by_id), None)
    line = command.command if command else ""
    return Verification(
        id="",
        check=fact.check,
        outcome=fact.outcome,
        required=fact.required or any(_is(check, fact.check, line) for check in required),
        reason=fact.reason or None,
        unavailable=fact.unavailable,
        level=_level(command) if fact.outcome != "not_run" else None,
        command=line or None,
        command_id=command.id if command else None,
        tree=command.tree if command else None,
        evidence=evidence,
        derived=fact.derived,
        span=fact.ref or None,
        missing=fact.missing,
    )


def _is(check: RequiredCheck, name: str, line: str) -> bool:
    return check.name == name or bool(check.command and line and fnmatchcase(line, check.command))


def _level(command: Command | None) -> Level:
    return "claimed" if command is None or command.observer == "agent" else "observed"


def _derived(
    required: Sequence[RequiredCheck], stated: Sequence[Verification], commands: Commands
) -> Iterator[tuple[CommandRun, Verification]]:
    """The last run of each required check, where the run did not declare it: the command line says what it was."""
    declared = {name for entry in stated for name in entry.evidence}
    last = {entry.command: place for place, entry in enumerate(commands.entries)} if required else {}
    for check in required:
        if not check.command:
            continue
        place = max((place for line, place in last.items() if fnmatchcase(line, check.command)), default=None)
        if place is None or commands.entries[place].id in declared:
            continue
        fact, entry = commands.facts[place], commands.entries[place]
        started = entry.result not in NEVER_STARTED
        yield (
            fact,
            Verification(
                id="",
                check=check.name,
                outcome=OUTCOMES.get(entry.result, "unknown") if started else "not_run",
                required=True,
                reason=None if started else f"command {entry.result}",
                level=_level(entry) if started else None,
                command=entry.command,
                command_id=entry.id,
                tree=entry.tree,
                evidence=(entry.id,),
                derived=True,
                span=entry.span,
            ),
        )


def _unseen(required: Sequence[RequiredCheck], seen: Sequence[Verification]) -> Iterator[Verification]:
    for check in required:
        if not any(entry.required and _is(check, entry.check, entry.command or "") for entry in seen):
            yield Verification(id="", check=check.name, outcome="not_run", required=True)
