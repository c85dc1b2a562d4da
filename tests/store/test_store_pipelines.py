"""Results of pipelines find the runs that left their commit, in every store and whatever came first."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from agent_otel.compaction.policy import Policy
from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord, encode
from agent_otel.otlp.lines import items_from_line
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import statement
from agent_otel.service.fold import fold_due, fold_groups
from agent_otel.store.base import Store

START_NS = 1_779_095_523_000_000_000
NOW_NS = START_NS + 3_600_000_000_000
COMMIT, TREE = "8f2c" * 10, "9d1c" * 10


def entries(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP/JSON has them."""

    def value(it: Any) -> dict[str, Any]:
        if isinstance(it, bool):
            return {"boolValue": it}
        return {"arrayValue": {"values": [value(part) for part in it]}} if isinstance(it, list) else {"stringValue": it}

    return [{"key": key, "value": value(it)} for key, it in values.items()]


def run(
    number: int = 1, *, commit: str = COMMIT, tree: str = TREE, dirty: bool = False, changed: bool = True
) -> tuple[Item, ...]:
    """A run that passed ``unit`` and left this state."""
    known = {names.RUN_ID: f"run-{number}"}
    check = {names.VERIFICATION_CHECK: "unit", names.VERIFICATION_OUTCOME: "pass"}
    files = [json.dumps({"path": "a.py", "operation": "edit"})] if changed else []
    final = {names.FINAL_COMMIT: commit, names.FINAL_TREE: tree, names.FINAL_DIRTY: dirty, names.CHANGED_FILES: files}
    base = {names.TASK_OBJECTIVE: "fix", names.BASE_COMMIT: commit}
    events = [
        {"name": name, "timeUnixNano": str(START_NS + 1), "attributes": entries({**known, **said})}
        for name, said in ((names.TASK_STARTED, base), (names.VERIFICATION_RAN, check), (names.RUN_FINISHED, final))
    ]
    identity = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_NAME: "fixer",
        names.RUN_OUTCOME: "ended",
        **known,
    }
    span = {
        "traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": "invoke_agent fixer",
        "startTimeUnixNano": str(START_NS), "endTimeUnixNano": str(START_NS + 10**9),
        "attributes": entries(identity), "events": events,
    }  # fmt: skip
    return received({"resourceSpans": [{"scopeSpans": [{"scope": {"name": names.SCOPE}, "spans": [span]}]}]})


def task(
    result: str = "failure", *, trace: int = 900, span: int = 1, parent: int = 0, **resource: str
) -> tuple[Item, ...]:
    """A task of a pipeline, about this commit unless the resource says otherwise."""
    said = {names.CICD_TASK_NAME: "unit", names.CICD_TASK_RESULT: result}
    about = {names.SERVICE_NAME: "builder", **(resource or {names.VCS_REF_REVISION: COMMIT})}
    spans = [{
        "traceId": f"{trace:032x}", "spanId": f"{span:016x}", "parentSpanId": f"{parent:016x}" if parent else "",
        "name": "RUN unit", "startTimeUnixNano": str(START_NS + 10**10), "endTimeUnixNano": str(START_NS + 2 * 10**10),
        "attributes": entries(said),
    }]  # fmt: skip
    scope = {"scope": {"name": "ci"}, "spans": spans}
    return received({"resourceSpans": [{"resource": {"attributes": entries(about)}, "scopeSpans": [scope]}]})


def received(request: dict[str, Any]) -> tuple[Item, ...]:
    """The items of a request."""
    return items_from_line(json.dumps(request).encode()).items


def folded(store: Store) -> dict[str, RunRecord]:
    """The records of a store of which nothing is due any more, without their revisions."""
    fold_due(store, now_ns=NOW_NS, policy=Policy())
    assert store.due(now_ns=NOW_NS) == []
    return {record.run_id: record for record in store.records()}


def verdicts(record: RunRecord) -> list[tuple[str, str | None]]:
    """What was added to a record, and what it is worth."""
    return [(each.check, each.verdict) for each in record.verifications if each.added is not None]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_whatever_came_first_the_run_gets_its_evidence(store: Store, order: tuple[int, ...]) -> None:
    """Also where the record was folded in between; a pipeline is no run."""
    parts = (run(), task(), task("success", span=2, parent=1, **{names.VCS_REF_REVISION: COMMIT}))
    for place in order:
        store.put(parts[place])
        folded(store)
    (record,) = folded(store).values()
    assert verdicts(record) == [("unit", "failed"), ("unit", "proved")] or verdicts(record) == [
        ("unit", "proved"),
        ("unit", "failed"),
    ]
    assert "post-handoff-regression" in {finding.rule for finding in record.findings}
    (alone,) = fold_groups([item for part in parts for item in part], policy=Policy())
    assert encode(RunRecord(**{**_fields(record), "revision": 1})) == encode(
        RunRecord(**{**_fields(alone), "revision": 1})
    )


def _fields(record: RunRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def test_it_comes_once(store: Store) -> None:
    """Told again, or folded again, nothing changes."""
    for part in (run(), task(), task()):
        store.put(part)
    (before,) = folded(store).values()
    store.put(task())
    store.refold()
    (after,) = folded(store).values()
    assert after == before
    assert verdicts(after) == [("unit", "failed")]


def test_all_runs_that_left_the_commit_get_it(store: Store) -> None:
    """One pipeline serves them all; who left something else, or changed nothing, is not meant."""
    other = run(3, commit="0" * 40, tree="1" * 40)
    uncommitted = run(5, dirty=True, tree="2" * 40)
    for part in (run(1), run(2), other, run(4, changed=False), uncommitted, task()):
        store.put(part)
    found = folded(store)
    assert {run_id: len(verdicts(record)) for run_id, record in found.items()} == {
        "run-1": 1, "run-2": 1, "run-3": 0, "run-4": 0, "run-5": 0
    }  # fmt: skip
    assert len({record.run_id for record in store.records()}) == 5


def test_a_tree_and_a_merge_find_it_too(store: Store) -> None:
    """For edits that were left uncommitted the tree is all there is."""
    store.put(run(dirty=True))
    store.put(task("success", **{names.VCS_REF_REVISION: "3" * 40, names.EVIDENCE_TREE: TREE}))
    store.put(run(2, tree="4" * 40))
    store.put(task(trace=901, **{names.VCS_REF_REVISION: "5" * 40, names.EVIDENCE_MERGE_OF: COMMIT}))
    found = folded(store)
    assert verdicts(found["run-1"]) == [("unit", "proved")]
    assert verdicts(found["run-2"]) == [("unit", "failed")]


def test_what_meets_no_run_is_kept_and_makes_none(store: Store) -> None:
    """It waits for a run that leaves its commit, as long as telemetry is kept."""
    store.put(task())
    assert folded(store) == {}
    assert store.stats().items == 1
    store.put(run())
    assert verdicts(folded(store)["run-1"]) == [("unit", "failed")]


def test_a_run_whose_telemetry_has_expired_takes_evidence_still(store: Store, clock: Any) -> None:
    """The record stays, and what is added stands behind what it has; adding it again changes nothing."""
    store.put(run())
    before = folded(store)["run-1"]
    clock.pass_s(31 * 24 * 3600)
    assert store.expire(before_ns=clock.now_ns)
    said = {
        names.RUN_ID: "run-1", names.VERIFICATION_CHECK: "unit", names.VERIFICATION_OUTCOME: "fail",
        names.EVIDENCE_SOURCE: "ci", names.EVIDENCE_COMMIT: COMMIT,
    }  # fmt: skip
    for time_ns in (NOW_NS, NOW_NS + 1):
        store.put(items_from_protobuf(statement(names.EVIDENCE_ADDED, said, time_ns=time_ns), "log").items)
        after = folded(store)["run-1"]
        assert verdicts(after) == [("unit", "failed")]
        assert after.revision == before.revision + 1
    assert after.verifications[:-1] == before.verifications
