"""Unfamiliar area: files of an area were edited, and nothing in it was read before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from agent_otel.review.patterns.observed import Observed
from agent_otel.review.patterns.shape import Sighting, ref
from agent_otel.text.terminal import printable

NAME: Final = "unfamiliar-area"
LAYER: Final = "context"


def unfamiliar(runs: Sequence[Observed]) -> Iterator[Sighting]:
    """One for each run and area; what a run's parts read, or the run that it is part of, counts as read."""
    read: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        read[run.root] |= run.ground.read
    for run in runs:
        for area, files in run.ground.unread.items():
            if area not in read[run.root]:
                yield Sighting(
                    pattern=NAME,
                    runs=(run.run_id,),
                    said=f"{printable(_files(files))} edited, and nothing in {printable(area)} was read before",
                    refs=tuple(ref(run.run_id, file) for file in files),
                    layer=LAYER,
                    area=area,
                )


def _files(files: Sequence[str]) -> str:
    more = len(files) - 1
    return f"{files[0]} and {more} more were" if more else f"{files[0]} was"
