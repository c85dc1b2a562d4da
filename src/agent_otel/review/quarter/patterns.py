"""The known patterns, each with the runs that show it, and with what people tagged on the pages of the quarter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from agent_otel.review.patterns import stale
from agent_otel.review.patterns.find import sightings
from agent_otel.review.patterns.shape import Sighting, Tag
from agent_otel.review.patterns.stale import Harness
from agent_otel.review.patterns.table import PATTERNS
from agent_otel.review.quarter.pages import Written, title
from agent_otel.review.quarter.seen import Seen
from agent_otel.review.quarter.shape import PatternRow


def patterns(runs: Sequence[Seen], pages: Iterable[Written], harness: Harness | None) -> tuple[PatternRow, ...]:
    """A row for each pattern there is, in the order of their table; also for those that nothing shows.

    Args:
        runs: those of the quarter.
        pages: those of the quarter.
        harness: what the harness says and the repository has; None where there is no repository to ask.
    """
    found: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in sightings((run.observed for run in runs), harness=harness, tags=_tags(pages)):
        found[sighting.pattern].append(sighting)
    roots = {run.case.run_id: run.case.root for run in runs}
    return tuple(
        PatternRow(
            pattern=name,
            means=pattern.means,
            helps=pattern.helps,
            looked_for=name != stale.NAME or harness is not None,
            runs=len({roots.get(run, run) for sighting in found[name] for run in sighting.runs}),
            sightings=tuple(found[name]),
        )
        for name, pattern in PATTERNS.items()
    )


def _tags(pages: Iterable[Written]) -> Iterator[Tag]:
    for written in pages:
        for pattern in written.page.patterns:
            yield Tag(pattern=pattern, runs=written.page.runs, where=written.file, title=title(written))
