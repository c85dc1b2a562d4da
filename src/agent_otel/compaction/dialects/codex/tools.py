"""Tool calls: their results, joined with the decisions about them, and with what became of processes that ran on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from agent_otel.compaction.dialects.codex.results import Shown, ending, shown
from agent_otel.compaction.dialects.codex.sessions import Event, Session
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.results import Ending, Result, unwrap
from agent_otel.compaction.reading.values import count, mapping, text, whole
from agent_otel.compaction.times import NS
from agent_otel.model import fact, limits, names

REFUSALS: Final = frozenset(["denied", "abort", "aborted", "timed_out", "timedout"])
"""Decisions against a call; every other lets it run, for once or for the session."""
NOBODY: Final = "config"
"""Who decided where a configuration let a call run: nobody was asked."""
SCRIPT: Final = "exec"
"""A tool that takes a program of tool calls; these are told on their own."""
_MS: Final = 1_000_000


class _Made(msgspec.Struct):
    """A call that is being put together."""

    call: Call
    event: Event


def tool_facts(session: Session) -> Iterator[tuple[fact.AnyFact, Event]]:
    """The facts of all tool calls of a session."""
    decisions: dict[str, Event] = {}
    calls: list[_Made] = []
    running: dict[int, _Made] = {}
    done: set[str] = set()
    for event in session.events:
        call_id = text(event.attributes.get(names.CODEX_CALL_ID))
        if event.name == names.CODEX_TOOL_DECISION:
            decisions[call_id] = event
            yield from _approved(event)
        elif event.name == names.CODEX_TOOL_RESULT and (not call_id or call_id not in done):
            done.add(call_id)
            result = shown(text(event.attributes.get(names.CODEX_OUTPUT)))
            made = _made(event, result)
            calls.append(made)
            _follow(made, result, running)
    calls += (
        _unfinished(event, is_aborted=call_id in session.aborted)
        for call_id, event in decisions.items()
        if call_id not in done
    )
    for made in calls:
        for seen in call_facts(made.call):
            yield seen, made.event


def _approved(event: Event) -> Iterator[tuple[fact.AnyFact, Event]]:
    """The word of a person, or of who stands in for one; refusals follow from the calls."""
    source = text(event.attributes.get(names.OWN_SOURCE))
    if not _is_refused(event) and source.casefold() not in (NOBODY, ""):
        tool = text(event.attributes.get(names.OWN_TOOL_NAME))
        yield fact.GateDecided(**event.about(), tool=tool, outcome="allow", policy=source), event


def _is_refused(event: Event) -> bool:
    return text(event.attributes.get(names.OWN_DECISION)).casefold() in REFUSALS


def _made(event: Event, result: Shown | None) -> _Made:
    attributes = event.attributes
    said = attributes.get(names.CODEX_OUTPUT)
    took_ms = count(attributes.get(names.OWN_DURATION_MS))
    call = Call(
        **event.about((took_ms or 0) * _MS),
        name=text(attributes.get(names.OWN_TOOL_NAME)),
        end=ending(attributes, result),
        call_id=text(attributes.get(names.CODEX_CALL_ID)),
        arguments=_arguments(attributes),
        answer=said,
        result=unwrap(said) if result is None else Result({}, result.output),
        exit_code=result.code if result else None,
        output=result.output if result else None,
        duration_s=None if took_ms is None else took_ms / 1000,
    )
    return _Made(call, event)


def _arguments(attributes: Any) -> Any:
    given = attributes.get(names.CODEX_ARGUMENTS)
    if attributes.get(names.OWN_TOOL_NAME) == SCRIPT and not mapping(given):
        return {}
    return given


def _follow(made: _Made, result: Shown | None, running: dict[int, _Made]) -> None:
    """Keeps in mind a process that runs on; adds what a poll of one tells to the call that started it."""
    polled = whole(mapping(made.call.arguments).get("session_id"))
    if result is None:
        return
    if polled is None:
        if result.running is not None:
            running[result.running] = made
    elif started := running.get(polled):
        started.call = _told_more(started.call, result, until_ns=made.event.time_ns)
        if result.running is None:
            del running[polled]


def _told_more(call: Call, news: Shown, *, until_ns: int) -> Call:
    return msgspec.structs.replace(
        call,
        exit_code=news.code,
        output=f"{call.output}{news.output}",
        duration_s=max(until_ns - call.time_ns, 0) / NS,
    )


def _unfinished(event: Event, *, is_aborted: bool) -> _Made:
    """A call that was decided about, and of which no result came."""
    refused = Ending("denied", names.ERROR_DENIED, text(event.attributes.get(names.OWN_DECISION)))
    broken_off = Ending("cancelled", names.ERROR_CANCELLED)
    call = Call(
        **event.about(),
        name=text(event.attributes.get(names.OWN_TOOL_NAME)),
        end=refused if _is_refused(event) else broken_off if is_aborted else Ending("open"),
        call_id=text(event.attributes.get(names.CODEX_CALL_ID)),
        content_off=limits.COMMANDS_UNTOLD,
    )
    return _Made(call, event)
