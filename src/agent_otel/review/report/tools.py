"""The view of tools and commands: what was called and ran, what failed, was denied, took long, or was left failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from agent_otel.model.record import Command, RunRecord, ToolCalls
from agent_otel.review.fingerprints.programs import program
from agent_otel.review.report.case import Case
from agent_otel.review.report.counting import Durations, Kept, Sum, Top, rounded, sane, share
from agent_otel.review.report.days import Axis
from agent_otel.review.report.reasons import LONGEST
from agent_otel.review.report.series import Daily, Ratio
from agent_otel.review.report.shape import CommandRow, Count, ProgramRow, ToolRow, Tools
from agent_otel.review.wording import shortened

_MOST: Final = 15
_FEW: Final = 10
_LOOKED_AT: Final = 2000
_LONGEST_NAME: Final = 40
_FAILED: Final = frozenset({"failed", "timed_out"})
_RATIOS: Final = (
    Ratio("tool calls", ("failed call",), ("call",)),
    Ratio("commands", ("failed command",), ("command",)),
)


class ToolsView:
    """Counts for ``shape.Tools``."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._results: Counter[str] = Counter()
        self._tools: Kept[str, _Tool] = Kept(_Tool)
        self._programs: Kept[str, _Program] = Kept(_Program)
        self._durations = Durations()
        self._policies: Kept[str, Counter[str]] = Kept(Counter)
        self._daily = Daily()
        self._slowest: Top[CommandRow] = Top(_FEW)
        self._left: Top[CommandRow] = Top(_FEW)
        self._fates: Counter[str] = Counter()

    def add(self, case: Case) -> None:
        """Counts what a run called and ran."""
        for calls in case.record.tool_calls:
            self._call(calls, case.day)
        for place, command in enumerate(case.record.commands):
            self._command(command, place, case)
        for gate in case.record.gates:
            if gate.outcome == "deny":
                self._policies.of(gate.policy or "no policy named")["denied"] += 1
        for place, command, fate in _fates(case.record):
            self._fates[fate] += 1
            if fate == "left":
                self._left.add((*case.key, place), _row(case.record, command))

    def figures(self, axis: Axis) -> Tools:
        """What was counted."""
        denials = [Count(name=name, count=count["denied"]) for name, count in self._policies.items()]
        tools = [tool.row(name) for name, tool in self._tools.items()]
        programs = [program.row(name) for name, program in self._programs.items()]
        return Tools(
            calls=self._calls["calls"],
            failed_calls=self._calls["failed"],
            denied_calls=self._calls["denied"],
            cancelled_calls=self._calls["cancelled"],
            commands=self._results.total(),
            failed_commands=sum(self._results[result] for result in _FAILED),
            timed_out_commands=self._results["timed_out"],
            denied_commands=self._results["denied"],
            command_duration=self._durations.spread(),
            most_called=tuple(sorted(tools, key=lambda row: (-row.calls, row.tool))[:_MOST]),
            most_run=tuple(sorted(programs, key=lambda row: (-row.commands, row.program))[:_MOST]),
            slowest=tuple(self._slowest.entries()),
            denials_by_policy=tuple(sorted(denials, key=lambda count: (-count.count, count.name))[:_MOST]),
            failures_over_time=self._daily.ratios(axis, _RATIOS),
            retried=self._fates["passed"] + self._fates["in vain"],
            retried_in_vain=self._fates["in vain"],
            never_repeated=self._fates["left"],
            latest_never_repeated=tuple(self._left.entries()),
        )

    def _call(self, calls: ToolCalls, day: int | None) -> None:
        for name, number in (
            ("calls", calls.calls),
            ("failed", calls.failed),
            ("denied", calls.denied),
            ("cancelled", calls.cancelled),
        ):
            self._calls[name] += number
        self._tools.of(calls.name).add(calls)
        self._daily.add(day, "call", calls.calls)
        self._daily.add(day, "failed call", calls.failed)

    def _command(self, command: Command, place: int, case: Case) -> None:
        self._results[command.result] += 1
        self._programs.of(_program(command.command)).add(command)
        self._durations.add(command.duration_s)
        self._daily.add(case.day, "command")
        self._daily.add(case.day, "failed command", int(command.result in _FAILED))
        if sane(command.duration_s):
            self._slowest.add((command.duration_s, *case.key, place), _row(case.record, command))


class _Tool:
    """The calls of one tool."""

    __slots__ = ("counts", "duration")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.duration = Sum()

    def add(self, calls: ToolCalls) -> None:
        self.counts.update(runs=1, calls=calls.calls, failed=calls.failed, denied=calls.denied)
        self.counts["cancelled"] += calls.cancelled
        self.duration.add(calls.duration_s, times=calls.calls)

    def row(self, name: str) -> ToolRow:
        count = self.counts
        return ToolRow(
            tool=name,
            runs=count["runs"],
            calls=count["calls"],
            failed=count["failed"],
            denied=count["denied"],
            cancelled=count["cancelled"],
            failure_rate=share(count["failed"], count["calls"]),
            mean_s=rounded(self.duration.total / self.duration.count) if self.duration.count else None,
        )


class _Program:
    """The commands of one program."""

    __slots__ = ("duration", "results")

    def __init__(self) -> None:
        self.results: Counter[str] = Counter()
        self.duration = Durations()

    def add(self, command: Command) -> None:
        self.results[command.result] += 1
        self.duration.add(command.duration_s)

    def row(self, name: str) -> ProgramRow:
        failed = sum(self.results[result] for result in _FAILED)
        return ProgramRow(
            program=name,
            commands=self.results.total(),
            failed=failed,
            timed_out=self.results["timed_out"],
            denied=self.results["denied"],
            failure_rate=share(failed, self.results.total()),
            duration=self.duration.spread(),
        )


def _fates(record: RunRecord) -> Iterator[tuple[int, Command, str]]:
    """Each failed command with its place, and what became of it: ``passed``, ``in vain``, ``left`` or ``overcome``."""
    last = {command.command: place for place, command in enumerate(record.commands)}
    overcome = {failure.command_id for failure in record.failures if failure.resolved_by}
    for place, command in enumerate(record.commands):
        if command.result not in _FAILED:
            continue
        final = last[command.command]
        if final > place:
            later = record.commands[place + 1 : final + 1]
            passed = any(each.command == command.command and each.result == "passed" for each in later)
            yield place, command, "passed" if passed else "in vain"
        else:
            yield place, command, "overcome" if command.id in overcome else "left"


def _program(line: str) -> str:
    """The program of a command line; of a very long one, its beginning decides."""
    return program(line[:_LOOKED_AT])[:_LONGEST_NAME] or "(nothing)"


def _row(record: RunRecord, command: Command) -> CommandRow:
    return CommandRow(
        run_id=record.run_id,
        command=shortened(command.command, LONGEST),
        result=command.result,
        duration_s=command.duration_s,
    )
