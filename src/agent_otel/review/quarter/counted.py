"""Runs that show something, counted with their parts as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agent_otel.review.quarter.seen import Seen
from agent_otel.review.quarter.shape import Runs

LATEST: Final = 20
"""So many runs are named, of those that show one thing; ``agent-otel runs --fingerprint`` lists all."""


def roots(runs: Iterable[Seen]) -> list[Seen]:
    """The first of the runs that are parts of one, the earliest first."""
    first: dict[str, Seen] = {}
    for run in sorted(runs, key=lambda each: each.order):
        first.setdefault(run.case.root, run)
    return list(first.values())


def counted(runs: Iterable[Seen]) -> Runs:
    """How many they are, when, and which; there is at least one."""
    found = roots(runs)
    return Runs(
        count=len(found),
        first=found[0].day.isoformat(),
        last=found[-1].day.isoformat(),
        latest=tuple(run.case.run_id for run in reversed(found[-LATEST:])),
    )
