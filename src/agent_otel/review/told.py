"""What an exit code, reports of tests and a log say together of a check that somebody else ran."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agent_otel.model.record import Counts, VerificationOutcome
from agent_otel.review.reports.report import MOST_FAILING, Report, went_wrong


class Told(NamedTuple):
    """The outcome of a check, why it is that where the parts do not agree or do not say, and the numbers behind it."""

    outcome: VerificationOutcome
    reason: str = ""
    counts: Counts | None = None
    failing: tuple[str, ...] = ()


def told(exit_code: int | None, tests: Sequence[Report], log: VerificationOutcome | None) -> Told:
    """What these say together: whatever tells of a failure decides, and a pass takes one who says so.

    Args:
        exit_code: of the command, where it is known.
        tests: reports with numbers of tests.
        log: what the log says, where there is one.
    """
    counts = _sum(report.counts for report in tests if report.counts is not None)
    failing = tuple(name for report in tests for name in report.failing)[:MOST_FAILING]
    bad = went_wrong(counts)
    if exit_code:
        return Told("fail", "", counts, failing)
    if bad:
        reason = f"exit code 0, but its report counts {bad} that went wrong" if exit_code == 0 else ""
        return Told("fail", reason, counts, failing)
    if log == "fail":
        return Told("fail", "its log says that it failed", counts)
    if exit_code == 0 or (counts is not None and counts.passed):
        return Told("pass", "", counts)
    if log == "pass":
        return Told("pass", "by what its log counts", counts)
    return Told("unknown", "its log does not say" if counts is None else "no test ran", counts)


def _sum(parts: Iterable[Counts]) -> Counts | None:
    found = list(parts)
    if not found:
        return None
    return Counts(
        **{name: sum(getattr(part, name) or 0 for part in found) for name in ("passed", "failed", "skipped", "errors")}
    )
