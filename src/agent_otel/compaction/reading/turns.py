"""Turns of a session: each begins with a prompt, or with the span of a turn of which no prompt was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from agent_otel.model.item import Log, Span

NEVER: Final = 1 << 63
"""A time after all others."""


class Turn(NamedTuple):
    """When a turn began, the time before which it was over, the item that tells of it, and its span if it has one."""

    begin_ns: int
    until_ns: int
    item: Span | Log
    span: Span | None

    def has(self, time_ns: int) -> bool:
        """True for what happened in it."""
        return self.begin_ns <= time_ns < self.until_ns


def turns_of(prompts: Mapping[int, Span | Log], spans: Sequence[Span]) -> list[Turn]:
    """The turns, the earliest first.

    Args:
        prompts: what told of prompts, by their times.
        spans: the spans of turns; one with several prompts in it is as many turns.
    """
    begins = dict(prompts)
    for span in spans:
        if not any(_around(span, time_ns) for time_ns in prompts):
            begins[span.start_ns] = span
    turns: list[Turn] = []
    for time_ns, until_ns in pairwise([*sorted(begins), NEVER]):
        whole = next((span for span in spans if _around(span, time_ns)), None)
        # The prompt comes a moment after its turn began.
        is_first = whole is not None and not any(turn.span is whole for turn in turns)
        begin_ns = whole.start_ns if whole is not None and is_first else time_ns
        turns.append(Turn(begin_ns, until_ns, whole or begins[time_ns], whole))
    return turns


def _around(span: Span, time_ns: int) -> bool:
    return span.start_ns <= time_ns and (time_ns <= span.end_ns or not span.end_ns)
