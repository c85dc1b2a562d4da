"""Tool calls: a decision, a result, and three spans for each, joined by the id of the call, to one set of facts.

Of a call that its validation refused, Claude Code tells nothing at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from agent_otel.compaction.dialects.claude_code import shell
from agent_otel.compaction.dialects.claude_code.actors import MS, Actor, took_ns
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.results import CANCELLED, Ending
from agent_otel.compaction.reading.values import STATUS_ERROR, count, first, is_cut, mapping, text, truth
from agent_otel.compaction.times import seconds
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Log, Span

REJECT: Final = "reject"
NOBODY: Final = "config"
"""Who decided where a configuration let a call run: nobody was asked."""


class _Made(msgspec.Struct, gc=False):
    """What was told of a call."""

    decision: Log | None = None
    result: Log | None = None
    span: Span | None = None
    execution: Span | None = None
    blocked: Span | None = None

    @property
    def items(self) -> list[Span | Log]:
        """What tells of it, the best first."""
        told = (self.span, self.result, self.execution, self.decision, self.blocked)
        return [item for item in told if item is not None]

    def first(self, *keys: str) -> Any:
        """The value of the first key that any of them has."""
        found = (first(item.attributes, *keys) for item in self.items)
        return next((value for value in found if value is not None), None)

    def every(self, *keys: str) -> list[Any]:
        """All values of some keys."""
        return [item.attributes[key] for item in self.items for key in keys if key in item.attributes]


def tool_facts(actors: Sequence[Actor]) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The facts of all tool calls, also of sub-agents: not all items of their calls name them."""
    joined = _joined(actors)
    # Content is told of all tools or of none; spans tell only some arguments.
    content_off = "" if any(_arguments(made) for made in joined.values()) else limits.CONTENT_OFF
    for call_id, made in joined.items():
        item = made.items[0]
        call = msgspec.structs.replace(_call(made, call_id, item), content_off=content_off)
        yield from ((seen, item) for seen in (*_approved(made), *call_facts(call)))


def _joined(actors: Sequence[Actor]) -> Mapping[str, _Made]:
    calls: dict[str, _Made] = defaultdict(_Made)
    by_ref: dict[str, _Made] = {}
    for span in _spans(actors, names.CLAUDE_TOOL):
        made = by_ref[span.ref] = calls[_call_id(span) or span.ref]
        made.span = span
    for span in _spans(actors, names.CLAUDE_EXECUTION):
        around = by_ref.get(f"{span.trace_id}/{span.parent_id}")
        (around or calls[_call_id(span) or span.ref]).execution = span
    for span in _spans(actors, names.CLAUDE_BLOCKED):
        if around := by_ref.get(f"{span.trace_id}/{span.parent_id}"):
            around.blocked = span
    for log in _logs(actors, names.CLAUDE_TOOL_RESULT):
        calls[_call_id(log) or log.key].result = log
    for log in _logs(actors, names.CLAUDE_TOOL_DECISION):
        # Versions without ids tell of a call that ran by its result as well.
        if (call_id := _call_id(log)) or log.attributes.get(names.OWN_DECISION) == REJECT:
            calls[call_id or log.key].decision = log
    return calls


def _spans(actors: Sequence[Actor], kind: str) -> Iterator[Span]:
    return (span for actor in actors for span in actor.seen(kind))


def _logs(actors: Sequence[Actor], kind: str) -> Iterator[Log]:
    return (log for actor in actors for log in actor.told(kind))


def _call_id(item: Span | Log) -> str:
    return text(first(item.attributes, names.CLAUDE_TOOL_USE_ID, names.TOOL_CALL_ID))


def _approved(made: _Made) -> Iterator[fact.GateDecided]:
    """The word of a person or a hook; refusals follow from the calls."""
    item = made.decision or made.blocked
    source = text(item.attributes.get(names.OWN_SOURCE)) if item else ""
    if item and source not in (NOBODY, "") and not _is_rejected(made):
        tool = text(made.first(names.OWN_TOOL_NAME, names.TOOL_NAME))
        time_ns = item.time_ns if isinstance(item, Log) else item.start_ns
        yield fact.GateDecided(ref=item.ref, time_ns=time_ns, tool=tool, outcome="allow", policy=source)


def _is_rejected(made: _Made) -> bool:
    return REJECT in made.every(names.OWN_DECISION, names.CLAUDE_DECISION_TYPE)


def _call(made: _Made, call_id: str, item: Span | Log) -> Call:
    arguments = _arguments(made)
    output = _output(made)
    return Call(
        ref=item.ref,
        time_ns=_began_ns(item),
        name=text(made.first(names.OWN_TOOL_NAME, names.TOOL_NAME)),
        end=_ending(made, arguments, output),
        call_id=call_id,
        arguments=arguments,
        output=output,
        duration_s=_duration_s(made),
    )


def _began_ns(item: Span | Log) -> int:
    return item.start_ns if isinstance(item, Span) else max(item.time_ns - took_ns(item), 0)


def _took_ms(made: _Made) -> int | None:
    if made.result is not None:
        return count(made.result.attributes.get(names.OWN_DURATION_MS))
    span = made.execution
    return None if span is None or not span.end_ns else max(span.end_ns - span.start_ns, 0) // MS


def _duration_s(made: _Made) -> float | None:
    if made.span is not None:
        return seconds(made.span.start_ns, made.span.end_ns)
    took_ms = _took_ms(made)
    return None if took_ms is None else took_ms / 1000


def _arguments(made: _Made) -> Any:
    """The input of a call; without it, the parts that Claude Code tells apart from it."""
    if (given := made.first(names.CLAUDE_TOOL_INPUT)) is not None:
        return given
    parameters = mapping(made.first(names.CLAUDE_TOOL_PARAMETERS))
    line = text(first(parameters, names.CLAUDE_FULL_COMMAND)) or text(made.first(names.CLAUDE_FULL_COMMAND))
    if line:
        return {**parameters, "command": line}
    path = text(made.first(names.CLAUDE_FILE_PATH))
    return {names.CLAUDE_FILE_PATH: path} if path else parameters or None


def _output(made: _Made) -> str:
    events = made.span.events if made.span else ()
    told = (event.attributes.get(names.CLAUDE_OUTPUT) for event in events if event.name == names.CLAUDE_OUTPUT_EVENT)
    return next(filter(None, map(text, told)), "")


def _ending(made: _Made, arguments: Any, output: str) -> Ending:
    if _is_rejected(made):
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


def _failed(made: _Made, *, timed_out: bool) -> Ending:
    error_type = text(made.first(names.OWN_ERROR_TYPE, names.CLAUDE_ERROR_CLASS, names.ERROR_TYPE))
    said = text(made.first(names.OWN_ERROR))
    if error_type.casefold() in CANCELLED:
        return Ending("cancelled", error_type, said)
    return Ending("failed", error_type, said, timed_out=timed_out)
