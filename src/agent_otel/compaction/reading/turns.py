"""Turns of a session: each begins with a prompt, or with the span of a turn of which no prompt was seen."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from agent_otel.model.item import Log, Span

T = TypeVar("T")


class Turn(NamedTuple):
    """When a turn began, the item that tells of it, and its span if it has one."""

    begin_ns: int
    item: Span | Log
    span: Span | None


def turns_of(prompts: Mapping[int, Span | Log], spans: Iterable[Span]) -> list[Turn]:
    """The turns, the earliest first.

    Args:
        prompts: what told of prompts, by their times.
        spans: the spans of turns; one with several prompts in it is as many turns.
    """
    wholes = sorted(spans, key=lambda span: (span.start_ns, span.ref))
    starts = [span.start_ns for span in wholes]
    times = sorted(prompts)
    begins = dict(prompts)
    for span in wholes:
        after = bisect_left(times, span.start_ns)
        if after == len(times) or not _lasts(span, times[after]):
            begins[span.start_ns] = span
    turns: list[Turn] = []
    known: Span | None = None
    for time_ns in sorted(begins):
        place = bisect_right(starts, time_ns) - 1
        whole = wholes[place] if place >= 0 and _lasts(wholes[place], time_ns) else None
        # The prompt comes a moment after its turn began.
        begin_ns = time_ns if whole is None or whole is known else whole.start_ns
        turns.append(Turn(begin_ns, whole or begins[time_ns], whole))
        known = whole or known
    return turns


def parted(turns: Sequence[Turn], things: Iterable[T], time_of: Callable[[T], int]) -> list[list[T]]:
    """The things that happened in each turn; what came before them all belongs to the first."""
    begins = [turn.begin_ns for turn in turns]
    parts: list[list[T]] = [[] for _ in turns]
    for thing in things:
        parts[max(bisect_right(begins, time_of(thing)) - 1, 0)].append(thing)
    return parts


def _lasts(span: Span, time_ns: int) -> bool:
    return time_ns <= span.end_ns or not span.end_ns
