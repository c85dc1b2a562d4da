"""A check that passed in its run and failed after it is a matter of what came between."""

from __future__ import annotations

import pytest

from agent_otel.model.record import Finding, RunRecord, Verification
from agent_otel.review.diagnosis.case import Case
from agent_otel.review.diagnosis.demand import REGRESSION, regressed
from agent_otel.review.standing import Standing

OLDER = "it passed in the run on other files than that left, and failed after it"


@pytest.mark.parametrize(
    ("finding", "part"),
    [
        (Finding(rule=REGRESSION, severity="error", message="m", refs=("v2", "v1")), "release process"),
        (Finding(rule=REGRESSION, severity="error", message="m", refs=("v1",), layer="verification"), "verification"),
        (Finding(rule=REGRESSION, severity="error", message="m", refs=("v9",)), None),
        (Finding(rule="no-handoff", severity="error", message="m", refs=("v1",)), None),
    ],
)
def test_a_regression_is_known_by_its_finding(finding: Finding, part: str | None) -> None:
    """Of this check, and of no other; on older files than the run left it is a matter of verification."""
    entry = Verification(id="v1", check="unit", outcome="pass")
    record = RunRecord(run_id="r", lifecycle="settled", outcome="ended", findings=(finding,))
    answer = regressed(Case(record, Standing("unit", entry, required=True), (entry,)))
    assert (answer and answer.part) == part
    if answer is not None:
        assert answer.refs[: len(finding.refs)] == finding.refs
        assert (answer.because == OLDER) == (part == "verification")
