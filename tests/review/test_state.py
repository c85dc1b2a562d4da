"""Review state and final status."""

from __future__ import annotations

import pytest

from agent_otel.model.record import Check, Handoff, RunRecord, Task, Verification
from agent_otel.review.standing import standings
from agent_otel.review.state import final_status, review_state

HANDOFF = Handoff(status="done", next_action="merge")


def found(
    *verdicts: str, required: bool = True, check: str = "unit", command: str | None = None
) -> tuple[Verification, ...]:
    """Verifications of one check with these verdicts, in order."""
    return tuple(
        Verification(
            id=f"{check}{number}", check=check, outcome="unknown", required=required, verdict=verdict, command=command
        )
        for number, verdict in enumerate(verdicts)
    )


def record(*verifications: Verification, **fields) -> RunRecord:
    """A run that ended well."""
    known = {"run_id": "r", "lifecycle": "settled", "outcome": "ended"}
    return RunRecord(**{**known, "verifications": verifications, **fields})


FREE = {"required": False}
CASES = {
    "required check proved": (record(*found("proved")), "done"),
    "required check proved, another not run": (
        record(*found("proved"), *found("not_run", check="e2e")), "missing required evidence"),
    "required check never mentioned": (
        record(task=Task(required_checks=(Check(name="e2e"),))), "missing required evidence"),
    "required check claimed": (record(*found("claimed")), "missing required evidence"),
    "required check stale": (record(*found("stale")), "missing required evidence"),
    "required check contradicted": (record(*found("contradicted")), "missing required evidence"),
    "required check unverifiable": (record(*found("unverifiable")), "missing required evidence"),
    "required check failed": (record(*found("failed")), "failing"),
    "failed beside not run": (record(*found("failed"), *found("not_run", check="e2e")), "failing"),
    "failed, then proved": (record(*found("failed", "proved")), "done"),
    "proved, then failed": (record(*found("proved", "failed")), "failing"),
    "proved, then claimed again": (record(*found("proved", "claimed")), "done"),
    "failed, then only skipped": (record(*found("failed", "not_run")), "failing"),
    "failed, then run without proof": (record(*found("failed", "unverifiable")), "missing required evidence"),
    "stale, then skipped": (record(*found("stale", "not_run")), "missing required evidence"),
    "required by the contract, declared without": (
        record(*found("failed", required=False), task=Task(required_checks=(Check(name="unit"),))), "failing"),
    "required by the contract, run under another name": (
        record(*found("proved", check="unit: guard", command="pnpm test guard"),
               task=Task(required_checks=(Check(name="unit", command="pnpm test *"),))), "done"),
    "required by the contract, another command under another name": (
        record(*found("proved", check="unit: guard", command="echo ok"),
               task=Task(required_checks=(Check(name="unit", command="pnpm test *"),))), "missing required evidence"),
    "nothing required, something proved, handed off": (record(*found("proved", **FREE), handoff=HANDOFF), "done"),
    "nothing required, nothing verified": (record(handoff=HANDOFF), "incomplete"),
    "nothing required, only claims": (record(*found("claimed", **FREE), handoff=HANDOFF), "incomplete"),
    "nothing required, no handoff": (record(*found("proved", **FREE)), "incomplete"),
    "nothing required, one failed": (
        record(*found("proved", **FREE), *found("failed", check="lint", **FREE), handoff=HANDOFF), "incomplete"),
    "abandoned with everything proved": (record(*found("proved"), lifecycle="abandoned"), "incomplete"),
    "raised with everything proved": (record(*found("proved"), outcome="failed"), "incomplete"),
    "still running": (record(*found("failed"), lifecycle="open"), "in progress"),
}  # fmt: skip


@pytest.mark.parametrize(("run", "state"), CASES.values(), ids=CASES)
def test_review_state(run: RunRecord, state: str) -> None:
    """The state follows from the verdicts and from how the run ended."""
    assert review_state(run) == state


def test_unjudged_verification_counts_as_not_run() -> None:
    """Without a verdict nothing is assumed."""
    verification = Verification(id="v1", check="unit", outcome="pass", required=True)
    assert standings(record(verification))[0].verdict == "not_run"


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (record(handoff=Handoff(status="patch with blocker")), "patch with blocker"),
        (record(handoff=Handoff()), "ended"),
        (record(outcome="failed"), "failed"),
        (record(lifecycle="open", outcome="unknown"), "in progress"),
        (record(lifecycle="abandoned", outcome="interrupted"), "abandoned"),
    ],
)
def test_final_status_is_the_handoffs_or_how_the_run_ended(run: RunRecord, status: str) -> None:
    """The run's own word stands where it gave one."""
    assert final_status(run) == status
