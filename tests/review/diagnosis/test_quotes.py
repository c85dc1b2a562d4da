"""What entries of a record are called, and what is quoted of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from agent_otel.model.record import (
    Alternative,
    Budget,
    Capture,
    ChangedFile,
    Command,
    Decision,
    Failure,
    FileInspected,
    Gate,
    Handoff,
    Output,
    RunRecord,
    Verification,
)
from agent_otel.model.versions import decode
from agent_otel.review.diagnosis.quotes import LONGEST, MOST, entries, quoted
from agent_otel.review.judge import judge
from hostile_records import records

RECORD = judge(decode((Path(__file__).parents[2] / "data" / "records" / "v1.json").read_bytes()))

TEXTS = {
    "task": "Fix invite acceptance redirect after SSO enforcement; required: e2e: invite-flow;"
    " accepted when e2e passes in Chromium and Firefox",
    "handoff": "patch with blocker; blockers: e2e not run; risks: first-login analytics event not verified;"
    " next action: run e2e in CI",
    "outcome": "ended, settled",
    "capture": "complete",
    "budgets.steps": "limit 40, consumed 17",
    "v3": "e2e: invite-flow: not run: preview service unavailable",
    "c1": "pnpm test invite: failed (exit 1, 8.1 s): 1 failed, 41 passed",
    "f1": "pnpm test invite: expected 200, got 403; suspected cause: membership not hydrated",
    "src/routes/invite/[token].ts": "edit (+12, -4)",
    "src/auth/guard.ts": "read: the 403 is raised here",
    "decisions[0]": "wait for membership hydration before redirect; rejected: redirect early, retry on 403",
    "gates[0]": "bash: deny by no-network: curl is not allowed",
    "claims[0]": "The redirect waits for hydration now.",
    "context_sources[1]": "tests/e2e/invite-acceptance.spec.ts",
    "open_risks[0]": "first-login analytics event not verified",
    "e2e: invite-flow": "required: a command like pnpm playwright *",
}


@pytest.mark.parametrize(("ref", "text"), TEXTS.items(), ids=TEXTS)
def test_an_entry_is_quoted_with_what_it_says(ref: str, text: str) -> None:
    """By its id, its path or its place."""
    assert entries(RECORD)[ref].text == text


BARE = RunRecord(
    run_id="r",
    lifecycle="settled",
    outcome="ended",
    commands=(Command(id="c1", command="make", result="passed", output=Output(tail="\n \n")),),
    failures=(Failure(id="f1"), Failure(id="f2", tool="Read", error_type="timeout")),
    files_inspected=(FileInspected(path="b.py"), FileInspected(path="a.py")),
    changed_files=(ChangedFile(path="a.py", operation="create"),),
    decisions=(Decision(option="x", alternatives=(Alternative(option="y"), Alternative(option="z"))),),
    gates=(Gate(tool="bash", outcome="allow"),),
    budgets={"steps": Budget(consumed=3)},
    handoff=Handoff(),
    verifications=(
        Verification(id="v1", check="unit", outcome="not_run"),
        Verification(id="v2", check="make", outcome="pass", verdict="proved", verdict_reason="make: passed"),
    ),
    capture=Capture(limits=("costs-untold",)),
)
BARE_TEXTS = {
    "c1": "make: passed",
    "f1": "a failure: no error was recorded",
    "f2": "Read: timeout",
    "a.py": "create",
    "b.py": "read",
    "decisions[0]": "x; rejected: y, z",
    "gates[0]": "bash: allow",
    "budgets.steps": "consumed 3",
    "handoff": "no status",
    "v1": "unit: not run",
    "v2": "proved: make: passed",
    "task": "no objective; required: nothing",
    "capture": "incomplete; cannot show: costs-untold",
}


@pytest.mark.parametrize(("ref", "text"), BARE_TEXTS.items(), ids=BARE_TEXTS)
def test_what_was_not_recorded_is_left_out(ref: str, text: str) -> None:
    """Entries say what they have; a file that was changed is quoted as changed."""
    assert entries(BARE)[ref].text == text


def test_refs_are_quoted_once_and_only_where_there_is_an_entry() -> None:
    """In the order in which they are given."""
    known = entries(RECORD)
    assert [quote.ref for quote in quoted(["v3", "gone", "c1", "v3"], known)] == ["v3", "c1"]
    assert len(quoted(map(str, range(99)), {f"{n}": known["v3"] for n in range(99)})) == MOST
    assert quoted(["v3"], known)[0].span == "0af7651916cd43dd8448eb211c80319c/00f067aa0ba902b7"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_quotes_are_bounded(record: RunRecord) -> None:
    """Whatever a run wrote; and every finding on a record refers to what can be quoted."""
    judged = judge(record)
    known = entries(judged)
    assert all(len(quote.text) <= LONGEST for quote in known.values())
    assert {ref for finding in judged.findings for ref in finding.refs} <= known.keys()
