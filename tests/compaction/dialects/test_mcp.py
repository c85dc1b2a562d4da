"""MCP spans: each call once, failures whoever tells them, and one run for the calls of one client."""

from __future__ import annotations

from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.mcp.dialect import MCP
from agent_otel.model import limits, names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
CLIENT, SERVER = 3, 2
PROCESS = {names.SERVICE_INSTANCE_ID: "one"}


def span(number: int, parent: int = 0, method: str = "tools/call", *, trace: str = "a", **rest: Any) -> Span:
    """A span of the protocol."""
    attributes = {names.MCP_METHOD: method, **rest.pop("attributes", {})}
    return Span(
        trace_id=trace * 32,
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=rest.pop("name", f"{method} read_file"),
        kind=rest.pop("kind", CLIENT),
        start_ns=number * S,
        end_ns=9 * S,
        attributes=attributes,
        **rest,
    )


def agent(number: int, operation: str, parent: int = 0, **attributes: Any) -> Span:
    """A span of an agent in the GenAI conventions."""
    return Span(
        trace_id="a" * 32,
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        start_ns=number * S,
        end_ns=9 * S,
        attributes={names.OPERATION_NAME: operation, **attributes},
    )


def one(*items: Span | Log) -> RunRecord:
    """The one record of the items."""
    (record,) = compact(items, now_ns=10**6 * S)
    return record


def calls(record: RunRecord) -> list[tuple[str, int, int]]:
    """Tools, with how often they were called and how often that failed."""
    return [(tool.name, tool.calls, tool.failed) for tool in record.tool_calls]


FAILED: dict[str, Any] = {"status": 2, "status_message": "no such file", "attributes": {names.ERROR_TYPE: "tool_error"}}


def test_a_call_through_two_libraries_and_two_processes_counts_once() -> None:
    """And its failure, which the SDK's own span does not tell."""
    record = one(
        span(1, resource=PROCESS), span(2, 1, name="MCP send tools/call read_file"), span(3, 2, kind=SERVER, **FAILED)
    )
    assert calls(record) == [("read_file", 1, 1)]
    assert [failure.error for failure in record.failures] == ["no such file"]
    assert record.capture.limits == (limits.CONTENT_OFF,)


def test_another_tool_inside_a_call_is_a_call_of_its_own() -> None:
    """A server may be an agent that calls tools itself."""
    record = one(span(1), span(2, 1, name="tools/call search"), span(3, 2, name="tools/call search", kind=SERVER))
    assert calls(record) == [("read_file", 1, 0), ("search", 1, 0)]


@pytest.mark.parametrize(
    "tool",
    [
        {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: "read_file", names.TOOL_CALL_ARGUMENTS: "{}"},
        {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: "read_file", names.TOOL_CALL_RESULT: "x"},
    ],
)
def test_a_call_of_an_agent_is_the_agents_to_tell(tool: dict[str, Any]) -> None:
    """The agent's span has the arguments; that the protocol's have none is no limit, and the call counts once."""
    asked = {names.TOOL_CALL_ARGUMENTS: '{"path": "a.py"}', **tool}
    record = one(
        agent(1, names.INVOKE_AGENT, **{names.AGENT_NAME: "fixer"}),
        agent(2, tool[names.OPERATION_NAME], 1, **asked),
        span(3, 2),
        span(4, 3, kind=SERVER, attributes={names.TOOL_NAME: "read_file", names.OPERATION_NAME: names.EXECUTE_TOOL}),
    )
    assert calls(record) == [("read_file", 1, 0)]
    assert record.agent.dialect == "genai"
    assert limits.CONTENT_OFF not in record.capture.limits


def test_calls_of_one_client_are_one_run() -> None:
    """Each is a trace of its own; the process joins them, and shaking hands is part of it."""
    record = one(
        span(1, method="initialize", name="initialize", trace="a", resource=PROCESS),
        span(2, trace="b", resource=PROCESS),
        span(3, 2, trace="b", kind=SERVER, resource={names.SERVICE_INSTANCE_ID: "server"}),
        span(4, trace="c", resource=PROCESS, name="tools/call run_command"),
    )
    assert record.run_id == "mcp-one"
    assert calls(record) == [("read_file", 1, 0), ("run_command", 1, 0)]
    assert (record.lifecycle, record.outcome) == ("settled", "ended")
    assert len(record.capture.traces) == 3


@pytest.mark.parametrize(
    ("kind", "resource"), [(SERVER, PROCESS), (CLIENT, {})], ids=["a server", "a client of an unknown process"]
)
def test_other_calls_are_runs_by_their_traces(kind: int, resource: dict[str, Any]) -> None:
    """A server serves many, and what does not say which process it is may be any."""
    items = [span(1, trace=trace, kind=kind, resource=resource) for trace in "ab"]
    assert sorted(record.run_id for record in compact(items, now_ns=S)) == [f"trace-{'a' * 32}", f"trace-{'b' * 32}"]


def test_shaking_hands_alone_is_no_run() -> None:
    """Nor is listing what there is."""
    assert compact([span(1, method="initialize"), span(2, 1, method="tools/list")], now_ns=S) == []


def test_what_the_conventions_allow_is_read() -> None:
    """Arguments and a result, on whichever span has them."""
    given = {names.TOOL_CALL_ARGUMENTS: '{"command": "make test"}', names.TOOL_CALL_RESULT: '{"exit_code": 2}'}
    record = one(span(1, name="tools/call run_command"), span(2, 1, name="tools/call run_command", attributes=given))
    assert [(command.command, command.result) for command in record.commands] == [("make test", "failed")]
    assert record.capture.limits == ()


def test_only_spans_with_a_method_are_claimed() -> None:
    """Whatever the method is."""
    dialect = MCP()
    assert dialect.claims(span(1, method="ping"))
    assert not dialect.claims(agent(1, names.CHAT))
    log = Log(key="l", time_ns=S, attributes={names.MCP_METHOD: "tools/call"})
    assert not dialect.claims(log)
    assert not dialect.backdrop(log)
    assert dialect.place(span(1)) is None
