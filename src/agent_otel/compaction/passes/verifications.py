"""The checks: those that ran, those that were skipped, and required ones of which nothing was seen.

What ran is what the run declared, and what its command lines show: a line that tests, lints or builds is a check,
whether somebody declared it or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from agent_otel.compaction.passes.commands import Commands
from agent_otel.compaction.runs import Run
from agent_otel.compaction.shell.checks import Check, checks
from agent_otel.compaction.shell.counts import clean, counts, failing
from agent_otel.model.contract import RequiredCheck
from agent_otel.model.fact import CommandRun, TaskStarted, VerificationRan
from agent_otel.model.record import (
    CheckKind,
    Command,
    CommandResult,
    Counts,
    EvidenceFile,
    Level,
    Verification,
    VerificationOutcome,
)

NEVER_STARTED: tuple[CommandResult, ...] = ("denied", "not_started")
ENDED: tuple[CommandResult, ...] = ("passed", "failed", "timed_out")


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
    declared = {name for entry in stated for name in entry.evidence}
    wanted = list(_required(required, declared, commands))
    drafts += [_Draft(fact.time_ns, 1, entry) for fact, entry in wanted]
    drafts += [_Draft(fact.time_ns, 2, entry) for fact, entry in _recognised(required, declared, commands)]
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
        level=_level(command, fact.files) if fact.outcome != "not_run" else None,
        command=line or None,
        command_id=command.id if command else None,
        tree=command.tree if command else None,
        evidence=evidence,
        files=fact.files,
        derived=fact.derived,
        span=fact.ref or None,
        missing=fact.missing,
    )


def _is(check: RequiredCheck, name: str, line: str) -> bool:
    return check.name == name or bool(check.command and line and fnmatchcase(line, check.command))


def _level(command: Command | None, files: Sequence[EvidenceFile] = ()) -> Level:
    """How much stands behind a check: bound where a file does whose digest is known, of its own or of its command."""
    if any(file.sha256 for file in (*files, *(command.files if command else ()))):
        return "bound"
    return "claimed" if command is None or command.observer == "agent" else "observed"


def _required(
    required: Sequence[RequiredCheck], declared: Collection[str], commands: Commands
) -> Iterator[tuple[CommandRun, Verification]]:
    """The last run of each required check, where the run did not declare it: the command line says what it was."""
    last = {entry.command: place for place, entry in enumerate(commands.entries)} if required else {}
    for check in required:
        if not check.command:
            continue
        place = max((place for line, place in last.items() if fnmatchcase(line, check.command)), default=None)
        if place is None or commands.entries[place].id in declared:
            continue
        fact, entry = commands.facts[place], commands.entries[place]
        seen = checks(entry.command)
        known = seen[0]._replace(name=check.name) if len(seen) == 1 else _whole_line(check.name)
        yield fact, _derived(known, entry, required=True, kind=known.kind if len(seen) == 1 else None)


def _recognised(
    required: Sequence[RequiredCheck], declared: Collection[str], commands: Commands
) -> Iterator[tuple[CommandRun, Verification]]:
    """Every run of what is a check by its command line, and neither declared nor required."""
    patterns = [check.command for check in required if check.command]
    for fact, entry in zip(commands.facts, commands.entries, strict=True):
        if entry.id not in declared and not any(fnmatchcase(entry.command, pattern) for pattern in patterns):
            seen = checks(entry.command)
            tools = Counter(check.tool for check in seen)
            for check in seen:
                # Of two runs of a tool in one line nobody knows whose the summary is.
                alone = None if tools[check.tool] > 1 else len(seen) == 1
                yield fact, _derived(check, entry, required=False, kind=check.kind, alone=alone)


def _whole_line(name: str) -> Check:
    """A check that is a line as a whole, whatever that runs: its exit code is that of the line."""
    return Check(kind="test", tool="", name=name, decides=True, blamed=True)


def _derived(
    check: Check, entry: Command, *, required: bool, kind: CheckKind | None, alone: bool | None = True
) -> Verification:
    """The check as a verification.

    ``alone`` is False where its line runs other checks too, None where several of them print alike.
    """
    started = entry.result not in NEVER_STARTED
    output = (entry.output and entry.output.tail) or ""
    tallied = counts(output, check.tool, alone=alone) if alone is not None and entry.result in ENDED else None
    outcome, reason = _outcome(check, entry, tallied, output if alone else "")
    return Verification(
        id="",
        check=check.name,
        outcome=outcome,
        kind=kind,
        counts=tallied,
        required=required,
        reason=reason,
        level=_level(entry) if started else None,
        command=entry.command,
        command_id=entry.id,
        tree=entry.tree,
        evidence=(entry.id,),
        derived=True,
        span=entry.span,
    )


def _outcome(
    check: Check, entry: Command, tallied: Counts | None, output: str
) -> tuple[VerificationOutcome, str | None]:
    """What became of a check, and why, where the exit code of its line does not tell.

    The output has its say: a summary that counts failures is one, whatever a pipe made of the exit code. A pass by
    the output alone takes numbers that nothing else in it speaks against.
    """
    bad = (tallied.failed or 0) + (tallied.errors or 0) if tallied else 0
    passed = entry.result == "passed"
    if entry.result not in ENDED:
        return ("not_run", f"command {entry.result}") if entry.result in NEVER_STARTED else ("unknown", None)
    if bad or (not passed and check.blamed):
        return "fail", f"its output counts {bad} that went wrong" if passed else None
    if passed and check.decides:
        return "pass", None
    if failing(output):
        return "fail", "its output says that it failed"
    if clean(tallied, (entry.output and entry.output.tail) or ""):
        return "pass", "by what its output counts; the exit code is not its own"
    return "unknown", "the exit code of its line is not its own"


def _unseen(required: Sequence[RequiredCheck], seen: Sequence[Verification]) -> Iterator[Verification]:
    for check in required:
        if not any(entry.required and _is(check, entry.check, entry.command or "") for entry in seen):
            yield Verification(id="", check=check.name, outcome="not_run", required=True)
