"""Links of what is about a state of the code; of anything else there are none."""

from __future__ import annotations

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from agent_otel.model import names
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import statement

COMMIT, TREE = "8f2c" * 10, "9d1c" * 10
TRACE = "trace:" + "01" * 16


def links(attributes: dict[str, str], resource: dict[str, str] | None = None, scope: str = "ci") -> tuple[str, ...]:
    """The links of a span."""

    def entries(values: dict[str, str]) -> list[KeyValue]:
        return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]

    span = Span(trace_id=b"\1" * 16, span_id=b"\2" * 8, attributes=entries(attributes))
    spans = ScopeSpans(scope=InstrumentationScope(name=scope), spans=[span])
    request = TracesData(
        resource_spans=[ResourceSpans(resource=Resource(attributes=entries(resource or {})), scope_spans=[spans])]
    )
    (item,) = items_from_protobuf(request.SerializeToString(), "span").items
    return item.links


TASK = {names.CICD_TASK_RESULT: "failure"}
ON_COMMIT = {names.VCS_REF_REVISION: COMMIT}

CASES = {
    "a result, by its resource": (TASK, ON_COMMIT, [f"commit:{COMMIT}"]),
    "a result, by itself": ({**TASK, **ON_COMMIT}, {}, [f"commit:{COMMIT}"]),
    "a test": ({names.TEST_CASE_STATUS: "pass"}, {names.EVIDENCE_TREE: TREE}, [f"tree:{TREE}"]),
    "a suite": ({names.TEST_SUITE_RUN_STATUS: "success"}, ON_COMMIT, [f"commit:{COMMIT}"]),
    "a merge": (TASK, {**ON_COMMIT, names.EVIDENCE_MERGE_OF: "1" * 40}, [f"commit:{COMMIT}", f"commit:{'1' * 40}"]),
    "no state": (TASK, {}, []),
    "a tree that it names beside its revision": (
        {**TASK, **ON_COMMIT, names.EVIDENCE_TREE: TREE},
        {},
        [f"commit:{COMMIT}", f"tree:{TREE}"],
    ),
    "no id": (TASK, {names.VCS_REF_REVISION: "a b"}, []),
    "a step without a result": ({names.CICD_TASK_NAME: "checkout"}, ON_COMMIT, []),
    "a text that holds the words": ({"x": names.CICD_TASK_RESULT}, ON_COMMIT, []),
    "an agent": ({names.OPERATION_NAME: "chat"}, ON_COMMIT, []),
}


@pytest.mark.parametrize("case", CASES)
def test_results_are_joined_by_what_they_are_about(case: str) -> None:
    """A result names commits and trees; an agent on the same commit is not joined by it."""
    attributes, resource, expected = CASES[case]
    assert list(links(attributes, resource)) == [TRACE, *expected]


def test_events_of_this_sdk_are_joined_by_their_run_alone() -> None:
    """They have words of the conventions for tests, too; only the note of a run is about a state."""
    assert links({names.TEST_SUITE_RUN_STATUS: "success", **ON_COMMIT}, scope=names.SCOPE) == (TRACE,)
    note = {names.LEFT_BY: "r", names.EVIDENCE_COMMIT: COMMIT, names.EVIDENCE_TREE: TREE}
    (item,) = items_from_protobuf(statement(names.RUN_LEFT, note, time_ns=1), "log").items
    assert item.links == (f"commit:{COMMIT}", f"tree:{TREE}")
    quoted = {names.RUN_ID: "r", names.EVIDENCE_COMMIT: COMMIT, "x": names.LEFT_BY}
    (item,) = items_from_protobuf(statement(names.EVIDENCE_ADDED, quoted, time_ns=1), "log").items
    assert {link.rpartition(":")[2] for link in item.links} == {"r"}
