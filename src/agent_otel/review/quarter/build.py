"""Makes the review of runs and pages; the order of either does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from agent_otel.model.contract import Incidents
from agent_otel.review.patterns.stale import Harness
from agent_otel.review.postmortems.check import Landed
from agent_otel.review.quarter.effects import Effects
from agent_otel.review.quarter.failures import MOST, by_fingerprint, costliest, redone_runs, rows
from agent_otel.review.quarter.groups import groups
from agent_otel.review.quarter.pages import Written, names, row
from agent_otel.review.quarter.patterns import patterns
from agent_otel.review.quarter.seen import Seen
from agent_otel.review.quarter.shape import ChangeEffect, Idea, PageRow, Review
from agent_otel.review.report.days import axis
from agent_otel.review.report.series import Daily
from agent_otel.review.report.shape import OverTime

_MOST_STEPS: Final = 15
"""Weeks of a quarter; a longer time is told in months."""


class Period(NamedTuple):
    """The first and the last day of what is reviewed, and the day on which it is."""

    since: date
    until: date
    today: date


class Pages(NamedTuple):
    """All pages there are, and what else is known beside the runs of the quarter.

    ``other_runs`` are runs that pages are about and the quarter does not have, ``unread`` files among the pages that
    are none, and ``harness`` is what the repository around them says and has; None where there is no repository.
    """

    written: Sequence[Written] = ()
    other_runs: Iterable[Seen] = ()
    unread: Sequence[str] = ()
    harness: Harness | None = None


def review(runs: Iterable[Seen], pages: Pages, period: Period, *, limits: Incidents, landed: Landed) -> Review:
    """The review.

    Args:
        runs: those that started in the period.
        pages: the post-mortems, older ones too: what they changed or rejected may show in this quarter only.
        period: what is reviewed.
        limits: how long after an attempt the next one is still one at the same task.
        landed: what the repository knows of changes.
    """
    ordered = sorted(runs, key=lambda run: run.order)
    having = by_fingerprint(ordered)
    known = {run.case.run_id: run for run in (*pages.other_runs, *ordered)}
    written = sorted(pages.written, key=lambda each: (each.page.failed, each.page.written, each.file))
    # Of an older page it matters only whether its failures came back: the history is not asked in vain.
    of_interest = (
        each for each in written if _recent(each, period) or not having.keys().isdisjoint(names(each, known))
    )
    told = [(each, row(each, known, today=period.today, landed=landed)) for each in of_interest]
    recent = tuple(page for each, page in told if _recent(each, period))
    failures = rows(having, redone_runs(ordered, limits))
    effects = Effects(ordered, having)
    return Review(
        since=period.since.isoformat(),
        until=period.until.isoformat(),
        runs=len({run.case.root for run in ordered}),
        failed_runs=len({run.case.root for run in ordered if run.case.failed}),
        failures=len(failures),
        postmortems=recent,
        unread=tuple(sorted(pages.unread)),
        by_frequency=failures[:MOST],
        by_cost=costliest(failures)[:MOST],
        findings_by_layer=_over_time(ordered),
        patterns=patterns(ordered, [each for each in written if _recent(each, period)], pages.harness),
        groups=groups(recent),
        changes=tuple(_changes(told, period, effects)),
        rejected_ideas=tuple(_ideas(written, known, effects)),
    )


def _recent(written: Written, period: Period) -> bool:
    return period.since <= written.page.written <= period.until


def _changes(told: Iterable[tuple[Written, PageRow]], period: Period, effects: Effects) -> Iterator[ChangeEffect]:
    """Those of this quarter's pages, and older ones whose failures came back."""
    for written, page in told:
        for change, shown in zip(written.page.changes, page.changes, strict=True):
            effect = effects.of_change(shown, change, page)
            if effect is not None and (_recent(written, period) or effect.returned):
                yield effect


def _ideas(written: Iterable[Written], known: dict[str, Seen], effects: Effects) -> Iterator[Idea]:
    for each in written:
        yield from effects.of_ideas(each, known)


def _over_time(runs: Sequence[Seen]) -> OverTime:
    daily, totals = Daily(), dict[str, int]()
    for run in runs:
        for layer, number in run.layers.items():
            daily.add(run.day.toordinal(), layer, number)
            totals[layer] = totals.get(layer, 0) + number
    steps = axis({run.day.toordinal() for run in runs}, finest="week", most=_MOST_STEPS)
    return daily.over_time(steps, sorted(totals, key=lambda layer: (-totals[layer], layer)))
