"""Work that had to be done again: attempts at one task until one was accepted, and time lost inside of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from typing import Final

from msgspec.structs import replace

from agent_otel.model.contract import Incidents
from agent_otel.review.incidents.case import Case
from agent_otel.review.incidents.linked import links
from agent_otel.review.incidents.shape import Incident, stamp
from agent_otel.review.wording import count, duration
from agent_otel.text.terminal import printable

_ALIKE: Final = 0.5
"""The share of changed files that attempts at one task have in common, where nothing else tells that they are."""

_HOUR: Final = 3600.0


@dataclass(slots=True)
class _Task:
    """Attempts at one task since the first that failed."""

    attempts: list[Case] = field(default_factory=list)
    accepted: bool = False


def redone(cases: Collection[Case], limits: Incidents) -> Iterator[Incident]:
    """The tasks whose redo took too long: from the start of the first failed attempt to the end of the accepted one.

    Runs that somebody linked are attempts at one task, whatever else is known of them: what was done again was not
    good enough, even if it was accepted first.

    Args:
        cases: the earliest first.
        limits: how long that is, and how long after an attempt the next one is still one at the same task.
    """
    window = timedelta(days=limits.window_days)
    tasks: list[_Task] = []
    known: dict[str, _Task] = {}
    linked: dict[str, _Task] = {}
    chains, again = links(cases)
    for each in cases:
        if each.root != each.run_id:  # a part of an attempt
            continue
        case = replace(each, failed=True, accepted=False) if each.run_id in again else each
        links_to = chains.get(case.run_id, "")
        task = linked.get(links_to) or _known(case, known, window)
        if task is None:
            if not case.failed:
                continue
            task = _Task()
            tasks.append(task)
        task.attempts.append(case)
        task.accepted = case.accepted
        linked.update({links_to: task} if links_to else {})
        known.update(dict.fromkeys((*case.names, *_files(case)), task))
    yield from (found for task in tasks if (found := _incident(task, limits)) is not None)


def wasteful(cases: Iterable[Case], limits: Incidents) -> Iterator[Incident]:
    """The runs that lost too much time by themselves."""
    for case in cases:
        if case.waste.seconds >= limits.redo_hours * _HOUR:
            yield Incident(
                trigger="redo",
                why=f"{duration(case.waste.seconds)} were lost inside of one run: {_on(case)}",
                runs=(case.run_id,),
                started=stamp(case.started),
                ended=stamp(case.ended),
                cost_s=case.waste.seconds,
                fingerprints=tuple(case.fingerprints),
            )


def _on(case: Case) -> str:
    waste = case.waste
    parts = [f"its work was rolled back {count(waste.rolled_back, 'time')}"] if waste.rolled_back else []
    parts += [f"{printable(waste.looped)!r} failed over and over"] if waste.looped else []
    return ", ".join(parts)


def _known(case: Case, known: dict[str, _Task], window: timedelta) -> _Task | None:
    """The task that the run is an attempt at, where one that failed is open: by its names, else by its files."""
    named = (known[name] for name in sorted(case.names) if name in known)
    unnamed = (known[name] for name in _files(case) if name in known and _alike(known[name].attempts[-1], case))
    for task in chain(named, unnamed):
        if not task.accepted and case.started - task.attempts[-1].ended <= window:
            return task
    return None


def _files(case: Case) -> list[str]:
    return [f"file {path}" for path in sorted(case.files)]


def _alike(one: Case, other: Case) -> bool:
    """True where the files tell that it is one task, and no words tell that it is not."""
    if one.objective and other.objective:
        return False
    return len(one.files & other.files) > _ALIKE * len(one.files | other.files)


def _incident(task: _Task, limits: Incidents) -> Incident | None:
    # Where none was accepted, what neither failed nor was accepted tells nothing: it may be the last word, or not. But
    # of what somebody linked to the others it is said that it was an attempt.
    telling = [place for place, case in enumerate(task.attempts, start=1) if case.failed or case.redo_of]
    attempts = task.attempts if task.accepted else task.attempts[: telling[-1]]
    first, last = attempts[0], attempts[-1]
    took = (last.ended - first.started).total_seconds()
    if len(attempts) == 1 or took < limits.redo_hours * _HOUR:
        return None
    end = "until one was accepted" if task.accepted else "and none is accepted yet"
    names = [name for case in attempts if case.failed for name in case.fingerprints]
    return Incident(
        trigger="redo",
        why=f"one task took {count(len(attempts), 'attempt')} over {duration(took)} {end}",
        runs=tuple(case.run_id for case in attempts),
        started=stamp(first.started),
        ended=stamp(last.ended),
        cost_s=took,
        fingerprints=tuple(dict.fromkeys(names)),
    )
