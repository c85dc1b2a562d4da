"""What evidence is worth that others bring after the handoff: level, verdict and reason, by the state it is about."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.model.record import (
    Added,
    Capture,
    Check,
    Claim,
    Command,
    Counts,
    EvidenceFile,
    Final,
    Handoff,
    RunRecord,
    Task,
    Verification,
)
from agent_otel.review.judge import judge
from agent_otel.review.later import same, state_of, worth
from agent_otel.review.standing import standings

TREE, COMMIT = "9d1c" + "0" * 36, "8f2c" + "1" * 36
OTHER_TREE, OTHER_COMMIT, MERGE = "aaaa" + "2" * 36, "bbbb" + "3" * 36, "cccc" + "4" * 36
CLEAN = Final(tree=TREE, commit=COMMIT, dirty=False)
DIRTY = Final(tree=TREE, commit=COMMIT, dirty=True)
NO_TREE = Final(commit=COMMIT, dirty=False)
FILE = EvidenceFile(path="junit.xml", sha256="0" * 64)


def added(**fields) -> Added:
    """Evidence of CI on the final commit, unless ``fields`` say otherwise."""
    return Added(**{"id": "e1", "source": "ci", "commit": COMMIT, **fields})


def late(outcome: str = "pass", *, tree: str | None = None, check: str = "unit", **fields) -> Verification:
    """A verification made of evidence."""
    return Verification(id="v9", check=check, outcome=outcome, tree=tree, added=added(**fields))


STATES = {
    "the final tree": (TREE, {"commit": None}, CLEAN, "final"),
    "the final tree in another commit": (TREE, {"commit": OTHER_COMMIT}, DIRTY, "final"),
    "an abbreviated tree": (TREE[:12], {"commit": None}, CLEAN, "final"),
    "another tree": (OTHER_TREE, {"commit": None}, CLEAN, "other"),
    "another tree of another commit": (OTHER_TREE, {"commit": OTHER_COMMIT}, CLEAN, "other"),
    "the final commit": (None, {}, NO_TREE, "final"),
    "an abbreviated commit, in capitals": (None, {"commit": COMMIT[:9].upper()}, NO_TREE, "final"),
    "a commit too short to tell": (None, {"commit": COMMIT[:4]}, NO_TREE, "other"),
    "another commit": (None, {"commit": OTHER_COMMIT}, NO_TREE, "other"),
    "a merge of the final commit": (None, {"commit": MERGE, "merge_of": COMMIT}, NO_TREE, "merge"),
    "a merge with another tree": (OTHER_TREE, {"commit": MERGE, "merge_of": COMMIT}, CLEAN, "merge"),
    "a merge of something else": (None, {"commit": MERGE, "merge_of": OTHER_COMMIT}, NO_TREE, "other"),
    "the commit below uncommitted edits": (None, {}, DIRTY, "other"),
    "a commit that may have the uncommitted edits": (None, {"commit": OTHER_COMMIT}, DIRTY, "unknown"),
    "no state": (None, {"commit": None}, CLEAN, "unknown"),
    "a run that left nothing known": (TREE, {}, Final(), "unknown"),
    "a run of which nobody knows whether all was committed": (None, {}, Final(commit=COMMIT), "unknown"),
}


@pytest.mark.parametrize("case", STATES)
def test_the_state_that_evidence_is_about(case: str) -> None:
    """Trees decide, then commits of a clean work tree; the rest is another state, or nobody knows."""
    tree, fields, final, state = STATES[case]
    assert state_of(tree, added(**fields), final) == state


def test_two_ids_are_one_where_one_abbreviates_the_other() -> None:
    """As git prints them, with seven digits at least."""
    assert same("8f2c19a", "8F2C19A000")
    assert not same("8f2c19", "8f2c19a000")
    assert not same("8f2c19a", "8f2c19b000")


WORTH = {
    "CI passes on what the run left": (late(), CLEAN, "attested", "proved"),
    "CI, however it is written": (late(source="CI"), CLEAN, "attested", "proved"),
    "CI fails on what the run left": (late("fail"), CLEAN, "attested", "failed"),
    "CI passes elsewhere": (late(commit=OTHER_COMMIT), CLEAN, "observed", "stale"),
    "CI fails elsewhere": (late("fail", commit=OTHER_COMMIT), CLEAN, "observed", "stale"),
    "CI passes on the merge": (late(commit=MERGE, merge_of=COMMIT), CLEAN, "observed", "stale"),
    "CI fails on the merge": (late("fail", commit=MERGE, merge_of=COMMIT), CLEAN, "observed", "failed"),
    "CI passes, nobody knows on what": (late(commit=None), CLEAN, "observed", "unverifiable"),
    "CI fails, nobody knows on what": (late("fail", commit=None), CLEAN, "observed", "failed"),
    "somebody brings a report": (replace(late(source="reviewer"), files=(FILE,)), CLEAN, "bound", "proved"),
    "somebody only says so": (late(source="reviewer"), CLEAN, "claimed", "claimed"),
    "somebody says that it failed": (late("fail", source="reviewer"), CLEAN, "claimed", "failed"),
    "the outcome is unknown": (late("unknown"), CLEAN, "attested", "unverifiable"),
    "it did not run": (late("not_run"), CLEAN, "attested", "not_run"),
}


@pytest.mark.parametrize("case", WORTH)
def test_what_evidence_is_worth(case: str) -> None:
    """A pass proves the state that it is about; a failure counts unless it is known to be about another one."""
    check, final, level, verdict = WORTH[case]
    found = worth(check, check.added, final)
    assert (found.level, found.verdict) == (level, verdict)


REASONS = {
    "numbers, who and when": (
        replace(
            late("fail", by="build-bot", at="2026-05-18T10:00:00.000Z", exit_code=1),
            counts=Counts(passed=41, failed=1, skipped=2, errors=1),
        ),
        CLEAN,
        (
            "ci (build-bot), 2026-05-18T10:00:00.000Z: exit 1, 41 passed, 1 failed, 2 skipped, 1 error;"
            f" on commit {COMMIT[:12]}, which the run left"
        ),
    ),
    "a reason": (replace(late("unknown"), reason="the worker died"), CLEAN,
                 f"ci: the worker died; on commit {COMMIT[:12]}, which the run left"),
    "only an outcome": (late(tree=TREE, commit=None), CLEAN, f"ci: passed; on tree {TREE[:12]}, which the run left"),
    "a merge": (late(commit=MERGE, merge_of=COMMIT), NO_TREE,
                f"ci: passed; on commit {MERGE[:12]}, a merge of {COMMIT[:12]}, which the run left"),
    "a merge without a name": (late(commit=None, merge_of=COMMIT), NO_TREE,
                               f"ci: passed; on a commit, a merge of {COMMIT[:12]}, which the run left"),
    "another commit": (late(commit=OTHER_COMMIT), NO_TREE,
                       f"ci: passed; on commit {OTHER_COMMIT[:12]}; the run left commit {COMMIT[:12]}"),
    "another tree": (late(tree=OTHER_TREE, commit=None), CLEAN,
                     f"ci: passed; on tree {OTHER_TREE[:12]}; the run left tree {TREE[:12]}"),
    "below uncommitted edits": (
        late(), DIRTY,
        f"ci: passed; on commit {COMMIT[:12]}; the run left commit {COMMIT[:12]} and uncommitted edits"),
    "nothing known": (late(commit=None), CLEAN, "ci: passed; on which state of the code was not recorded"),
    "nothing known of the run": (late(), Final(),
                                 f"ci: passed; on commit {COMMIT[:12]}; whether the run left that was not recorded"),
}  # fmt: skip


@pytest.mark.parametrize("case", REASONS)
def test_the_reason_says_who_what_and_where(case: str) -> None:
    """Such as a reviewer would want to read beside the verdict."""
    check, final, reason = REASONS[case]
    assert worth(check, check.added, final).reason == reason


PASSED = Command(id="c1", command="pytest -q", result="passed", exit_code=0, observer="harness", tree=TREE)
FAILED = replace(PASSED, id="c2", command="pytest -x", result="failed", exit_code=1)
OWN = Verification(
    id="v1", check="unit", outcome="pass", level="observed", evidence=("c1",), command_id="c1", tree=TREE
)
OWN_FAILED = replace(OWN, outcome="fail", evidence=("c2",), command_id="c2")
SKIPPED = Verification(id="v1", check="unit", outcome="not_run", reason="no browser")


def run(*verifications: Verification, required: bool = False, **fields) -> RunRecord:
    """A run that ended on a clean commit, with a handoff; judged."""
    numbered = tuple(replace(each, id=f"v{number}") for number, each in enumerate(verifications, start=1))
    known = {
        "run_id": "r", "lifecycle": "settled", "outcome": "ended", "final": CLEAN, "commands": (PASSED, FAILED),
        "handoff": Handoff(status="done"), "capture": Capture(root_seen=True, complete=True),
        "task": Task(required_checks=(Check(name="unit"),) if required else ()),
    }  # fmt: skip
    return judge(RunRecord(**{**known, "verifications": numbered, **fields}))


def standing(record: RunRecord) -> str:
    """The verdict on the only check."""
    (found,) = standings(record)
    return found.verdict


STANDINGS = {
    "a late pass proves what was skipped": ((SKIPPED, late()), "proved"),
    "a late failure of what was skipped": ((SKIPPED, late("fail")), "failed"),
    "evidence from elsewhere says more than nothing": ((SKIPPED, late(commit=OTHER_COMMIT)), "stale"),
    "a failure after a pass": ((OWN, late("fail")), "failed"),
    "a pass beside a failure": ((OWN, late("fail"), late(id="e2")), "failed"),
    "a failure beside a pass": ((OWN, late(id="e2"), late("fail")), "failed"),
    "two passes": ((OWN, late()), "proved"),
    "evidence from elsewhere undoes nothing": ((OWN, late(commit=OTHER_COMMIT)), "proved"),
    "a late pass does not undo a failure on the same tree": ((OWN_FAILED, late()), "failed"),
    "nor one on a tree that nobody knows": ((replace(OWN_FAILED, tree=None), late()), "failed"),
    "it does one on an older tree": ((replace(OWN_FAILED, tree=OTHER_TREE), late()), "proved"),
    "only evidence": ((late(),), "proved"),
    "a stale pass is proved anew": ((replace(OWN, evidence=(), command_id=None), late()), "proved"),
}


@pytest.mark.parametrize("case", STANDINGS)
def test_where_a_check_stands_with_late_evidence(case: str) -> None:
    """A failure stands whatever passed beside it; a pass takes the place of what did not fail."""
    verifications, verdict = STANDINGS[case]
    assert standing(run(*verifications)) == verdict


def rules(record: RunRecord) -> list[str]:
    """The rules of the findings about late results."""
    mine = ("post-handoff-regression", "failing-late-check")
    return [
        f"{each.rule} {each.severity} {each.layer} {','.join(each.refs)}"
        for each in record.findings
        if each.rule in mine
    ]


FINDINGS = {
    "passed, then failed": ((OWN, late("fail")), ["post-handoff-regression error release process v2,v1"]),
    "passed, then failed on the merge": (
        (OWN, late("fail", commit=MERGE, merge_of=COMMIT)), ["post-handoff-regression error release process v2,v1"]),
    "failed twice": ((OWN, late("fail"), late("fail", id="e2")),
                     ["post-handoff-regression error release process v2,v3,v1"]),
    "passed, skipped, then failed": (
        (OWN, Verification(id="v3", check="unit", outcome="not_run", reason="passed already"), late("fail")),
        ["post-handoff-regression error release process v3,v1"]),
    "claimed, then failed": (
        (replace(OWN, evidence=(), command_id=None), late("fail")),
        ["post-handoff-regression error verification v2,v1"]),
    "passed on an older tree": (
        (replace(OWN, evidence=("c3",), command_id="c3", tree=OTHER_TREE), late("fail")),
        ["post-handoff-regression error verification v2,v1"]),
    "failed before": ((OWN_FAILED, late("fail")), ["failing-late-check warning implementation v2"]),
    "never ran": ((late("fail"),), ["failing-late-check warning implementation v1"]),
    "another check": ((OWN, late("fail", check="e2e")), ["failing-late-check warning implementation v2"]),
    "on another state": ((OWN, late("fail", commit=OTHER_COMMIT)), []),
    "passed again": ((OWN, late()), []),
}  # fmt: skip


@pytest.mark.parametrize("case", FINDINGS)
def test_what_is_found_after_the_handoff(case: str) -> None:
    """A regression of what was proved is the release's; what never passed in the run came to light late."""
    verifications, expected = FINDINGS[case]
    older = replace(PASSED, id="c3", command="pytest -v", tree=OTHER_TREE)
    assert rules(run(*verifications, commands=(PASSED, FAILED, older))) == expected


def test_a_regression_is_told_with_the_pass_beside_it() -> None:
    """What failed once and passed once on the same state is flaky, and still a failure."""
    (found,) = [
        each for each in run(OWN, late("fail"), late(id="e2")).findings if each.rule == "post-handoff-regression"
    ]
    assert found.message.endswith("it passed in another run on the same state: it may be flaky")
    (found,) = [
        each for each in run(OWN, late("fail"), late("fail", id="e2")).findings if each.layer == "release process"
    ]
    assert "(and 1 more failure of it)" in found.message


def test_a_required_check_is_matched_by_its_command() -> None:
    """The contract's name is what CI calls it; the run called it by its command."""
    own = replace(OWN, check="pytest -q", command="pytest -q")
    task = Task(required_checks=(Check(name="unit", command="pytest *"),))
    record = run(own, late("fail"), task=task)
    assert rules(record) == ["post-handoff-regression error release process v2,v1"]
    assert record.review_state == "failing"


def test_a_required_check_that_only_ci_ran_is_done() -> None:
    """The run skipped it and said so; CI proved it on what the run left."""
    assert run(SKIPPED, required=True).review_state == "missing required evidence"
    assert run(SKIPPED, late(), required=True).review_state == "done"


def test_late_evidence_says_nothing_about_what_the_run_could_say() -> None:
    """A claim is held against what the run saw; a summary stays a mere summary."""
    alone = {"commands": (), "claims": (Claim(text="all unit tests pass"),), "handoff": None}
    record = run(late("fail"), **alone)
    assert record.claims[0].verdict == "claimed"
    assert "only-summary" in [each.rule for each in record.findings]


EVIDENCE = st.builds(
    lambda outcome, fields, number: late(outcome, **fields, id=f"e{number}"),
    st.sampled_from(["pass", "fail", "unknown", "not_run"]),
    st.sampled_from([{}, {"commit": None}, {"commit": OTHER_COMMIT}, {"commit": MERGE, "merge_of": COMMIT},
                     {"source": "reviewer"}, {"check": "e2e"}]),
    st.integers(0, 9),
)  # fmt: skip
OWNS = st.sampled_from([(), (OWN,), (OWN_FAILED,), (SKIPPED,), (OWN_FAILED, OWN)])


def failures(record: RunRecord) -> set[str]:
    """The checks that stand as failed."""
    return {each.check for each in standings(record) if each.verdict in ("failed", "contradicted")}


@settings(max_examples=150, deadline=None)
@given(OWNS, st.lists(EVIDENCE, max_size=4), EVIDENCE, st.booleans())
def test_adding_evidence_never_hides_a_failure(own, before, more, required) -> None:
    """Whatever is added: a check that failed stays failed, and what was found of failures stays found."""
    first, then = run(*own, *before, required=required), run(*own, *before, more, required=required)
    assert failures(first) <= failures(then)
    if first.review_state == "failing":
        assert then.review_state == "failing"
    late_rules = {"post-handoff-regression", "failing-late-check", "failing-required-check"}
    assert {each.rule for each in first.findings} & late_rules <= {each.rule for each in then.findings}


@settings(max_examples=60, deadline=None)
@given(OWNS, st.lists(EVIDENCE, min_size=2, max_size=3), st.booleans())
def test_the_order_of_evidence_does_not_matter(own, evidence, required) -> None:
    """Verdicts, the review state and the rules that speak are the same."""

    def told(record):
        return record.review_state, {(s.check, s.verdict) for s in standings(record)}, {f.rule for f in record.findings}

    every = [told(run(*own, *order, required=required)) for order in itertools.permutations(evidence)]
    assert every.count(every[0]) == len(every)
