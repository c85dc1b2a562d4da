"""Runs that somebody said are redos of one another, over however many of them, and whichever arrived."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from agent_otel.review.incidents.case import Case


class Links(NamedTuple):
    """``chains`` has what all runs share that are linked, by run id; ``again`` are the runs that were done again."""

    chains: Mapping[str, str]
    again: frozenset[str]


def links(cases: Collection[Case]) -> Links:
    """Who is linked to whom; a part of a run stands for the whole, and what nobody knows links others all the same."""
    roots = {case.run_id: case.root for case in cases}
    pairs = [(case.root, roots.get(of, of)) for case in cases for of in sorted(case.redo_of)]
    above: dict[str, str] = {}
    for one, other in pairs:
        low, high = sorted((_top(one, above), _top(other, above)))
        above[high] = low
    chains = {run: _top(run, above) for pair in pairs for run in pair}
    return Links(chains, frozenset(of for run, of in pairs if run != of))


def _top(run: str, above: dict[str, str]) -> str:
    """What a run hangs from in the end; the way there is halved, so that long chains cost little."""
    while (next_up := above.get(run, run)) != run:
        above[run] = above.get(next_up, next_up)
        run = next_up
    return run
