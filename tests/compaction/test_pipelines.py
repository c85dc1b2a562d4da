"""What build servers and test runners tell, as evidence for the runs that left the same commit or tree."""

from __future__ import annotations

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.cicd.dialect import Cicd
from agent_otel.compaction.evidence.pipelines import meetings
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Log, Span

S = 1_000_000_000
TRACE, OTHER_TRACE = "c" * 32, "d" * 32
COMMIT, TREE, MERGE = "8f2c" * 10, "9d1c" * 10, "cccc" * 10
ON_COMMIT = {names.VCS_REF_REVISION: COMMIT}


def told(
    number: int = 1, *, trace: str = TRACE, resource: dict[str, str] | None = None, end: int = 200, **said: str
) -> Span:
    """A span of a pipeline."""
    attributes = {name.replace("__", "."): value for name, value in said.items()}
    return Span(
        trace_id=trace, span_id=f"{number:016x}", name="x", start_ns=S, end_ns=end * S, scope="ci",
        attributes=attributes, resource=ON_COMMIT if resource is None else resource, digest=bytes([number]),
    )  # fmt: skip


def task(result: str = "failure", number: int = 1, **fields) -> Span:
    """A task that came to something."""
    return told(number, cicd__pipeline__task__name="unit", cicd__pipeline__task__run__result=result, **fields)


def left(run_id: str = "r1", commit: str = COMMIT, tree: str = TREE) -> Log:
    """The note of a run."""
    said = {names.LEFT_BY: run_id, names.EVIDENCE_COMMIT: commit, names.EVIDENCE_TREE: tree}
    return Log(key=f"log:{said}", time_ns=S, event_name=names.RUN_LEFT, attributes=said, scope=names.SCOPE)


KINDS = {
    "a task that failed": (task(), "task unit fail"),
    "a task that timed out": (task("timeout"), "task unit fail"),
    "a task that passed": (task("success"), "task unit pass"),
    "a task whose server broke": (task("error"), "task unit unknown"),
    "a task that was skipped": (task("skip"), ""),
    "a task that was cancelled": (task("cancellation"), ""),
    "a task that goes on": (task(end=0), ""),
    "a pipeline": (told(cicd__pipeline__name="CI", cicd__pipeline__result="failure"), "pipeline CI fail"),
    "a suite": (told(test__suite__name="e2e", test__suite__run__status="timed_out"), "suite e2e fail"),
    "a suite that broke off": (told(test__suite__name="e2e", test__suite__run__status="aborted"), "suite e2e unknown"),
    "a suite that goes on": (told(test__suite__name="e2e", test__suite__run__status="in_progress"), ""),
    "a test": (told(test__suite__name="e2e", test__case__name="a", test__case__result__status="pass"), "case e2e pass"),
    "a test of no suite": (told(test__case__name="a", test__case__result__status="fail"), "case tests fail"),
    "a name that the pipeline gives": (task(agent_otel__verification__check="checks"), "task checks fail"),
    "a span of a step": (told(cicd__pipeline__task__name="checkout"), ""),
    "words of this SDK": (Span(trace_id=TRACE, span_id="1" * 16, end_ns=S, scope=names.SCOPE, resource=ON_COMMIT,
                               attributes={names.TEST_SUITE_RUN_STATUS: "success"}), ""),
    "a log record": (Log(key="log:1", time_ns=5 * S, trace_id=TRACE, span_id="2" * 16, resource=ON_COMMIT,
                         attributes={names.TEST_SUITE_RUN_STATUS: "success"}), "suite tests pass"),
    "a log record of nowhere": (Log(key="log:1", time_ns=5 * S, resource=ON_COMMIT,
                                    attributes={names.TEST_SUITE_RUN_STATUS: "success"}), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", KINDS)
def test_what_a_pipeline_tells(case: str) -> None:
    """Results by the conventions; what was skipped, cancelled or goes on is none."""
    item, expected = KINDS[case]
    said = [event.attributes for event in meetings([item, left()])]
    kinds = (names.EVIDENCE_KIND, names.VERIFICATION_CHECK, names.VERIFICATION_OUTCOME)
    assert " ".join(one[name] for one in said for name in kinds) == expected


def test_evidence_says_where_it_comes_from() -> None:
    """Who says so, when, why, of which state, and of which span."""
    item = task(service__name="builder", error__type="exit 1", agent_otel__evidence__tree=TREE)
    (event,) = meetings([item, left(commit="")])
    assert (event.time_ns, event.trace_id, event.span_id) == (200 * S, TRACE, f"{1:016x}")
    assert event.attributes == {
        names.RUN_ID: "r1", names.VERIFICATION_CHECK: "unit", names.VERIFICATION_OUTCOME: "fail",
        names.VERIFICATION_REASON: "exit 1", names.EVIDENCE_ID: "01", names.EVIDENCE_KIND: "task",
        names.EVIDENCE_CASE: "", names.EVIDENCE_SOURCE: "ci", names.EVIDENCE_BY: "builder",
        names.EVIDENCE_COMMIT: COMMIT, names.EVIDENCE_TREE: TREE, names.EVIDENCE_MERGE_OF: "",
    }  # fmt: skip


STATES = {
    "the commit": (task(), left(), True),
    "the tree": (task(resource={names.EVIDENCE_TREE: TREE}), left(commit="0" * 40), True),
    "a merge": (task(resource={names.VCS_REF_REVISION: MERGE, names.EVIDENCE_MERGE_OF: COMMIT}), left(), True),
    "another commit": (task(resource={names.VCS_REF_REVISION: MERGE}), left(), False),
    "no state": (task(resource={}), left(), False),
    "a run that left none": (task(resource={}), left(commit="", tree=""), False),
}


@pytest.mark.parametrize("case", STATES)
def test_a_result_is_evidence_for_who_left_that_state(case: str) -> None:
    """By the commit, the tree, or the commit that was merged."""
    item, note, meets = STATES[case]
    assert len(list(meetings([item, note]))) == meets


def test_a_trace_is_about_what_any_of_it_names() -> None:
    """A task that names no state is about those of its trace; of another trace nothing follows."""
    root = told(2, cicd__pipeline__name="CI", cicd__pipeline__result="failure")
    alone = task(resource={})
    assert [e.attributes[names.EVIDENCE_KIND] for e in meetings([alone, root, left()])] == ["task", "pipeline"]
    assert [
        e.attributes[names.EVIDENCE_KIND] for e in meetings([task(resource={}, trace=OTHER_TRACE), root, left()])
    ] == ["pipeline"]


def test_all_runs_that_left_it_get_it() -> None:
    """And without any, there is nothing to say."""
    assert [event.attributes[names.RUN_ID] for event in meetings([task(), left("b"), left("a"), left("a")])] == [
        "a",
        "b",
    ]
    assert list(meetings([task()])) == []


def test_a_pipeline_makes_no_run() -> None:
    """Nor does the note of one; what a run has in its own trace stays what it was."""
    assert compact([task(), told(2, cicd__pipeline__task__name="checkout"), left()], now_ns=9000 * S) == []
    dialect = Cicd()
    assert dialect.claims(task())
    assert dialect.claims(told(resource={"cicd.pipeline.run.id": "1"}))
    assert not dialect.claims(told())
    assert dialect.place(task()) is None
    assert list(dialect.read([task()], Forest({}))) == []
