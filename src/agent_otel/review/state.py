"""The two words a reader sees first: the review state, computed, and the final status, as the run left it."""

from __future__ import annotations

from agent_otel.model.record import ReviewState, RunRecord
from agent_otel.review.standing import Standing, standings


def review_state(record: RunRecord) -> ReviewState:
    """Where the run stands for a reviewer; needs the verdicts.

    In this order: ``in progress`` while the run is open; ``failing`` when a required check failed when it last ran;
    ``missing required evidence`` when one is not proved for any other reason (not run, only claimed, stale,
    contradicted, unverifiable); ``incomplete`` when the run did not end well, or when nothing was required and it left
    no handoff, proved nothing, or has a check that failed; ``done`` otherwise.
    """
    if record.lifecycle == "open":
        return "in progress"
    checks = standings(record)
    required = [check for check in checks if check.required]
    if any(check.verdict == "failed" for check in required):
        return "failing"
    if any(check.verdict != "proved" for check in required):
        return "missing required evidence"
    if record.lifecycle == "abandoned" or record.outcome != "ended":
        return "incomplete"
    return "done" if required or (record.handoff is not None and _proves_something(checks)) else "incomplete"


def final_status(record: RunRecord) -> str:
    """The status its handoff gives, or else how the run ended."""
    if record.handoff is not None and record.handoff.status:
        return record.handoff.status
    if record.lifecycle == "open":
        return "in progress"
    return "abandoned" if record.lifecycle == "abandoned" else record.outcome


def _proves_something(checks: tuple[Standing, ...]) -> bool:
    verdicts = {check.verdict for check in checks}
    return "proved" in verdicts and not verdicts & {"failed", "contradicted"}
