"""What an exit code, reports and a log say together."""

from __future__ import annotations

import pytest

from agent_otel.model.record import Counts
from agent_otel.review.reports.report import Report
from agent_otel.review.told import Told, told


def report(passed: int = 0, failed: int = 0, *names: str) -> Report:
    """A report of tests."""
    return Report(form="junit", sha256="0", size=1, counts=Counts(passed=passed, failed=failed), failing=names)


NO_TESTS = Report(form="log", sha256="0", size=1)


@pytest.mark.parametrize(
    ("exit_code", "tests", "log", "outcome", "reason"),
    [
        (0, [], None, "pass", ""),
        (1, [report(3)], "pass", "fail", ""),
        (0, [report(3, 1)], None, "fail", "exit code 0, but its report counts 1 that went wrong"),
        (None, [report(3, 1)], None, "fail", ""),
        (0, [], "fail", "fail", "its log says that it failed"),
        (None, [report(3)], None, "pass", ""),
        (None, [], "pass", "pass", "by what its log counts"),
        (None, [], "unknown", "unknown", "its log does not say"),
        (None, [report()], None, "unknown", "no test ran"),
        (None, [NO_TESTS], "pass", "pass", "by what its log counts"),
    ],
)
def test_whatever_tells_of_a_failure_decides(exit_code, tests, log, outcome, reason) -> None:
    """And a pass takes one who says so."""
    found = told(exit_code, tests, log)
    assert (found.outcome, found.reason) == (outcome, reason)


def test_reports_add_up() -> None:
    """Their numbers, and the names of what failed."""
    found = told(None, [report(2, 1, "a"), report(3, 1, "b")], None)
    assert found == Told("fail", "", Counts(passed=5, failed=2, skipped=0, errors=0), ("a", "b"))
