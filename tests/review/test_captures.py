"""What real agents sent raises no false alarm, and what went wrong in their runs is found."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from agent_otel.model.contract import Contract, RequiredCheck
from agent_otel.model.record import Claim, RunRecord
from agent_otel.model.versions import from_builtins
from agent_otel.review.contracted import audit
from agent_otel.review.judge import judge
from dialect_cases import CASES, name_of

TESTS = "python*test_fizz*"
UNIT = RequiredCheck(name="unit", command=TESTS, paths=("./fizz.py", "./fizzbuzz.py"))
FITTING = Contract(scope=("./fizz.py", "./fizzbuzz.py"), off_limits=("docs/**", ".github/**"), required_checks=(UNIT,))
DEMANDING = Contract(required_checks=(RequiredCheck(name="unit", command=TESTS),))
UNFINISHED = ("stuck", "killed", "apifail", "toolcrash", "modelfail")
BROKEN = {
    "claude-code/apifail", "claude-code/killed", "claude-code/stuck", "codex/killed", "codex/stuck",
    "copilot-cli/apifail", "copilot-cli/stuck", "frameworks/langgraph-openinference-toolcrash",
    "frameworks/react-agent-openinference-modelfail", "gemini-cli/killed",
}  # fmt: skip
"""Runs that saw their tests fail, and never saw them pass again."""
UNSURE = {"codex/fix", "opencode/fix"}
"""Telemetry that cannot show whether the last pass was on the final files; so it has no proof, and no alarm either."""
SOUND = [name_of(case) for case in CASES if not name_of(case).endswith(UNFINISHED)]


def records(name: str) -> list[RunRecord]:
    """The records of a capture, as compaction made them."""
    (case,) = (case for case in CASES if name_of(case) == name)
    return [from_builtins(each) for each in msgspec.json.decode((case / "records.json").read_bytes())]


def errors(record: RunRecord) -> list[str]:
    """The rules with a finding of severity error."""
    return [finding.rule for finding in record.findings if finding.severity == "error"]


@pytest.mark.parametrize("name", SOUND)
def test_a_run_that_went_well_raises_no_error(name: str) -> None:
    """Neither by itself nor under a contract that it kept."""
    for record in records(name):
        assert errors(judge(record)) == []
        held = audit(record, FITTING).record
        assert errors(held) == []
        assert {"out-of-scope", "off-limits", "failing-required-check"}.isdisjoint(each.rule for each in held.findings)
        required = [each for each in held.verifications if each.required]
        if held.changed_files and required:
            expected = "unverifiable" if name in UNSURE else "proved"
            assert required[-1].verdict == expected


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_failing_tests_are_found(name: str) -> None:
    """As a failure without a contract, as an error under one that demands them."""
    record = judge(records(name)[0])
    assert any(
        finding.rule == "failure-not-resolved" and finding.severity == "warning" and "test_fizz" in finding.message
        for finding in record.findings
    )
    held = audit(record, DEMANDING).record
    assert errors(held) == ["failing-required-check"]
    assert held.review_state == "failing"


@pytest.mark.parametrize("name", [name for name in sorted(BROKEN) if name.endswith("/stuck")])
def test_a_denied_push_is_found(name: str) -> None:
    """With the command that was refused, once."""
    (denied,) = (finding for finding in judge(records(name)[0]).findings if finding.rule == "gate-denied")
    assert "'git push origin main'" in denied.message
    assert len(denied.refs) == 2


@pytest.mark.parametrize("name", sorted(BROKEN))
@pytest.mark.parametrize("words", ["All 4 tests pass.", "Fixed it; the tests pass now."])
def test_a_false_claim_is_contradicted(name: str, words: str) -> None:
    """Whoever says so at the end of such a run is held to what it saw."""
    record = judge(replace(records(name)[0], claims=(Claim(text=words),)))
    assert [each.verdict for each in record.claims] == ["contradicted"]
    assert "contradicted-claim" in errors(record)


@pytest.mark.parametrize("name", [name for name in SOUND if name.endswith("/fix")])
def test_the_wrong_files_are_found_in_absolute_paths_too(name: str) -> None:
    """A contract speaks of the repository, wherever an agent says that it lies."""
    strict = Contract(scope=("src/**",), off_limits=("./fizzbuzz.py",))
    found = {finding.rule for record in records(name) for finding in audit(record, strict).record.findings}
    assert {"out-of-scope", "off-limits"} <= found


def test_every_capture_is_one_or_the_other() -> None:
    """A new case is judged by its name, or named here."""
    broken_without_tests = {"opencode/apifail"}
    assert {name_of(case) for case in CASES} == {*SOUND, *BROKEN, *broken_without_tests}
