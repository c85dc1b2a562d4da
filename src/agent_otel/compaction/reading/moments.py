"""Turns of agents that have no span for one: from a prompt to the answer that calls no more tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from agent_otel.model.fact import SpanOutcome
from agent_otel.model.item import Span

Sign = Literal["prompt", "call", "end", "exit"]
RANKS: Final[dict[Sign, int]] = {"prompt": 0, "call": 1, "end": 2, "exit": 3}


class Moment(msgspec.Struct, frozen=True):
    """Something that tells of turns: a prompt, a call of the model (with its span where that arrived), an end, an exit.

    ``answers`` is True for a call after which an agent stops: it ended well, and no tools are called. ``outcome`` is
    that of an end.
    """

    time_ns: int
    sign: Sign
    span: Span | None = None
    answers: bool = False
    outcome: SpanOutcome = "unknown"


class Turn(msgspec.Struct):
    """A turn, with the model calls in it; ``end_ns`` is 0 where no end was seen."""

    start_ns: int
    calls: list[Span] = msgspec.field(default_factory=list)
    end_ns: int = 0
    outcome: SpanOutcome = "open"


def turns(moments: Iterable[Moment]) -> list[Turn]:
    """The turns of a session, in order of time. That an agent left says nothing of how the turn ended."""
    found: list[Turn] = []
    for moment in sorted(moments, key=_order):
        last = found[-1] if found else None
        if moment.sign in ("end", "exit"):
            if last and (moment.sign == "end" or not last.end_ns):
                last.end_ns, last.outcome = moment.time_ns, moment.outcome
            continue
        if last is None or last.end_ns or (moment.sign == "prompt" and last.calls):
            last = Turn(moment.time_ns)
            found.append(last)
        if moment.span is not None:
            last.calls.append(moment.span)
            if moment.answers:
                last.end_ns, last.outcome = moment.span.end_ns, "ok"
    return found


def _order(moment: Moment) -> tuple[int, int, str]:
    return moment.time_ns, RANKS[moment.sign], moment.span.ref if moment.span else ""
