"""Why a run is in the state it is in: its required checks, what speaks against it, what blocks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent_otel.model.record import RunRecord
from agent_otel.review.audit import SEVERITIES
from agent_otel.review.report.shape import Reason
from agent_otel.review.standing import Standing, standings
from agent_otel.review.wording import shortened

LONGEST: Final = 300
"""Characters of a text; the record has all of it."""

_MOST: Final = 12
_OPEN: Final[dict[str, str]] = {
    "in progress": "the run has not ended",
    "incomplete": "no required check decides, and it did not end well, left no handoff, or proved nothing",
}


def reasons(record: RunRecord) -> tuple[Reason, ...]:
    """The reasons, the weightiest first; of very many, the first and how many there are more."""
    found = list(_reasons(record))
    left = len(found) - _MOST
    if left > 0:
        found = [*found[:_MOST], Reason(label="more", text=f"and {left} more, in the whole record")]
    return tuple(found)


def _reasons(record: RunRecord) -> Iterator[Reason]:
    checks = standings(record)
    for check in sorted(checks, key=lambda check: (not check.required, check.verdict == "proved")):
        if check.required or check.verdict != "proved":
            yield Reason(label=check.verdict.replace("_", " "), text=_cut(_check(check)))
    if record.review_state in _OPEN:
        yield Reason(label=record.review_state, text=_OPEN[record.review_state])
    for finding in sorted(record.findings, key=lambda finding: SEVERITIES.index(finding.severity)):
        if finding.severity != "info":
            yield Reason(label=finding.severity, text=_cut(f"{finding.rule}: {finding.message}"))
    for blocker in record.handoff.blockers if record.handoff else ():
        yield Reason(label="blocker", text=_cut(blocker))


def _check(check: Standing) -> str:
    required = " (required)" if check.required else ""
    reason = check.verification.verdict_reason if check.verification else None
    return f"{check.check}{required}" + (f": {reason}" if reason else "")


def _cut(text: str) -> str:
    return shortened(text, LONGEST)
