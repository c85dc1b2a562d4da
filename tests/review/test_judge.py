"""Judging as a whole: idempotent, deterministic, and about entries that exist."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st

from agent_otel.model.record import (
    Budget,
    Capture,
    ChangedFile,
    Check,
    Claim,
    Command,
    Counts,
    Decision,
    Dropped,
    Failure,
    FileInspected,
    Final,
    Gate,
    Handoff,
    RunRecord,
    Task,
    Verification,
    encode,
)
from agent_otel.model.versions import decode
from agent_otel.review.judge import judge
from agent_otel.review.text import as_markdown, as_text, summary_rows

paths = st.sampled_from(["src/a.py", "src/b/c.ts", ".env", "docs/x.md", "setup.py"])
texts = st.sampled_from(["all tests pass", "pytest -q", "done", "not yet", "service unavailable", "\x1b[31mred", ""])
maybe = st.none() | texts
missing = st.lists(st.sampled_from(["reason", "alternatives"]), unique=True, max_size=2).map(tuple)
trees = st.sampled_from([None, "a" * 40, "b" * 40])
times = st.sampled_from([None, "2026-05-18T09:00:00.000Z", "2026-05-18T09:05:00.000Z", "soon"])
ids = st.sampled_from(["c1", "c2", "c3", "c9", "report.xml"])


def many(of: st.SearchStrategy, most: int = 3) -> st.SearchStrategy:
    """A short tuple."""
    return st.lists(of, max_size=most).map(tuple)


def numbered(prefix: str, of: st.SearchStrategy) -> st.SearchStrategy:
    """A short tuple of entries with ids in order."""
    return st.lists(of, max_size=3).map(lambda parts: tuple(make(f"{prefix}{n}") for n, make in enumerate(parts, 1)))


commands = st.builds(
    lambda **fields: lambda name: Command(id=name, **fields),
    command=texts,
    result=st.sampled_from(["passed", "failed", "timed_out", "denied", "not_started", "unknown"]),
    exit_code=st.sampled_from([None, 0, 1]),
    observer=st.sampled_from([None, "harness", "agent"]),
    started=times,
    tree=trees,
    missing=missing,
)
verifications = st.builds(
    lambda **fields: lambda name: Verification(id=name, **fields),
    check=st.sampled_from(["unit", "e2e"]),
    outcome=st.sampled_from(["pass", "fail", "not_run", "unknown"]),
    required=st.booleans(),
    reason=maybe,
    command=maybe,
    unavailable=st.sampled_from([None, True, False]),
    level=st.sampled_from([None, "claimed", "observed"]),
    evidence=many(ids),
    verdict=st.sampled_from([None, "proved"]),
    missing=missing,
)
failures = st.builds(
    lambda **fields: lambda name: Failure(id=name, **fields), command=maybe, error=maybe, source=maybe, missing=missing
)
records = st.builds(
    RunRecord,
    run_id=texts,
    lifecycle=st.sampled_from(["open", "settled", "abandoned"]),
    outcome=st.sampled_from(["ended", "failed", "interrupted", "unknown"]),
    task=st.builds(
        Task,
        objective=maybe,
        scope=many(paths),
        exclusions=many(texts),
        off_limits=many(paths),
        required_checks=many(st.builds(Check, name=st.sampled_from(["unit", "lint"]), command=maybe)),
        missing=missing,
    ),
    final=st.builds(Final, tree=trees),
    files_inspected=many(st.builds(FileInspected, path=paths, reason=maybe, missing=missing)),
    changed_files=many(
        st.builds(
            ChangedFile,
            path=paths,
            operation=st.sampled_from(["edit", "create"]),
            read_before=st.sampled_from([None, True, False]),
            last_edit=times,
        )
    ),
    commands=numbered("c", commands),
    verifications=numbered("v", verifications),
    failures=numbered("f", failures),
    decisions=many(st.builds(Decision, option=texts, missing=missing)),
    gates=many(st.builds(Gate, tool=texts, outcome=st.sampled_from(["allow", "deny"]))),
    budgets=st.dictionaries(st.just("steps"), st.builds(Budget, limit=st.just(1.0), consumed=st.floats(0, 2))),
    claims=many(st.builds(Claim, text=texts)),
    handoff=st.none() | st.builds(Handoff, status=maybe, blockers=many(texts), missing=missing),
    capture=st.builds(
        Capture,
        root_seen=st.booleans(),
        complete=st.booleans(),
        limits=many(st.just("content-off"), 1),
        dropped=st.builds(Dropped, spans=st.integers(0, 1)),
        redactions=st.integers(0, 1),
    ),
)


@given(records)
@settings(max_examples=150)
def test_judging_twice_equals_judging_once(record: RunRecord) -> None:
    """What a record brings of verdicts, states and findings has no influence."""
    once = judge(record)
    assert encode(judge(once)) == encode(once)
    assert decode(encode(once)) == once


@given(records)
@settings(max_examples=150)
def test_findings_refer_to_entries_that_exist(record: RunRecord) -> None:
    """Every ref of a finding can be looked up."""
    known = {
        "task", "handoff", "capture",
        *(entry.id for entry in (*record.commands, *record.verifications, *record.failures)),
        *(file.path for file in (*record.files_inspected, *record.changed_files)),
        *(check.name for check in record.task.required_checks),
        *(f"decisions[{place}]" for place in range(len(record.decisions))),
        *(f"claims[{place}]" for place in range(len(record.claims))),
        *(f"gates[{place}]" for place in range(len(record.gates))),
        *(f"budgets.{name}" for name in record.budgets),
    }  # fmt: skip
    for finding in judge(record).findings:
        assert set(finding.refs) <= known


@given(records)
@settings(max_examples=150)
def test_state_and_findings_agree(record: RunRecord) -> None:
    """A run that is not done for want of evidence has a finding that names it; a done one has no such error."""
    judged = judge(record)
    evidence = {
        "missing-required-check", "claim-without-command", "stale-verification", "contradicted-verification",
    }  # fmt: skip
    rules = {finding.rule for finding in judged.findings}
    if judged.review_state == "missing required evidence":
        assert rules & evidence
    if judged.review_state == "failing":
        assert "failing-required-check" in rules
    if judged.review_state == "done":
        assert not {finding.rule for finding in judged.findings if finding.severity == "error"} & evidence


@given(records)
@settings(max_examples=60)
def test_every_record_can_be_told(record: RunRecord) -> None:
    """Renderings never fail, and carry no control character of their own or of the run's."""
    judged = judge(record)
    for text in (as_text(record), as_text(judged, width=20), as_markdown(judged), *summary_rows([judged])[0]):
        assert all(character == "\n" or character.isprintable() for character in text)


def test_what_a_claim_states_is_held_against_the_checks() -> None:
    """Each kind of check on its own; the claim is worth its worst statement, and judging twice changes nothing."""
    text = "All 4 tests pass and the build succeeds. The linter is clean."
    passed = Command(id="c1", command="pytest", result="passed", exit_code=0, started="2026-01-01T00:00:00Z")
    tests = Verification(
        id="v1", check="pytest", outcome="pass", kind="test", derived=True, command_id="c1", evidence=("c1",),
        level="observed", counts=Counts(passed=4),
    )  # fmt: skip
    record = RunRecord(
        run_id="r",
        lifecycle="settled",
        outcome="ended",
        commands=(passed,),
        verifications=(tests,),
        claims=(Claim(text=text),),
        capture=Capture(root_seen=True, complete=True),
    )
    judged = judge(record)
    (claim,) = judged.claims
    assert [(each.kind, each.verdict) for each in claim.statements] == [
        ("test", "proved"),
        ("build", "claimed"),
        ("lint", "claimed"),
    ]
    assert claim.verdict == "claimed"
    assert judge(judged) == judged
