"""Turns: from a prompt to the answer that calls no more tools. Telemetry has neither as a span that would arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from agent_otel.compaction.reading.values import loads, text
from agent_otel.model import names
from agent_otel.model.fact import SpanOutcome
from agent_otel.model.item import Span

Sign = Literal["prompt", "call", "exit"]
RANKS: Final[dict[Sign, int]] = {"prompt": 0, "call": 1, "exit": 2}


class Moment(msgspec.Struct, frozen=True):
    """Something that tells of turns: a prompt, a call of the model (with its span where that arrived), an exit."""

    time_ns: int
    sign: Sign
    span: Span | None = None


class Turn(msgspec.Struct):
    """A turn, with the model calls in it; ``end_ns`` is 0 where no end was seen."""

    start_ns: int
    calls: list[Span] = msgspec.field(default_factory=list)
    end_ns: int = 0
    outcome: SpanOutcome = "open"


def turns(moments: Sequence[Moment]) -> list[Turn]:
    """The turns of a session, in order of time."""
    found: list[Turn] = []
    for moment in sorted(moments, key=_order):
        last = found[-1] if found else None
        if moment.sign == "exit":
            if last and not last.end_ns:
                last.end_ns, last.outcome = moment.time_ns, "ok"
            continue
        if last is None or last.end_ns or (moment.sign == "prompt" and last.calls):
            last = Turn(moment.time_ns)
            found.append(last)
        if moment.span is not None:
            last.calls.append(moment.span)
            if answers(moment.span):
                last.end_ns, last.outcome = moment.span.end_ns, "ok"
    return found


def answers(call: Span) -> bool:
    """True for a model call after which an agent stops: it ended well, and no tools are called."""
    reason = text(call.attributes.get(names.AI_FINISH_REASON))
    return bool(
        call.end_ns
        and reason not in ("", "tool-calls", "error")
        and not loads(call.attributes.get(names.AI_RESPONSE_TOOL_CALLS))
    )


def _order(moment: Moment) -> tuple[int, int, str]:
    return moment.time_ns, RANKS[moment.sign], moment.span.ref if moment.span else ""
