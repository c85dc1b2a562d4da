"""Tool calls: one set of facts for each, whatever told of it.

Of a call that its validation refused, Claude Code tells nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from agent_otel.compaction.dialects.claude_code import shell
from agent_otel.compaction.dialects.claude_code.actors import MS, took_ns
from agent_otel.compaction.dialects.claude_code.calls import Made
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.results import CANCELLED, Ending
from agent_otel.compaction.reading.values import STATUS_ERROR, count, is_cut, loads, mapping, text, texts, truth
from agent_otel.compaction.times import seconds
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Log, Span

NOBODY: Final = "config"
"""Who decided where a configuration let a call run: nobody was asked."""


def tool_facts(calls: Mapping[str, Made]) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The facts of the calls of a session and its sub-agents."""
    # Content is told of all tools or of none; spans tell only some arguments.
    content_off = "" if any(made.arguments for made in calls.values()) else limits.CONTENT_OFF
    for call_id, made in calls.items():
        item = made.items[0]
        call = msgspec.structs.replace(_call(made, call_id, item), content_off=content_off)
        yield from ((seen, item) for seen in (*_approved(made), *call_facts(call)))


def _approved(made: Made) -> Iterator[fact.GateDecided]:
    """The word of a person or a hook; refusals follow from the calls."""
    item = made.decision or made.blocked
    source = text(item.attributes.get(names.OWN_SOURCE)) if item else ""
    if item and source not in (NOBODY, "") and not made.is_rejected:
        time_ns = item.time_ns if isinstance(item, Log) else item.start_ns
        yield fact.GateDecided(ref=item.ref, time_ns=time_ns, tool=made.name, outcome="allow", policy=source)


def _call(made: Made, call_id: str, item: Span | Log) -> Call:
    arguments = made.arguments
    output = text(made.produced(names.CLAUDE_OUTPUT))
    return Call(
        ref=item.ref,
        time_ns=_began_ns(item),
        name=made.name,
        end=_ending(made, arguments, output),
        call_id=call_id,
        arguments=arguments,
        output=output,
        duration_s=_duration_s(made),
        diffstat=_diffstat(made),
    )


def _began_ns(item: Span | Log) -> int:
    return item.start_ns if isinstance(item, Span) else max(item.time_ns - took_ns(item), 0)


def _took_ms(made: Made) -> int | None:
    if made.result is not None:
        return count(made.result.attributes.get(names.OWN_DURATION_MS))
    span = made.execution
    return None if span is None or not span.end_ns else max(span.end_ns - span.start_ns, 0) // MS


def _duration_s(made: Made) -> float | None:
    if made.span is not None:
        return seconds(made.span.start_ns, made.span.end_ns)
    took_ms = _took_ms(made)
    return None if took_ms is None else took_ms / 1000


def _diffstat(made: Made) -> tuple[int, int] | None:
    """The lines an edit added and removed, by its hunks."""
    hunks = loads(made.produced(names.CLAUDE_DIFF))
    if not isinstance(hunks, list):
        return None
    lines = [line for hunk in hunks if isinstance(hunk, dict) for line in texts(hunk.get("lines"))]
    return sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)


def _ending(made: Made, arguments: Any, output: str) -> Ending:
    if made.is_rejected:
        source = text(made.first(names.OWN_SOURCE))
        return Ending("denied", names.ERROR_DENIED, f"rejected by {source}" if source else "rejected")
    given = mapping(arguments)
    limit_ms, took_ms = count(given.get("timeout")), _took_ms(made)
    said = {truth(value) for value in made.every(names.OWN_SUCCESS)}
    if False in said or (made.execution is not None and made.execution.status == STATUS_ERROR):
        return _failed(made, timed_out=bool(limit_ms and took_ms is not None and took_ms >= limit_ms))
    if True not in said:
        over = made.result is not None or (made.span is not None and made.span.end_ns > 0)
        return Ending("unknown" if over else "open")
    background = truth(given.get("run_in_background")) is True or is_cut(arguments)
    line = text(given.get("command"))
    return Ending("ok", exited_zero=shell.means_zero(line, output, took_ms, limit_ms, background=background))


def _failed(made: Made, *, timed_out: bool) -> Ending:
    error_type = text(made.first(names.OWN_ERROR_TYPE, names.CLAUDE_ERROR_CLASS, names.ERROR_TYPE))
    said = text(made.first(names.OWN_ERROR))
    if error_type.casefold() in CANCELLED:
        return Ending("cancelled", error_type, said)
    return Ending("failed", error_type, said, timed_out=timed_out)
