"""Whether a run is over, and how it ended: computed from what was seen, so that late data may change it back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agent_otel.compaction.policy import Policy
from agent_otel.compaction.runs import Run
from agent_otel.compaction.times import NS
from agent_otel.model import limits
from agent_otel.model.fact import (
    AgentInvoked,
    Claimed,
    LimitNoticed,
    ModelCalled,
    RunFinished,
    SpanOutcome,
    ToolCalled,
)
from agent_otel.model.item import Span
from agent_otel.model.record import Lifecycle, Outcome

OUTCOMES: dict[SpanOutcome, Outcome] = {"ok": "ended", "failed": "failed", "cancelled": "interrupted"}

_PERMANENT = re.compile(r"4(?!08|09|25|29)[0-9]{2}")
"""Status codes of HTTP that mean the request is wrong: RFC 9110 §15.5, without those that ask for patience."""


class Life(NamedTuple):
    """A run's times and state. ``end_ns`` is 0 while no end was seen."""

    lifecycle: Lifecycle
    outcome: Outcome
    start_ns: int
    end_ns: int
    last_ns: int
    root_seen: bool


def life_of(run: Run, kin: Sequence[Run], *, now_ns: int, policy: Policy) -> Life:
    """The life of a run; ``kin`` are the run and the runs below it."""
    last_ns = last_activity(run)
    end_ns, root_seen = _end(run), _root_seen(run)
    if end_ns:
        lifecycle: Lifecycle = "settled"
    else:
        silent = now_ns - last_ns > policy.abandoned_after_s * NS
        lifecycle = "abandoned" if silent else "open"
    starts = [top.time_ns for top in run.tops] or [span.start_ns for span in run.spans] + [
        log.time_ns for log in run.logs
    ]
    start_ns = min((start for start in starts if start), default=0)
    return Life(lifecycle, _outcome(run, kin, lifecycle), start_ns, end_ns, last_ns, root_seen)


def last_activity(run: Run) -> int:
    """The time of the last thing that was seen of a run."""
    return max(
        max((max(span.start_ns, span.end_ns) for span in run.spans), default=0),
        max((event.time_ns for span in run.spans if span.events for event in span.events), default=0),
        max((log.time_ns for log in run.logs), default=0),
    )


def _own(run: Run) -> list[AgentInvoked]:
    return [top for top in run.tops if top.run_id == run.run_id]


def _end(run: Run) -> int:
    """When the run ended, 0 when no end was seen."""
    if run.stated:
        own = _own(run)[-1:]  # a run that was taken up again ends with its last part
        return max([*(fact.time_ns for fact in run.all(RunFinished)[-1:]), *(top.end_ns for top in own)], default=0)
    if run.placed:
        return _end_of_session(run)
    if run.tops:
        return _end_of_turns(run)
    return 0 if run.understood else _end_unrecognised(run.spans)


def _end_of_turns(run: Run) -> int:
    """The end of the last turn of a conversation; each trace is a turn.

    A turn whose agent span names a parent that was never seen, and that has other orphans, lost its root.
    """
    rootless = {ref.partition("/")[0] for ref in run.orphans} & run.adrift
    turns = {top.ref.partition("/")[0]: top for top in sorted(run.tops, key=lambda top: top.time_ns)}
    first_seen = {span.trace_id: span.start_ns for span in sorted(run.spans, key=lambda span: -span.start_ns)}
    last = max(turns.keys() | rootless, key=lambda trace_id: (first_seen.get(trace_id, 0), trace_id))
    ends = [top.end_ns for top in run.tops if top.ref.startswith(f"{last}/")]
    broken = last in rootless and any(top.ref in run.orphans for top in run.tops)
    return max(ends) if ends and all(ends) and not broken else 0


def _end_of_session(run: Run) -> int:
    """The end of the last turn, unless the agent did something after it: a turn of which nobody saw the beginning.

    A model API that refuses a call for good ends a turn as well, whether or not anybody says so.
    """
    last = max(run.tops, key=lambda top: (top.time_ns, top.end_ns, top.ref), default=None)
    end_ns = last.end_ns if last is not None and last.end_ns else _refused_for_good(run)
    begun = (fact for kind in (AgentInvoked, ModelCalled, ToolCalled) for fact in run.all(kind))
    return 0 if any(fact.time_ns > end_ns for fact in begun) else end_ns


def _refused_for_good(run: Run) -> int:
    """When the last model call was answered with what no repetition changes (HTTP 4xx), 0 where it was not."""
    last = max(run.all(ModelCalled), key=lambda call: (call.time_ns, call.end_ns, call.ref), default=None)
    if last is None or not last.failed or not _PERMANENT.fullmatch(last.error_type):
        return 0
    return last.end_ns or last.time_ns


def _end_unrecognised(spans: Iterable[Span]) -> int:
    ends = [span.end_ns for span in spans if not span.parent_id]
    return max(ends) if ends and all(ends) else 0


def _root_seen(run: Run) -> bool:
    if run.placed and not run.stated:
        return bool(_end_of_session(run))
    return bool(run.tops) and not (run.adrift and any(top.ref in run.orphans for top in run.tops))


def _outcome(run: Run, kin: Sequence[Run], lifecycle: Lifecycle) -> Outcome:
    if lifecycle == "open" or not run.understood:
        return "unknown"
    if lifecycle == "abandoned":
        return _broken_off(run, kin)
    ends = [finished.outcome for finished in run.all(RunFinished)] + [top.outcome for top in _own(run)]
    said = [OUTCOMES[end] for end in ends if end in OUTCOMES]
    if said:
        return said[-1]
    return "unknown" if run.stated else _observed_outcome(kin)


def _broken_off(run: Run, kin: Sequence[Run]) -> Outcome:
    """What it means that no end was seen.

    An agent that gives up after its model calls fail may leave without a word (smolagents never sends the root of a
    run that fails), and so may one whose telemetry always loses its end.
    """
    if run.stated:
        return "interrupted"
    if (run.placed or not run.tops) and _last_call_failed(kin):
        return "failed"
    if any(fact.limit == limits.TAIL_LOST for fact in run.all(LimitNoticed)):
        return "unknown"
    return "interrupted" if run.tops or run.orphans or run.placed else "unknown"


def _last_call_failed(kin: Sequence[Run]) -> bool:
    calls = [call for one in kin for call in one.all(ModelCalled)]
    return bool(calls) and max(calls, key=lambda call: (call.end_ns or call.time_ns, not call.failed)).failed


def _observed_outcome(kin: Sequence[Run]) -> Outcome:
    """Failed when an agent or a model call failed and no model call succeeded after it.

    A root that says nothing proves nothing: where no model call is understood but other telemetry is there, what went
    wrong may be in that.
    """
    models = [call for one in kin for call in one.all(ModelCalled)]
    agents = [agent for one in kin for agent in one.all(AgentInvoked)]
    success = max((call.end_ns for call in models if not call.failed), default=-1)
    if any(agent.outcome == "cancelled" and agent.end_ns >= success for agent in agents):
        return "interrupted"
    failures = [call.end_ns for call in models if call.failed]
    failures += [agent.end_ns for agent in agents if agent.outcome == "failed"]
    if any(end_ns >= success for end_ns in failures):
        return "failed"
    understood = success >= 0 or not sum(one.unrecognised for one in kin)
    said_anything = success >= 0 or any(one.all(ToolCalled) or one.all(Claimed) for one in kin)
    return "ended" if understood and said_anything else "unknown"
