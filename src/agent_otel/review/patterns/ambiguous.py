"""Ambiguous request: a task without scope or acceptance was read in one way, and another one was meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agent_otel.review.patterns.observed import Observed
from agent_otel.review.patterns.shape import Sighting, ref
from agent_otel.review.wording import count

NAME: Final = "ambiguous-request"
LAYER: Final = "task description"


def ambiguous(runs: Sequence[Observed]) -> Iterator[Sighting]:
    """One for each run whose request lacks something, where a sign tells that it mattered.

    A sign is in the run itself, or is the next run that was given the same task with what it lacked, or one on the
    same branch that takes it back. What is a part of a run was asked by no person.

    Args:
        runs: the earliest first.
    """
    whole = [run for run in runs if run.root == run.run_id]
    after: dict[str, Observed] = {}
    found: list[Sighting] = []
    for run in reversed(whole):
        request = run.request
        later = [*_again(run, after.get(f"task {request.task}")), *_taken_back(after.get(f"branch {request.branch}"))]
        if request.lacks and (request.signs or later):
            found.append(_sighting(run, later))
        after.update({f"{kind} {name}": run for kind, name in _names(run)})
    yield from reversed(found)


def _names(run: Observed) -> Iterator[tuple[str, str]]:
    return ((kind, name) for kind, name in (("task", run.request.task), ("branch", run.request.branch)) if name)


def _again(run: Observed, later: Observed | None) -> Iterator[tuple[str, Observed]]:
    if later is not None and len(later.request.lacks) < len(run.request.lacks):
        told = [name for name in run.request.lacks if name not in later.request.lacks]
        yield f"a later run was given the same task with {_and(told)}", later


def _taken_back(later: Observed | None) -> Iterator[tuple[str, Observed]]:
    if later is not None and later.request.corrects:
        yield "a later run on the same branch takes it back", later


def _sighting(run: Observed, later: Sequence[tuple[str, Observed]]) -> Sighting:
    own = [(sign.said, ref(run.run_id, sign.entry)) for sign in run.request.signs]
    signs = [*own, *((said, ref(other.run_id, "task")) for said, other in later)]
    more = f", and {count(len(signs) - 1, 'more sign')}" if len(signs) > 1 else ""
    return Sighting(
        pattern=NAME,
        runs=tuple(dict.fromkeys((run.run_id, *(other.run_id for _, other in later)))),
        said=f"the task states no {_and(run.request.lacks, 'and no')}, and {signs[0][0]}{more}",
        refs=tuple(dict.fromkeys((ref(run.run_id, "task"), *(entry for _, entry in signs)))),
        layer=LAYER,
        area=run.ground.main,
    )


def _and(words: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join(words)
