"""What a reviewer does next with a run: one sentence, decided by its evidence and not by its own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from agent_otel.model.record import ReviewState, RunRecord, Verdict
from agent_otel.review.standing import Standing, standings
from agent_otel.review.wording import count

REGRESSION: Final = "post-handoff-regression"
"""The rule of what broke after the handoff."""

_BY_VERDICT: Final[dict[Verdict, str]] = {
    "contradicted": "do not believe {check}, run it",
    "failed": "send it back: {check} fails",
    "not_run": "have {check} run",
    "stale": "have {check} run again",
    "claimed": "have {check} run where it is seen",
    "unverifiable": "have {check} run where it is seen",
}
"""What to do about a check, the most urgent first."""
_URGENCY: Final = tuple(_BY_VERDICT)
_UNJUDGED: Final = "have it judged: its state does not follow from its checks"


def next_step(record: RunRecord) -> str:
    """What to do next with a judged record."""
    broken = next((each for each in record.findings if each.rule == REGRESSION), None)
    if broken is not None:
        return f"repair what broke after the handoff: {broken.message}"
    if record.review_state is None:
        return _UNJUDGED
    return _STEPS[record.review_state](record)


def _unproved(record: RunRecord) -> str:
    checks = [check for check in standings(record) if check.required and check.verdict != "proved"]
    return _about(sorted(checks, key=lambda check: _URGENCY.index(check.verdict)))


def _incomplete(record: RunRecord) -> str:
    handoff = record.handoff
    if handoff is not None and handoff.blockers:
        return f"settle what blocks it: {handoff.blockers[0]}"
    if record.lifecycle == "abandoned":
        return "find out why it stopped, and run it again"
    if record.outcome != "ended":
        return f"find out why it {_ENDS.get(record.outcome, 'ended so')}"
    bad = [check for check in standings(record) if check.verdict in ("failed", "contradicted")]
    if bad:
        return _about(bad)
    if not any(check.verdict == "proved" for check in standings(record)):
        return "have a check run: nothing is proved"
    return "read the change yourself: its checks are proved, and it left no handoff"


_ENDS: Final = {"failed": "failed", "interrupted": "was interrupted", "unknown": "left no end"}


def _done(record: RunRecord) -> str:
    serious = next((each for each in record.findings if each.severity == "error"), None)
    if serious is not None:
        return f"look into it: {serious.message}"
    if record.handoff is not None and record.handoff.look_twice:
        return f"review the change, and look twice at {record.handoff.look_twice[0]}"
    if record.changed_files:
        return f"review the change of {count(len(record.changed_files), 'file')}"
    return "read what it says: it changed nothing"


def _about(checks: list[Standing]) -> str:
    """What to do about the first of the checks, why, and how many more there are."""
    if not checks:
        return _UNJUDGED
    first = checks[0]
    said = _BY_VERDICT[first.verdict].format(check=first.check)
    reason = first.verification.verdict_reason if first.verification else None
    more = f" (and {count(len(checks) - 1, 'more check')})" if len(checks) > 1 else ""
    return said + (f": {reason}" if reason else "") + more


_STEPS: Final[dict[ReviewState, Callable[[RunRecord], str]]] = {
    "in progress": lambda _: "wait: it has not ended",
    "failing": _unproved,
    "missing required evidence": _unproved,
    "incomplete": _incomplete,
    "done": _done,
}
