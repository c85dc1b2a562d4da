"""Whether there is anything to explain of a check, and whether anybody asked for it."""

from __future__ import annotations

from agent_otel.review.diagnosis.case import Case
from agent_otel.review.diagnosis.shape import Answer


def passed(case: Case) -> Answer:
    """Nothing is wrong with it."""
    return Answer(None, "it is proved", case.refs)


def open_run(case: Case) -> Answer | None:
    """What a running run has not done yet is not missing."""
    if case.record.lifecycle != "open" or case.standing.verdict == "proved":
        return None
    return Answer(None, "the run is still going on", (*case.refs, "outcome"), ("the end of the run",))


def unrequired(case: Case) -> Answer | None:
    """Nobody asked for it. What failed before everybody's eyes is explained by how it failed."""
    if case.standing.required or case.standing.verdict in ("proved", "failed"):
        return None
    return Answer("verification", f"it was never in the required evidence: {_required(case)}", (*case.refs, "task"))


def _required(case: Case) -> str:
    if case.paths:
        return f"the contract demands it only of runs that change {', '.join(case.paths)}"
    demands = [check.name for check in case.record.task.required_checks]
    return f"what was required is {', '.join(demands)}" if demands else "nothing was required of this run"
