"""What failed, as the agent said and as the telemetry shows, and which later command put it right."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from agent_otel.compaction.passes.commands import Commands
from agent_otel.compaction.runs import Run
from agent_otel.model.fact import AgentInvoked, AnyFact, FailureSeen, ModelCalled, ToolCalled
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
    resolutions = _Resolutions(commands, verifications)
    return tuple(
        msgspec.structs.replace(draft.entry, id=f"f{number}", resolved_by=resolutions.of(draft))
        for number, draft in enumerate(drafts, start=1)
    )


def _stated(run: Run, commands: Commands) -> Iterator[_Draft]:
    by_line: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for run_at, command in zip(commands.facts, commands.entries, strict=True):
        if command.result in FAILED:
            by_line[command.command].append((run_at.time_ns, command.id))
    lines = {command.id: command.command for command in commands.entries}
    for fact in run.all(FailureSeen):
        # Facts come in order of time, so the last failure of that line so far is the one that is spoken of.
        command_id = commands.ids.get(fact.command_id)
        of_line = by_line[fact.command] if fact.command else []
        before = bisect_right(of_line, fact.time_ns, key=itemgetter(0))
        if command_id is None and before:
            _, command_id = of_line.pop(before - 1)
        entry = Failure(
            id="",
            error=fact.error or None,
            command=fact.command or lines.get(command_id or ""),
            command_id=command_id,
            tool=fact.tool or None,
            error_type=fact.error_type or None,
            suspected_cause=fact.suspected_cause or None,
            source="agent" if fact.stated else "observed",
            span=fact.ref or None,
            missing=fact.missing,
        )
        yield _Draft(fact.time_ns, fact.ref, entry)


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
    # Log records name the span around them, or none: what several calls name tells nothing.
    named = Counter(fact.ref for fact in run.all(ToolCalled))
    refs = {fact.ref for fact in commands.facts if named[fact.ref] <= 1}
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
    failed = [agent for agent in run.all(AgentInvoked) if agent.outcome == "failed" and agent.end_ns >= success]
    tops = {top.ref for top in run.tops}
    last: list[ModelCalled | AgentInvoked] = [call for call in models if call.failed and call.end_ns > success]
    last += [agent for agent in failed if agent.ref in tops]
    tools = any(call.outcome == "failed" and call.time_ns >= success for call in run.all(ToolCalled))
    # A workflow may end well around an agent that fails (OpenAI Agents); nothing else tells of it then.
    last += () if last or tools else failed
    told = {*told, None}
    for fact in last[-1:] if len({fact.error for fact in last}) == 1 else last:
        if (fact.error or fact.error_type) and fact.error not in told:
            ended = _observed(fact, error=fact.error or None, error_type=fact.error_type or None)
            yield msgspec.structs.replace(ended, time_ns=fact.end_ns or fact.time_ns)


def _observed(fact: AnyFact, **fields: Any) -> _Draft:
    return _Draft(fact.time_ns, fact.ref, Failure(id="", source="observed", span=fact.ref or None, **fields))


class _Resolutions:
    """Finds what put a failure right: a later run of its command line that passed, else a later pass of its check."""

    def __init__(self, commands: Commands, verifications: Sequence[Verification]) -> None:
        self._started = {entry.id: fact.time_ns for fact, entry in zip(commands.facts, commands.entries, strict=True)}
        self._passed: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for fact, entry in zip(commands.facts, commands.entries, strict=True):
            if entry.result == "passed":
                self._passed[entry.command].append((fact.time_ns, entry.id))
        self._checks: dict[str, str] = {}
        self._passes: dict[str, tuple[int, str]] = {}
        for number, check in enumerate(verifications):
            self._checks.update(dict.fromkeys(check.evidence, check.check))
            if check.outcome == "pass":
                self._passes[check.check] = (number, check.command_id or check.id)
        self._last_failed = {
            name: number
            for number, check in enumerate(verifications)
            if check.outcome == "fail"
            for name in check.evidence
        }

    def of(self, draft: _Draft) -> str | None:
        """The id of the command or verification, None where the failure stands."""
        failure = draft.entry
        since = self._started.get(failure.command_id or "", draft.time_ns)
        passed = self._passed.get(failure.command or "", [])
        later = bisect_right(passed, (since, "\uffff"))
        if later < len(passed):
            return passed[later][1]
        failed_at = self._last_failed.get(failure.command_id or "")
        if failed_at is None:
            return None
        number, name = self._passes.get(self._checks[failure.command_id or ""], (-1, ""))
        return name if number > failed_at else None
