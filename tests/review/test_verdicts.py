"""What a verification is worth, by the cases in ``tests/data/review/verdicts``."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from msgspec.structs import replace

from agent_otel.model.record import Verdict
from agent_otel.review.ground import ground
from agent_otel.review.verdicts import Judgement, judgement
from review_cases import documents, record_of

FILES = documents("verdicts")
CASES = [
    pytest.param(case, case.get("verdict", verdict), id=f"{verdict}: {case['about']}")
    for verdict, file in FILES.items()
    for case in (*file["is"], *file["is_not"])
]
RAN = {"id": "c1", "command": "pytest -q", "result": "passed", "exit_code": 0, "observer": "harness", "tree": "fffffff"}
FAILED = {**RAN, "result": "failed", "exit_code": 1}


def judged(case: dict[str, Any]) -> Judgement:
    """The judgement on the one verification of a case."""
    record = record_of(case)
    (verification,) = record.verifications
    return judgement(verification, ground(record))


def reason(command: dict[str, Any], outcome: str, **said: Any) -> str:
    """The reason of the verdict on a declared outcome, on the evidence of this command."""
    unit = {"id": "v1", "check": "unit", "outcome": outcome, "level": "observed", "evidence": ["c1"], **said}
    return judged({"record": {"commands": [command], "verifications": [unit]}}).reason


@pytest.mark.parametrize(("case", "verdict"), CASES)
def test_verdict(case: dict[str, Any], verdict: str) -> None:
    """The record alone decides what a verification is worth."""
    found = judged(case)
    assert found.verdict == verdict
    assert found.reason


def test_every_verdict_has_cases_of_it_and_cases_near_it() -> None:
    """A verdict without cases is noticed, and so is one whose neighbour is not another one."""
    assert set(FILES) == set(get_args(Verdict))
    assert all(file["is"] and file["is_not"] for file in FILES.values())
    assert all(case["verdict"] != verdict for verdict, file in FILES.items() for case in file["is_not"])


def test_verdict_brought_by_telemetry_is_ignored() -> None:
    """A verification cannot declare itself proved."""
    record = record_of({"record": {"verifications": [{"id": "v1", "check": "unit", "outcome": "pass"}]}})
    lying = replace(record.verifications[0], verdict="proved", verdict_reason="trust me")
    assert judgement(lying, ground(record)).verdict == "claimed"


def test_reasons_name_the_command_and_its_result() -> None:
    """A reader sees which run decided, never "tests pass"."""
    timed = {**RAN, "duration_s": 8.1}
    assert reason(timed, "pass") == "pytest -q: passed (exit 0, 8.1 s), on the final tree"
    older = {**RAN, "tree": "0" * 40}
    assert reason(older, "pass") == "pytest -q: passed (exit 0), but on tree 000000000000; the final tree is fffffff"
    assert reason(FAILED, "fail") == "pytest -q: failed (exit 1)"
    assert reason(RAN, "fail", evidence=[], reason="3 regressions") == "3 regressions"
    assert reason(RAN, "not_run", evidence=[], reason="no browser") == "no browser"
