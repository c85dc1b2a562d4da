"""What happened, in three sentences of the record: who did what, what came of it, and how that ended.

No commentary, and nobody's fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agent_otel.model.record import RunRecord
from agent_otel.review.incidents.case import accepted, counting
from agent_otel.review.incidents.waste import moment, wasted
from agent_otel.review.postmortems.said import SHORT, codes, quoted, said, told
from agent_otel.review.wording import count, duration
from agent_otel.text.markdown import code

_MOST: Final = 2


def happened(runs: Sequence[RunRecord], about: RunRecord, title: str) -> Iterator[str]:
    """The sentences.

    Args:
        runs: the earliest first.
        about: the one of them that the page is about.
        title: what was asked for.
    """
    for clauses in (_work(runs, about, title), _losses(runs, about), _end(runs, about)):
        yield f"{'; '.join(clauses)}."


def _work(runs: Sequence[RunRecord], about: RunRecord, title: str) -> Iterator[str]:
    agents = list(dict.fromkeys(run.agent.name for run in runs if run.agent.name)) or ["An agent"]
    more = f" and {count(len(agents) - _MOST, 'other')}" if len(agents) > _MOST else ""
    who = " and ".join(said(name) for name in agents[:_MOST]) + more
    where = f" in {said(about.base.repository)}" if about.base.repository else ""
    lasted = duration(sum(run.duration_s or 0.0 for run in runs))
    yield f"{who} worked on {quoted(title)}{where}, in {count(len(runs), 'run')} that took {lasted}{_within(runs)}"


def _within(runs: Sequence[RunRecord]) -> str:
    """From the beginning of the first to the end of the last, where there are several."""
    begun = [when for run in runs if (when := moment(run.started)) is not None]
    ended = [when for run in runs if (when := moment(run.ended)) is not None]
    if len(runs) == 1 or not begun or not ended:
        return ""
    return f" within {duration((max(ended) - min(begun)).total_seconds())}"


def _losses(runs: Sequence[RunRecord], about: RunRecord) -> Iterator[str]:
    """What the run changed, what the runs lost, and the first failure that counts."""
    files = len(about.changed_files)
    unread = sum(file.read_before is False for file in about.changed_files)
    which = f", {'' if unread == files else f'{unread} of them '}without a read before" if unread else ""
    yield f"{count(files, 'file')} {'was' if files == 1 else 'were'} changed{which}"
    waste = [wasted(run) for run in runs]
    if seconds := sum(each.seconds for each in waste):
        rolled = sum(each.rolled_back for each in waste)
        looped = next((each.looped for each in waste if each.looped), "")
        causes = [f"work that was rolled back {count(rolled, 'time')}"] if rolled else []
        causes += [f"{code(looped)} failing over and over"] if looped else []
        yield f"{duration(seconds)} went into {' and '.join(causes)}"
    yield next(map(told, counting(about).values()), "no rule reports a failure")


def _end(runs: Sequence[RunRecord], about: RunRecord) -> Iterator[str]:
    """What was said at the end, what of it stands, and who caught what."""
    done = next(filter(accepted, runs), None)
    state = "it was accepted" if done is about else f"its state is {about.review_state or 'not known'}"
    status = about.handoff.status if about.handoff is not None else None
    yield f"It was handed over as {quoted(status)}, and {state}" if status else state.capitalize()
    if done is None:
        yield "none of the runs is accepted"
    elif done is not about:
        took = f" after {duration(done.duration_s)}" if done.duration_s is not None else ""
        changed = f", and changed {codes(file.path for file in done.changed_files)}" if done.changed_files else ""
        yield f"the run {code(done.run_id)} was accepted{took}{changed}"
    if about.near_misses:
        first, *others = about.near_misses
        also = f" and {count(len(others), 'other thing')}" if others else ""
        yield f"only {told(first.caught_by, SHORT)} caught {quoted(first.what)}{also}"
