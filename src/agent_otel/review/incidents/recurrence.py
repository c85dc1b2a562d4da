"""The same failure again: one fingerprint in several runs within a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from agent_otel.model.contract import Incidents
from agent_otel.review.incidents.case import Case
from agent_otel.review.incidents.shape import Incident, stamp
from agent_otel.review.wording import count
from agent_otel.text.terminal import printable


def recurring(cases: Iterable[Case], limits: Incidents) -> Iterator[Incident]:
    """Failures that came back so often in so many days; those of the very same runs are one incident.

    A run and the runs that are parts of it count once.

    Args:
        cases: the earliest first.
        limits: how often, and in how many days.
    """
    seen: dict[str, dict[str, Case]] = defaultdict(dict)
    words: dict[str, str] = {}
    for case in cases:
        for fingerprint, message in case.fingerprints.items():
            seen[fingerprint].setdefault(case.root, case)
            words.setdefault(fingerprint, message)
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    known: dict[str, Case] = {}
    for fingerprint, by_root in seen.items():
        for cluster in _clusters(list(by_root.values()), limits):
            known.update((case.run_id, case) for case in cluster)
            together[tuple(case.run_id for case in cluster)].append(fingerprint)
    for runs, fingerprints in together.items():
        yield _incident([known[run] for run in runs], sorted(fingerprints), words)


def _incident(cases: list[Case], fingerprints: list[str], words: dict[str, str]) -> Incident:
    days = (cases[-1].started - cases[0].started).days + 1
    what = printable(words[fingerprints[0]])
    return Incident(
        trigger="recurrence",
        why=f"the same failure in {count(len(cases), 'run')} within {count(days, 'day')}: {what}",
        runs=tuple(case.run_id for case in cases),
        started=stamp(cases[0].started),
        ended=stamp(max(case.ended for case in cases)),
        fingerprints=tuple(fingerprints),
    )


def _clusters(cases: list[Case], limits: Incidents) -> Iterator[list[Case]]:
    """The longest rows of runs of which each stands in a window with enough of them."""
    window, least = timedelta(days=limits.window_days), limits.recurrence
    cluster: list[Case] = []
    for place in range(len(cases) - least + 1):
        row = cases[place : place + least]
        if row[-1].started - row[0].started > window:
            continue
        if cluster and row[0] not in cluster:
            yield cluster
            cluster = []
        cluster += [case for case in row if case not in cluster]
    if cluster:
        yield cluster
