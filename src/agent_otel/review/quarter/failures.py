"""Failures by how often they were seen, and by what they cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from agent_otel.model.contract import Incidents
from agent_otel.review.incidents.redo import redone
from agent_otel.review.quarter.counted import counted
from agent_otel.review.quarter.seen import Seen
from agent_otel.review.quarter.shape import FailureRow
from agent_otel.review.report.counting import Sum, rounded

MOST: Final = 15
"""Rows of a list; what is rarer or cheaper is not what a quarter is about."""

_MOST_NAMES: Final = 10

ByFingerprint = Mapping[str, "list[Seen]"]


def by_fingerprint(runs: Iterable[Seen]) -> ByFingerprint:
    """The runs that have each fingerprint that counts, in the order in which they were given."""
    found: dict[str, list[Seen]] = defaultdict(list)
    for run in runs:
        for name in run.case.fingerprints:
            found[name].append(run)
    return found


def together(runs: ByFingerprint) -> Iterable[list[str]]:
    """The fingerprints in groups of those of the very same runs: a failing check, and the failure behind it."""
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for name in sorted(runs):
        found[frozenset(run.case.run_id for run in runs[name])].append(name)
    return found.values()


def redone_runs(runs: Iterable[Seen], limits: Incidents) -> frozenset[str]:
    """The attempts that failed and were made again, however short they were.

    Args:
        runs: the earliest first.
        limits: how long after an attempt the next one is still one at the same task.
    """
    cases = {run.case.run_id: run.case for run in runs}
    tasks = redone(cases.values(), replace(limits, redo_hours=0.0))
    return frozenset(name for task in tasks for name in task.runs if cases[name].failed)


def rows(runs: ByFingerprint, redone: frozenset[str]) -> tuple[FailureRow, ...]:
    """A row for each fingerprint, the most frequent first; those of the very same runs are one failure."""
    found = (_row(names, runs[names[0]], redone) for names in together(runs))
    return tuple(sorted(found, key=lambda row: (-row.runs.count, -row.lost_s, row.fingerprint)))


def costliest(rows: Iterable[FailureRow]) -> tuple[FailureRow, ...]:
    """Those that cost something, the dearest first."""
    dear = (row for row in rows if row.lost_s)
    return tuple(sorted(dear, key=lambda row: (-row.lost_s, -row.runs.count, row.fingerprint)))


def _row(names: list[str], runs: list[Seen], redone: frozenset[str]) -> FailureRow:
    lost, tokens, dollars = Sum(), Sum(), Sum()
    for run in runs:
        if run.case.run_id in redone:
            lost.add(run.duration_s)
            tokens.add(run.tokens)
            dollars.add(run.cost_usd)
        else:
            lost.add(run.case.waste.seconds)
    first, name = runs[0], names[0]
    return FailureRow(
        fingerprint=name,
        also=tuple(names[1:]),
        says=first.case.fingerprints[name],
        layer=first.layer_of[name],
        runs=counted(runs),
        agents=_names(run.agent for run in runs),
        repositories=_names(run.repository for run in runs),
        lost_s=rounded(lost.total),
        tokens=None if tokens.known is None else round(tokens.known),
        cost_usd=dollars.known,
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name})[:_MOST_NAMES])
