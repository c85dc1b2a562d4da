"""Finds the patterns in many runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent_otel.review.patterns.aspirational import tagged
from agent_otel.review.patterns.observed import Observed
from agent_otel.review.patterns.shape import Sighting, Tag
from agent_otel.review.patterns.stale import Harness
from agent_otel.review.patterns.table import PATTERNS


def sightings(
    runs: Iterable[Observed], *, harness: Harness | None = None, tags: Iterable[Tag] = ()
) -> tuple[Sighting, ...]:
    """Where the patterns show, pattern by pattern; the order of the runs and of the tags does not matter.

    Args:
        runs: what was observed, each run once.
        harness: what the harness says and the repository has; None where there is no repository to ask.
        tags: what people said shows a pattern.
    """
    known = {run.run_id: run for run in sorted(runs, key=lambda run: (run.started, run.run_id))}
    said = sorted(tags, key=lambda tag: (tag.where, tag.runs))
    return tuple(_found(known, harness, said))


def _found(known: dict[str, Observed], harness: Harness | None, tags: list[Tag]) -> Iterator[Sighting]:
    everything = tuple(known.values())
    for name, pattern in PATTERNS.items():
        yield from sorted(pattern.find(everything, harness), key=lambda each: (each.runs, each.said))
        yield from tagged(name, pattern.layer, tags, known)
