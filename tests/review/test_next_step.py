"""What a reviewer does next with a run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from agent_otel.model.record import (
    Capture,
    ChangedFile,
    Check,
    Command,
    Final,
    Finding,
    Handoff,
    RunRecord,
    Task,
    Verification,
)
from agent_otel.review.judge import judge
from agent_otel.review.next_step import next_step
from hostile_records import records

UNIT = Task(required_checks=(Check(name="unit"),))
BOTH = Task(required_checks=(Check(name="unit"), Check(name="e2e")))
RAN = Command(id="c1", command="pytest", result="passed", exit_code=0, observer="harness")
PASSED = Verification(id="v1", check="unit", outcome="pass", evidence=("c1",), tree="t1")
FAILED = Verification(id="v1", check="unit", outcome="fail")


def judged(**fields) -> RunRecord:
    """A run that ended well, as it is judged."""
    return judge(RunRecord(**{"run_id": "r", "lifecycle": "settled", "outcome": "ended", **fields}))


HANDOFF = Handoff(status="done", next_action="merge")


def proved(**fields) -> RunRecord:
    """A run whose check is proved."""
    known = {"commands": (replace(RAN, tree="t1"),), "verifications": (PASSED,)}
    return judged(**{**known, "final": Final(tree="t1"), "capture": Capture(complete=True, root_seen=True), **fields})


CASES = {
    "open": (judged(lifecycle="open"), "wait: it has not ended"),
    "failing": (judged(task=UNIT, verifications=(FAILED,)), "send it back: unit fails"),
    "not run": (judged(task=BOTH), "have unit run (and 1 more check)"),
    "claimed": (judged(task=UNIT, verifications=(replace(PASSED, evidence=()),)), "have unit run where it is seen"),
    "contradicted": (
        judged(task=UNIT, commands=(replace(RAN, result="failed", exit_code=1),), verifications=(PASSED,)),
        "do not believe unit, run it"),
    "blocked": (judged(handoff=Handoff(blockers=("no preview",))), "settle what blocks it: no preview"),
    "killed": (judged(lifecycle="abandoned"), "find out why it stopped"),
    "crashed": (judged(outcome="failed"), "find out why it failed"),
    "a check fails": (judged(handoff=HANDOFF, verifications=(FAILED,)), "send it back: unit fails"),
    "nothing proved": (judged(handoff=HANDOFF), "have a check run: nothing is proved"),
    "no handoff": (proved(), "read the change yourself"),
    "an error": (
        replace(proved(handoff=HANDOFF), findings=(Finding(rule="x", severity="error", message="m"),)),
        "look into it: m"),
    "look twice": (proved(handoff=Handoff(look_twice=("a.py",))), "review the change, and look twice at a.py"),
    "a change": (
        replace(proved(handoff=HANDOFF), changed_files=(ChangedFile(path="a", operation="edit"),)),
        "review the change of 1 file"),
    "no change": (proved(handoff=HANDOFF), "read what it says: it changed nothing"),
    "a regression": (
        replace(judged(), findings=(Finding(rule="post-handoff-regression", severity="error", message="e2e"),)),
        "repair what broke after the handoff: e2e"),
    "not judged": (RunRecord(run_id="r", lifecycle="settled", outcome="ended"), "have it judged"),
    "judged falsely": (
        RunRecord(run_id="r", lifecycle="settled", outcome="ended", review_state="failing"), "have it judged"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_next_step_follows_from_the_evidence(case) -> None:
    """It names the check, file or finding that it is about."""
    record, step = CASES[case]
    assert next_step(record).startswith(step)


@settings(max_examples=50, deadline=None)
@given(records())
def test_every_run_has_a_next_step(record) -> None:
    """Whatever the record says, judged or not."""
    assert next_step(record)
