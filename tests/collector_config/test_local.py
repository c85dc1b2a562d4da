"""``local.yaml``: what agents send is in the trace backend and in the processor, as they sent it."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent_otel.model.record import to_builtins
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from collector_config.agents import CODING_AGENT, example, replay
from dialect_cases import FOLDER
from real.configured import Configured
from real.jaeger import Jaeger
from real.ports import wait_until
from real.processor import Processor
from real.tempo import Tempo

REPLAYED = ("claude-code/fix", "codex/fix", "frameworks/langgraph-openinference", "openhands-sdk/fix")

CALLS = {"list_files": 1, "read_file": 3, "run_command": 2, "edit_file": 1}
"""What the example agent calls, and how often."""

SAME = ("run_id", "agent", "task", "commands", "changed_files", "failures", "tool_calls", "usage", "final_status")
"""Fields of a record that do not depend on when it is looked at, nor on the contract beside the reader."""


@pytest.fixture(scope="module", params=[Jaeger, Tempo])
def stack(request, run, tmp_path_factory):
    """Everything that ``local.yaml`` shows, after the example agent has repaired its bug."""
    folder: Path = tmp_path_factory.mktemp("local")
    backend = run(request.param, folder / "backend")
    processor = Processor("--grpc", "off", db=str(folder / "runs.db"), log=folder / "processor.log")
    env = {"AGENT_OTEL_PROCESSOR": processor.http, "OTELCOL_BACKEND": backend.grpc}
    collector = run(Configured, folder / "collector", "local.yaml", env=env)
    try:
        example(CODING_AGENT, folder=folder / "agent", to=collector.http)
        yield SimpleNamespace(backend=backend, processor=processor, collector=collector)
    finally:
        processor.kill()


def records(stack) -> list[dict]:
    """The records that the processor has."""
    with closing(open_store(stack.processor.db)) as store:
        return [json.loads(json.dumps(to_builtins(each))) for each in store.records(RecordQuery(limit=100))]


@pytest.fixture
def solved(stack) -> dict:
    """The record of the example agent's run."""

    def found() -> list[dict]:
        return [each for each in records(stack) if each["agent"]["name"] == "fizz-fixer" and each.get("handoff")]

    wait_until(found, what="the record")
    return found()[0]


def test_the_record_is_in_the_processor(solved):
    """It knows what the agent did, and that its check is proved."""
    assert [each["result"] for each in solved["commands"]][-1] == "passed"
    assert {each["name"]: each["calls"] for each in solved["tool_calls"]} == CALLS
    assert {each["verdict"] for each in solved["verifications"]} == {"proved"}


def test_the_trace_is_in_the_backend(stack, solved):
    """By its id: the names of its spans, their parents, their attributes, and events where they happened."""
    (trace_id,) = solved["capture"]["traces"]
    wait_until(lambda: len(stack.backend.trace(trace_id)) == solved["capture"]["spans"], what="the trace's spans")
    spans = PLAIN[type(stack.backend)](stack.backend.trace(trace_id))
    (root,) = [each for each in spans if each.parent is None]
    steps = {each.id: each.name for each in spans if each.parent == root.id}
    commands = [each for each in spans if each is not root and each.id not in steps]
    assert root.name == "invoke_agent fizz-fixer"
    assert Counter(steps.values()) == {f"execute_tool {tool}": calls for tool, calls in CALLS.items()}
    assert [(steps[each.parent], each.name) for each in commands] == [
        ("execute_tool run_command", "execute_tool run_command python3")
    ] * 2
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert {each.attributes["gen_ai.tool.name"] for each in spans if each is not root} == set(CALLS)
    assert sorted(each.attributes["process.exit.code"] for each in commands) == [0, 1]
    assert {"agent_otel.task_started", "agent_otel.handoff_written"} <= set(root.events)
    assert "agent_otel.command_run" in {event for each in commands for event in each.events}


def _from_jaeger(spans):
    for each in spans:
        parents = [one["spanID"] for one in each["references"] if one["refType"] == "CHILD_OF"]
        yield SimpleNamespace(
            id=each["spanID"],
            parent=parents[0] if parents else None,
            name=each["operationName"],
            attributes={tag["key"]: tag["value"] for tag in each["tags"]},
            events=[field["value"] for log in each["logs"] for field in log["fields"] if field["key"] == "event"],
        )


def _from_tempo(spans):
    for each in spans:
        yield SimpleNamespace(
            id=each["spanId"],
            parent=each.get("parentSpanId"),
            name=each["name"],
            attributes={one["key"]: _value(one["value"]) for one in each["attributes"]},
            events=[event["name"] for event in each.get("events", [])],
        )


def _value(value):
    ((kind, found),) = value.items()
    return int(found) if kind == "intValue" else found


PLAIN = {
    Jaeger: lambda spans: list(_from_jaeger(spans)),
    Tempo: lambda spans: list(_from_tempo(spans)),
}
"""Spans as each backend gives them, as the same values."""


def test_searches_find_the_run(stack, solved):
    """Jaeger by an attribute of a span, Tempo by TraceQL over several spans of the trace."""
    (trace_id,) = solved["capture"]["traces"]
    backend = stack.backend
    if isinstance(backend, Jaeger):
        failing = json.dumps({"error.type": "nonzero_exit"})
        assert [each["traceID"] for each in backend.traces("fizz-fixer", tags=failing)] == [trace_id]
        assert backend.traces("fizz-fixer", tags=json.dumps({"error.type": "denied"})) == []
        return
    query = '{ name = "invoke_agent fizz-fixer" } >> { span.gen_ai.tool.name = "run_command" && status = error }'
    wait_until(lambda: backend.search(query), what="a search that finds it")
    assert [each["traceID"].rjust(32, "0") for each in backend.search(query)] == [trace_id]
    assert backend.search('{ span.error.type = "denied" }') == []


def test_what_real_agents_sent_makes_the_same_records(stack):
    """The collector between them and the processor changes nothing."""
    wanted = [record for case in REPLAYED for record in json.loads((FOLDER / case / "records.json").read_text())]
    for case in REPLAYED:
        replay(case, to=stack.collector.http)

    def differ() -> list[str]:
        found = {each["run_id"]: each for each in records(stack)}
        return [
            f"{record['run_id']} {name}"
            for record in wanted
            for name in SAME
            if found.get(record["run_id"], {}).get(name) != record.get(name)
        ]

    try:
        wait_until(lambda: not differ(), what="the same records")
    except AssertionError:
        assert differ() == []
