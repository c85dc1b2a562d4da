"""What failed, as the agent said and as the telemetry shows, and which later command put it right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from agent_otel.compaction.passes.commands import Commands
from agent_otel.compaction.runs import Run
from agent_otel.model.fact import AgentInvoked, AnyFact, CommandRun, FailureSeen, ModelCalled, ToolCalled
from agent_otel.model.record import CommandResult, Failure, Verification

FAILED: tuple[CommandResult, ...] = ("failed", "timed_out", "not_started")


class _Draft(msgspec.Struct, frozen=True):
    time_ns: int
    ref: str
    entry: Failure


def failures_of(run: Run, commands: Commands, verifications: Sequence[Verification]) -> tuple[Failure, ...]:
    """The failures of a run in order of time, f1 the first."""
    stated = list(_stated(run, commands))
    told = {draft.entry.command_id for draft in stated}
    drafts = [*stated, *_commands(commands, told), *_tools(run, commands)]
    drafts += _ends(run, {draft.entry.error for draft in drafts})
    drafts.sort(key=lambda draft: (draft.time_ns, draft.ref, draft.entry.command_id or "", draft.entry.error or ""))
    position = {entry.id: number for number, entry in enumerate(commands.entries)}
    return tuple(
        msgspec.structs.replace(
            draft.entry, id=f"f{number}", resolved_by=_resolution(draft, commands, verifications, position)
        )
        for number, draft in enumerate(drafts, start=1)
    )


def _stated(run: Run, commands: Commands) -> Iterator[_Draft]:
    taken: set[str] = set()
    for fact in run.all(FailureSeen):
        command_id = commands.ids.get(fact.command_id) or _by_line(fact, commands, taken)
        taken |= {command_id or ""}
        entry = Failure(
            id="",
            error=fact.error or None,
            command=fact.command or _line(commands, command_id),
            command_id=command_id,
            tool=fact.tool or None,
            error_type=fact.error_type or None,
            suspected_cause=fact.suspected_cause or None,
            source="agent" if fact.stated else "observed",
            span=fact.ref or None,
            missing=fact.missing,
        )
        yield _Draft(fact.time_ns, fact.ref, entry)


def _by_line(fact: FailureSeen, commands: Commands, taken: set[str]) -> str | None:
    """The last failed command with that line before the statement, of those nobody has spoken of."""
    found = [
        entry.id
        for command, entry in zip(commands.facts, commands.entries, strict=True)
        if fact.command and entry.command == fact.command and entry.result in FAILED
        if entry.id not in taken and command.time_ns <= fact.time_ns
    ]
    return found[-1] if found else None


def _line(commands: Commands, command_id: str | None) -> str | None:
    return next((entry.command for entry in commands.entries if entry.id == command_id), None)


def _commands(commands: Commands, told: Iterable[str | None]) -> Iterator[_Draft]:
    for fact, entry in zip(commands.facts, commands.entries, strict=True):
        if entry.result in FAILED and entry.id not in told:
            yield _observed(
                fact,
                command=entry.command,
                command_id=entry.id,
                error=f"exit code {entry.exit_code}" if entry.exit_code is not None else entry.result.replace("_", " "),
            )


def _tools(run: Run, commands: Commands) -> Iterator[_Draft]:
    """Failed tool calls, without those that are the span of a command: the command says it better."""
    refs = {fact.ref for fact in commands.facts}
    seen: set[tuple[str, str]] = set()
    for fact in sorted(run.all(ToolCalled), key=lambda fact: -fact.time_ns):
        if fact.outcome != "failed" or fact.ref in refs or fact.command_id in commands.ids:
            continue
        # One exception on its way out fails every call around it; the innermost started last and tells it.
        what = (fact.error_type, fact.error)
        if fact.error and what in seen:
            continue
        seen.add(what)
        yield _observed(fact, tool=fact.name, error=fact.error or None, error_type=fact.error_type or None)


def _ends(run: Run, told: Iterable[str | None]) -> Iterator[_Draft]:
    """What ended the run: the last model call when it failed, and what the run itself raised."""
    models = run.all(ModelCalled)
    success = max((call.end_ns for call in models if not call.failed), default=-1)
    last: Sequence[ModelCalled | AgentInvoked] = [
        *(call for call in models if call.failed and call.end_ns > success),
        *(top for top in run.tops if top.outcome == "failed" and top.end_ns >= success),
    ]
    told = {*told, None}
    for fact in last[-1:] if len({fact.error for fact in last}) == 1 else last:
        if (fact.error or fact.error_type) and fact.error not in told:
            yield _observed(fact, error=fact.error or None, error_type=fact.error_type or None)


def _observed(fact: AnyFact, **fields: str | None) -> _Draft:
    return _Draft(fact.time_ns, fact.ref, Failure(id="", source="observed", span=fact.ref or None, **fields))


def _resolution(
    draft: _Draft, commands: Commands, verifications: Sequence[Verification], position: dict[str, int]
) -> str | None:
    """A later run of the same command line that passed, else a later pass of the check that had failed."""
    failure = draft.entry
    for command, entry in zip(commands.facts, commands.entries, strict=True):
        later = (
            position[entry.id] > position[failure.command_id] if failure.command_id else command.time_ns > draft.time_ns
        )
        if failure.command and entry.command == failure.command and entry.result == "passed" and later:
            return entry.id
    checks = {entry.check for entry in verifications if failure.command_id and failure.command_id in entry.evidence}
    failed_at = [number for number, entry in enumerate(verifications) if failure.command_id in entry.evidence]
    for entry in verifications[max(failed_at, default=0) :]:
        if entry.check in checks and entry.outcome == "pass" and failure.command_id not in entry.evidence:
            return entry.command_id or entry.id
    return None
