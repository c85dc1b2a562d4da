"""Evidence from elsewhere: read from its events, put behind the run's own verifications, and nothing else touched."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.compaction.compact import brought_later, compact
from agent_otel.compaction.evidence.added import with_evidence
from agent_otel.model import names
from agent_otel.model.item import Log, Span, SpanEvent
from agent_otel.model.record import Added, Counts, EvidenceFile, RunRecord, Verification, encode

S = 1_000_000_000
TRACE, CI_TRACE = "a" * 32, "c" * 32
COMMIT, TREE = "8f2c" * 10, "9d1c" * 10
NOW_NS = 10_000 * S


def run_items(run_id: str = "r1", *, dirty: bool = False, base: str = "ba5e" * 10) -> list[Span]:
    """A run that was asked for ``unit`` and skipped it."""
    check = json.dumps({"name": "unit"})
    common = {names.RUN_ID: run_id}
    events = (
        SpanEvent(
            name=names.TASK_STARTED,
            time_ns=S,
            attributes={
                **common,
                names.TASK_OBJECTIVE: "fix",
                names.TASK_REQUIRED_CHECKS: (check,),
                names.BASE_COMMIT: base,
            },
        ),
        SpanEvent(
            name=names.VERIFICATION_RAN,
            time_ns=2 * S,
            attributes={**common, names.VERIFICATION_CHECK: "unit", names.VERIFICATION_OUTCOME: "not_run"},
        ),
        SpanEvent(
            name=names.RUN_FINISHED,
            time_ns=3 * S,
            attributes={**common, names.FINAL_COMMIT: COMMIT, names.FINAL_TREE: TREE, names.FINAL_DIRTY: dirty},
        ),
    )
    attributes = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_NAME: "fixer",
        names.RUN_OUTCOME: "ended",
        **common,
    }
    return [
        Span(
            trace_id=TRACE, span_id="1" * 16, name="invoke_agent fixer", start_ns=S, end_ns=3 * S, scope=names.SCOPE,
            attributes=attributes, events=events,
        )
    ]  # fmt: skip


def evidence(
    outcome: str = "pass",
    *,
    second: int = 100,
    run_id: str = "r1",
    check: str = "unit",
    ref: tuple[str, str] = ("", ""),
    **more,
) -> Log:
    """An event of evidence."""
    attributes = {
        names.RUN_ID: run_id, names.VERIFICATION_CHECK: check, names.VERIFICATION_OUTCOME: outcome,
        names.EVIDENCE_SOURCE: "ci", names.EVIDENCE_COMMIT: COMMIT, **more,
    }  # fmt: skip
    given = {name: value for name, value in attributes.items() if value is not None}
    body = json.dumps([given, second, ref], sort_keys=True, default=list)
    return Log(
        key=f"log:{body}", digest=body.encode(), time_ns=second * S, trace_id=ref[0], span_id=ref[1],
        event_name=names.EVIDENCE_ADDED, attributes=given, scope=names.SCOPE,
    )  # fmt: skip


def piece(kind: str, outcome: str, *, number: int = 1, check: str = "unit", case: str | None = None, **more) -> Log:
    """An event made of a span of a pipeline."""
    told = {names.EVIDENCE_KIND: kind, names.EVIDENCE_ID: f"d{number}", names.EVIDENCE_CASE: case, **more}
    return evidence(outcome, check=check, ref=(CI_TRACE, f"{number:016x}"), second=100 + number, **told)


def folded(*logs: Log, items: list[Span] | None = None) -> RunRecord:
    """The only record of these."""
    (record,) = compact([*(run_items() if items is None else items), *logs], now_ns=NOW_NS)
    return record


def late(record: RunRecord) -> list[Verification]:
    """What was added."""
    return [each for each in record.verifications if each.added is not None]


def test_evidence_says_all_that_was_said() -> None:
    """Who, when, of which state, with which numbers and files."""
    (found,) = late(
        folded(
            evidence(
                "fail",
                **{
                    names.EVIDENCE_ID: "e1", names.EVIDENCE_BY: "bot", names.EVIDENCE_TREE: TREE,
                    names.EVIDENCE_MERGE_OF: "1" * 40, names.EVIDENCE_EXIT_CODE: 1, names.EVIDENCE_PASSED: 41,
                    names.EVIDENCE_FAILED: 1, names.EVIDENCE_COVERAGE: 81.5, names.EVIDENCE_FAILING: ("t.x",),
                    names.EVIDENCE_TAIL: "1 failed", names.VERIFICATION_REASON: "why",
                    names.VERIFICATION_FILES: (
                        json.dumps({"path": "j.xml", "sha256": "0" * 64, "bytes": 3}),
                        json.dumps({"path": "", "sha256": "0" * 64}),
                        "no JSON",
                    ),
                },
            )
        )
    )  # fmt: skip
    assert found == Verification(
        id="v2",
        check="unit",
        outcome="fail",
        required=True,
        counts=Counts(passed=41, failed=1),
        reason="why",
        tree=TREE,
        files=(EvidenceFile(path="j.xml", sha256="0" * 64, bytes=3),),
        added=Added(
            id="e1",
            source="ci",
            by="bot",
            at="1970-01-01T00:01:40.000Z",
            commit=COMMIT,
            merge_of="1" * 40,
            exit_code=1,
            coverage=81.5,
            failing=("t.x",),
            tail="1 failed",
        ),
    )


def test_evidence_that_says_little_is_taken_as_it_is() -> None:
    """What has the wrong type was not said; an id is made of what was."""
    (found,) = late(folded(evidence("maybe", **{names.EVIDENCE_SOURCE: None, names.EVIDENCE_COMMIT: 7})))
    assert (found.outcome, found.counts, found.added.source, found.added.commit) == ("unknown", None, "unknown", None)
    assert len(found.added.id) == 32


def test_nothing_else_of_the_run_depends_on_it() -> None:
    """Not its times, its life, its capture, nor whose it is; only what was skipped did run after all."""
    bare = folded()
    full = folded(evidence(), evidence("fail", check="e2e"))
    assert replace(full, verifications=bare.verifications, skipped_checks=bare.skipped_checks) == bare
    assert (bare.skipped_checks, full.skipped_checks) == (("v1",), ())
    assert folded(evidence("not_run")).skipped_checks == ("v1",)


def test_evidence_makes_no_run() -> None:
    """Of a run that nobody heard of, or that it does not name, there is no record; it waits for its run."""
    assert compact([evidence(), evidence(run_id=""), evidence(check="")], now_ns=NOW_NS) == []
    assert late(folded(evidence(run_id="r2"), evidence(run_id=""), evidence(check=""))) == []
    assert [len(found) for found in brought_later([evidence(), evidence("fail")]).evidence.values()] == [2]


def test_the_same_evidence_twice_counts_as_of_the_first_time() -> None:
    """By its id; what is different but for the id was said first by whoever was first."""
    again = [evidence(second=second, **{names.EVIDENCE_ID: "e1"}) for second in (100, 300, 200)]
    records = {encode(folded(*order)) for order in itertools.permutations(again)}
    assert records == {encode(folded(again[0]))}


def test_of_a_span_of_a_pipeline_the_last_telling_counts() -> None:
    """As with copies of the span: the later end, else the larger digest."""
    told = [
        piece("task", "pass"),
        replace(piece("task", "fail"), time_ns=200 * S),
        replace(piece("task", "unknown", **{names.EVIDENCE_ID: "d0"}), time_ns=200 * S, key="log:~"),
    ]
    records = {encode(folded(*order)) for order in itertools.permutations(told)}
    assert records == {encode(folded(told[1]))}


def test_tests_that_came_one_by_one_are_one_piece_a_suite() -> None:
    """With their numbers, and the names of those that failed."""
    cases = [
        piece("case", "pass", number=1, case="a"),
        piece("case", "fail", number=2, case="b"),
        piece("case", "fail", number=3, case="c"),
        piece("suite", "fail", number=4),
        piece("case", "pass", number=5, case="x", check="other"),
    ]
    unit, other = late(folded(*cases))
    if unit.check != "unit":
        unit, other = other, unit
    assert (unit.outcome, unit.counts, unit.added.failing) == ("fail", Counts(passed=1, failed=2), ("b", "c"))
    assert unit.span == f"{CI_TRACE}/{2:016x}"
    assert unit.added.at == "1970-01-01T00:01:44.000Z"
    assert (other.outcome, other.counts) == ("pass", Counts(passed=1, failed=0))


@pytest.mark.parametrize(("suite", "outcome"), [("pass", "pass"), ("unknown", "unknown"), ("fail", "fail")])
def test_a_suite_is_what_it_says_of_itself_where_no_test_failed(suite: str, outcome: str) -> None:
    """A suite that broke off passed nothing, whatever its tests did until then."""
    (found,) = late(folded(piece("case", "pass", case="a"), piece("suite", suite, number=2)))
    assert found.outcome == outcome
    (alone,) = late(folded(piece("suite", suite)))
    assert (alone.outcome, alone.counts) == (outcome, None)


def test_a_pipeline_counts_where_nothing_of_it_was_told() -> None:
    """Or where the contract asks for it by name."""
    task, whole = piece("task", "fail", check="lint"), piece("pipeline", "fail", number=2, check="CI")
    assert [each.check for each in late(folded(task, whole))] == ["lint"]
    assert [each.check for each in late(folded(whole))] == ["CI"]
    named = piece("pipeline", "fail", number=2, check="unit")
    assert {each.check for each in late(folded(task, named))} == {"lint", "unit"}


STATES = {
    "the commit": ({}, False, True),
    "the commit below uncommitted edits": ({}, True, False),
    "the tree that was left uncommitted": ({names.EVIDENCE_TREE: TREE}, True, True),
    "another commit": ({names.EVIDENCE_COMMIT: "0" * 40}, False, False),
    "a merge": ({names.EVIDENCE_COMMIT: "0" * 40, names.EVIDENCE_MERGE_OF: COMMIT}, False, True),
}


@pytest.mark.parametrize("case", STATES)
def test_a_pipeline_counts_for_the_state_that_the_run_left(case: str) -> None:
    """A run that was taken up again leaves another one in the end: whoever met the first is of no use."""
    said, dirty, counts = STATES[case]
    found = late(folded(piece("task", "fail", **said), items=run_items(dirty=dirty)))
    assert len(found) == counts


def test_of_a_run_that_changed_nothing_a_pipeline_tells_nothing() -> None:
    """It ended where it began, as every other run that began there may."""
    assert late(folded(piece("task", "fail"), items=run_items(base=COMMIT))) == []


def test_a_record_keeps_the_evidence_that_it_has() -> None:
    """Adding it again to a finished record changes nothing; more of it stands behind."""
    record = folded(evidence(**{names.EVIDENCE_ID: "e1"}))
    known = brought_later([evidence(**{names.EVIDENCE_ID: "e1"})]).evidence["r1"]
    assert with_evidence(record, known) is record
    more = brought_later([evidence("fail", **{names.EVIDENCE_ID: "e2"})]).evidence["r1"]
    assert [(each.id, each.added.id) for each in late(with_evidence(record, more))] == [("v2", "e1"), ("v3", "e2")]


PIECES = st.sampled_from(
    [
        evidence(), evidence("fail"), evidence("fail", **{names.EVIDENCE_ID: "e1"}),
        evidence("fail", second=200, **{names.EVIDENCE_ID: "e1"}), piece("task", "pass"), piece("task", "fail"),
        piece("case", "pass", case="a"), piece("case", "fail", number=2, case="b"), piece("suite", "pass", number=3),
        piece("pipeline", "fail", number=4, check="CI"), evidence(run_id="r2"),
    ]
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES, max_size=6), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(pieces: list[Log], chance) -> None:
    """The same evidence gives the same record, byte for byte."""
    items = [*run_items(), *pieces]
    again = [*items, *chance.choices(items, k=3)]
    chance.shuffle(again)
    assert encode(folded(*pieces)) == encode(compact(again, now_ns=NOW_NS)[0])
