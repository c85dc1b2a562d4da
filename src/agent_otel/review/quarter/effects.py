"""Whether failures came back: after a change that was to stop them, and after an idea that was rejected.

That nothing was seen means something only where something would have been seen. So many runs are needed since the
change that, by how often the failure was there before, three of them would have had it: then none of them having it by
chance happens once in twenty times (the rule of three of statistics). Until then nobody knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from agent_otel.review.postmortems.read import Change
from agent_otel.review.quarter.counted import counted, roots
from agent_otel.review.quarter.failures import ByFingerprint, together
from agent_otel.review.quarter.pages import Written, failures, rejected, title
from agent_otel.review.quarter.seen import Seen
from agent_otel.review.quarter.shape import ChangeEffect, ChangeRow, Effect, Idea, PageRow, Return
from agent_otel.review.wording import shortened

EXPECTED: Final = 3
"""So many runs would have had the failure, had it come on as before."""

LEAST: Final = 10
"""Fewer runs than that say nothing, however often the failure was there before."""

_LONGEST: Final = 300


class Effects:
    """What came back in the runs of the quarter.

    Args:
        runs: all of them, the earliest first.
        having: those that have each fingerprint, in the same order.
    """

    def __init__(self, runs: Sequence[Seen], having: ByFingerprint) -> None:
        self._roots = roots(runs)
        self._having = having

    def of_change(self, row: ChangeRow, change: Change, page: PageRow) -> ChangeEffect | None:
        """What a change did; None where it did not land."""
        if row.landed is None or row.state == "dropped":
            return None
        day = date.fromisoformat(row.landed)
        names = change.fingerprints or page.fingerprints
        shown = [run for name in names for run in self._having.get(name, ())]
        where = {run.repository for run in shown}
        comparable = [run for run in self._roots if run.repository in where or not where]
        before = roots(run for run in shown if run.day <= day)
        runs_before = sum(run.day <= day for run in comparable)
        runs_since = sum(run.day > day for run in comparable)
        needed = max(LEAST, math.ceil(EXPECTED * runs_before / len(before))) if before else None
        returned = tuple(self._returned(names, day))
        return ChangeEffect(
            page=page.file,
            title=page.title,
            file=row.file,
            what=row.what,
            landed=row.landed,
            effect=_effect(names, returned, runs_since, needed),
            runs_before=runs_before,
            seen_before=len(before),
            runs_since=runs_since,
            needed=needed,
            returned=returned,
        )

    def of_ideas(self, written: Written, runs: Mapping[str, Seen]) -> Iterator[Idea]:
        """The ideas that a page rejected though its failures came back."""
        page = written.page
        names = failures(page, runs)
        for idea in rejected(page):
            about = [name for name in names if name in idea] or names
            returned = tuple(self._returned(about, page.written))
            if returned:
                yield Idea(
                    page=written.file,
                    title=title(written),
                    idea=shortened(idea, _LONGEST),
                    rejected=page.written.isoformat(),
                    returned=returned,
                )

    def _returned(self, names: Iterable[str], day: date) -> Iterator[Return]:
        since = {name: [run for run in self._having.get(name, ()) if run.day > day] for name in names}
        for first, *also in together({name: runs for name, runs in since.items() if runs}):
            says = since[first][0].case.fingerprints[first]
            yield Return(fingerprint=first, also=tuple(also), says=says, runs=counted(since[first]))


def _effect(names: Sequence[str], returned: Sequence[Return], runs_since: int, needed: int | None) -> Effect:
    if not names:
        return "nothing to look for"
    if returned:
        return "came back"
    return "not seen since" if needed is not None and runs_since >= needed else "not known yet"
