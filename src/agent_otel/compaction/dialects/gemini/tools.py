"""Tool calls: log records know how each ended, spans what it was told. A denied call has no span."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from agent_otel.compaction.dialects.gemini.shell import printed
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.results import CANCELLED, DENIED, TIMED_OUT, Ending, Result
from agent_otel.compaction.reading.values import count, mapping, number, text, whole
from agent_otel.model import fact, limits, names
from agent_otel.model.fact import SpanOutcome
from agent_otel.model.item import Log, Span

SHELL: Final = "run_shell_command"
REFUSED: Final = frozenset(["reject"])
"""Decisions that a call may not happen."""
NOT_STARTED: Final = frozenset(["invalid_tool_params", "tool_not_registered"])
"""Types of errors that come before a tool does anything."""
STATUSES: Final[Mapping[str, SpanOutcome]] = {"error": "failed", "cancelled": "cancelled"}
WORST: Final = ("unknown", "ok", "open", "failed", "cancelled", "denied")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call as one item tells it: ``said`` is what the model was told, None where that is not recorded.

    ``zero`` is True where that it went well is known to mean an exit code of 0.
    """

    item: Span | Log
    ref: str
    time_ns: int
    name: str
    end: Ending
    call_id: str = ""
    arguments: Any = None
    said: str | None = None
    exit_code: int | None = None
    zero: bool = False
    duration_s: float | None = None
    diffstat: tuple[int, int] | None = None


def of_log(log: Log) -> Told:
    """A log record of a tool call, which is written when it has ended."""
    get = log.attributes.get
    about = mapping(get(names.FORK_METADATA))
    milliseconds = number(get(names.OWN_DURATION_MS))
    arguments = get(names.FORK_ARGUMENTS)
    error = text(get(names.OWN_ERROR))
    added, removed = count(about.get("model_added_lines")), count(about.get("model_removed_lines"))
    return Told(
        item=log,
        ref=log.ref,
        time_ns=log.time_ns - int(max(milliseconds or 0, 0) * 1_000_000),
        name=text(get(names.FORK_TOOL)),
        end=_ending(log, error),
        call_id=text(get(names.FORK_CALL_ID)) or log.key,
        arguments=None if arguments in (None, "") else arguments,
        said=error or None,
        exit_code=whole(about.get("exitCode")),
        zero=get(names.FORK_EXECUTION) == "success",
        duration_s=None if milliseconds is None else milliseconds / 1000,
        diffstat=None if added is None or removed is None else (added, removed),
    )


def _ending(log: Log, error: str) -> Ending:
    get = log.attributes.get
    status, error_type = text(get(names.FORK_STATUS)), text(get(names.OWN_ERROR_TYPE))
    if get(names.OWN_SUCCESS) in (True, "true") and not error_type:
        return Ending("ok")
    return ended(STATUSES.get(status, "failed"), error_type, error, refused=text(get(names.OWN_DECISION)) in REFUSED)


def ended(outcome: SpanOutcome, error_type: str, error: str, *, refused: bool = False) -> Ending:
    """How a call ended that did not go well, by the type of its error."""
    word = error_type.casefold()
    if word in DENIED or refused:
        outcome = "denied"
    elif word in CANCELLED:
        outcome = "cancelled"
    return Ending(outcome, error_type, error, timed_out=word in TIMED_OUT, started=word not in NOT_STARTED)


def together(better: Told, other: Told) -> Told:
    """Two tellings of a call in one, which stays with the item of the other."""
    return Told(
        item=other.item,
        ref=better.ref,
        time_ns=better.time_ns,
        name=better.name or other.name,
        end=max((other.end, better.end), key=lambda end: (WORST.index(end.outcome), not end.started, bool(end.error))),
        call_id=better.call_id or other.call_id,
        arguments=other.arguments if better.arguments is None else better.arguments,
        said=other.said if better.said is None else better.said,
        exit_code=other.exit_code if better.exit_code is None else better.exit_code,
        zero=better.zero or other.zero,
        duration_s=other.duration_s if better.duration_s is None else better.duration_s,
        diffstat=better.diffstat or other.diffstat,
    )


def facts_of(calls: Iterable[Told]) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The facts of calls."""
    for told in calls:
        for seen in call_facts(_call(told)):
            yield seen, told.item
        if told.arguments is None:
            hidden = limits.COMMANDS_UNTOLD if told.name == SHELL else limits.PATHS_UNTOLD
            yield fact.LimitNoticed(ref=told.ref, time_ns=told.time_ns, limit=hidden), told.item


def _call(told: Told) -> Call:
    end, said = told.end, told.said or ""
    command = printed(said) if told.name == SHELL else None
    code, directory = told.exit_code, ""
    if command is not None:
        said, directory = command.output, command.directory
        code = command.exit_code if code is None else code
        zero = (told.zero or command.exited_zero) and not _in_background(told.arguments)
        end = end._replace(timed_out=end.timed_out or command.timed_out, exited_zero=zero)
        if command.cancelled and end.outcome == "ok":
            end = end._replace(outcome="cancelled")
    return Call(
        ref=told.ref,
        time_ns=told.time_ns,
        name=told.name,
        end=end,
        call_id=told.call_id,
        arguments=told.arguments,
        answer=None,
        result=Result({}, said),
        exit_code=code,
        output=said,
        directory=directory,
        duration_s=told.duration_s,
        diffstat=told.diffstat,
    )


def _in_background(arguments: object) -> bool:
    return mapping(arguments).get("is_background") is True
