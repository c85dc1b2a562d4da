"""Facts of tool calls: the call, and the file or command it was about.

A dialect finds a call's name, arguments, result and ending, wherever its telemetry has them; what follows from them is
the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from agent_otel.compaction.reading.results import Ending, Result, command_result, exit_code, undone
from agent_otel.compaction.reading.values import is_cut
from agent_otel.compaction.reading.vocabulary import Action, actions
from agent_otel.compaction.shell.effects import effects
from agent_otel.model import fact, limits
from agent_otel.text.truncation import tail

TAIL = 1000
"""The most bytes of a command's output that are kept."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call, as some telemetry shows it.

    ``arguments`` and ``answer`` are what was recorded of them, in any shape, None where nothing was. ``result`` is the
    answer without its envelopes. ``exit_code`` is one that the telemetry has outside the result; one in the result is
    found there. ``output`` is what the command itself printed, where the telemetry tells that from the tool's own
    words: then no exit code is looked for in it. ``duration_s`` is None where unknown.
    """

    ref: str
    time_ns: int
    name: str
    end: Ending
    call_id: str = ""
    arguments: Any = None
    answer: Any = None
    result: Result = Result({}, "")
    exit_code: int | None = None
    output: str | None = None
    duration_s: float | None = None
    directory: str = ""
    """Where a command ran whose arguments do not say so."""
    diffstat: tuple[int, int] | None = None
    """The lines an edit added and removed, where the telemetry counts them."""
    content_off: str = limits.CONTENT_OFF
    """The limit to note where there are no arguments; "" for tools that take none."""


def call_facts(call: Call) -> Iterator[fact.AnyFact]:
    """What a call comes to: itself, a refusal, limits of its telemetry, and the file or command it was about."""
    about: dict[str, Any] = {"ref": call.ref, "time_ns": call.time_ns}
    end = call.end
    todo = actions(call.name, call.arguments)
    yield fact.ToolCalled(
        **about,
        name=call.name,
        call_id=call.call_id,
        command_id=call.call_id if any(action.operation == "run" for action in todo) else "",
        outcome=end.outcome,
        error_type=end.error_type,
        error=end.error,
        duration_s=call.duration_s,
    )
    if end.outcome == "denied":
        yield fact.GateDecided(**about, tool=call.name, outcome="deny", reason=end.error)
    if call.arguments is None and call.content_off:
        yield fact.LimitNoticed(**about, limit=call.content_off)
    if is_cut(call.arguments) or is_cut(call.answer):
        yield fact.LimitNoticed(**about, limit=limits.ATTRIBUTE_CUT)
    told = call.result if call.output is None else Result({}, "")
    code = exit_code(call.exit_code, told)
    for action in todo:
        if action.operation == "run":
            command = _command(call, action, code, told)
            yield command
            yield from command_files(command)
        elif end.outcome == "ok" and not code:
            yield from _file(call, action, call.diffstat if len(todo) == 1 else None)


def _command(call: Call, action: Action, code: int | None, told: Result) -> fact.CommandRun:
    printed = call.result.text if call.output is None else call.output
    return fact.CommandRun(
        ref=call.ref,
        time_ns=call.time_ns,
        command=action.command,
        command_id=call.call_id,
        result=command_result(call.end, code, told),
        exit_code=code,
        duration_s=call.duration_s,
        directory=action.directory or call.directory,
        output_tail=tail(printed.strip(), TAIL).text,
    )


def command_files(command: fact.CommandRun) -> Iterator[fact.AnyFact]:
    """The files that a command line read or changed: only what is certain of lines that did not fail."""
    if command.result not in ("passed", "unknown"):
        return
    about: dict[str, Any] = {"ref": command.ref, "time_ns": command.time_ns}
    for effect in effects(command.command):
        if effect.operation == "read":
            yield fact.FileRead(**about, path=_below(command.directory, effect.path), lines=effect.lines)
        elif effect.sure and command.result == "passed":
            old = effect.old_path and _below(command.directory, effect.old_path)
            path = _below(command.directory, effect.path)
            yield fact.FileChanged(**about, path=path, operation=effect.operation, old_path=old)


def _below(directory: str, path: str) -> str:
    return path if not directory or path.startswith("/") else f"{directory.rstrip('/')}/{path}"


def _file(call: Call, action: Action, diffstat: tuple[int, int] | None) -> Iterator[fact.AnyFact]:
    if action.operation == "read":
        yield fact.FileRead(ref=call.ref, time_ns=call.time_ns, path=action.path, lines=action.lines)
    elif not undone(call.result):
        yield fact.FileChanged(
            ref=call.ref,
            time_ns=call.time_ns,
            path=action.path,
            operation=action.operation,
            old_path=action.old_path,
            lines_added=diffstat and diffstat[0],
            lines_removed=diffstat and diffstat[1],
        )
