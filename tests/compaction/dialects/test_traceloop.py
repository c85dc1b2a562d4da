"""OpenLLMetry in its own words: workflows, agents and tools of a kind, and messages in numbered attributes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.traceloop.dialect import Traceloop
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
TRACE = "a" * 32


def span(kind: str, span_id: str, parent: str = "", *, at: int = 1, end: int = 9, **rest: Any) -> Span:
    """A span of a kind ("" for none), with its times in seconds; ``given`` and ``gave`` are its content."""
    attributes = {**({names.TRACELOOP_KIND: kind} if kind else {}), **rest.pop("attributes", {})}
    for key, value in (
        (names.TRACELOOP_INPUT, rest.pop("given", None)),
        (names.TRACELOOP_OUTPUT, rest.pop("gave", None)),
    ):
        if value is not None:
            attributes[key] = json.dumps(value)
    return Span(
        trace_id=rest.pop("trace_id", TRACE),
        span_id=span_id * 16,
        parent_id=parent and parent * 16,
        start_ns=at * S,
        end_ns=end * S,
        scope="traceloop.tracer",
        attributes=attributes,
        **rest,
    )


def llm(span_id: str, parent: str, said: str = "Done.", *, at: int = 2, **rest: Any) -> Span:
    """A model call of OpenLLMetry 0.47."""
    attributes = {
        names.LLM_REQUEST_TYPE: "chat",
        names.REQUEST_MODEL: "m",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Fix it",
        "gen_ai.completion.0.content": said,
        names.PROMPT_TOKENS_OLD: 5,
        names.COMPLETION_TOKENS_OLD: 2,
    }
    return span("", span_id, parent, at=at, end=at + 1, attributes={**attributes, **rest.pop("attributes", {})}, **rest)


def tool(span_id: str, parent: str, name: str, given: Any = None, gave: Any = None, **rest: Any) -> Span:
    """A call of a tool."""
    attributes = {names.TRACELOOP_NAME: name, **rest.pop("attributes", {})}
    return span("tool", span_id, parent, given=given, gave=gave, attributes=attributes, **rest)


def named(name: str) -> dict[str, Any]:
    """The attributes of an entity of that name."""
    return {names.TRACELOOP_NAME: name}


def records(*items: Span | Log) -> list[RunRecord]:
    """The records of one group, long after it fell silent."""
    return compact(items, now_ns=LATER)


def record(*items: Span | Log) -> RunRecord:
    """The only record."""
    (only,) = records(*items)
    return only


def test_it_claims_kinds_and_requests() -> None:
    """What has neither is others', and so are log records."""
    assert Traceloop().claims(span("task", "1"))
    assert Traceloop().claims(llm("1", ""))
    assert not Traceloop().claims(span("", "1"))
    assert not Traceloop().claims(Log(key="k", time_ns=S, attributes={names.TRACELOOP_KIND: "tool"}))


def test_a_workflow_without_agents_is_the_agent() -> None:
    """LangGraph of 0.47: tasks are steps of the framework."""
    found = record(span("workflow", "1", attributes=named("graph")), span("task", "2", "1"), llm("3", "2"))
    assert (found.agent.name, found.outcome, found.task.objective) == ("graph", "ended", "Fix it")
    assert (found.usage.model_calls, found.usage.input_tokens, found.usage.output_tokens) == (1, 5, 2)
    assert [said.text for said in found.claims] == ["Done."]


def test_a_workflow_around_one_agent_has_its_name() -> None:
    """Told by this dialect or by the conventions; it is one run."""
    session = {names.TRACELOOP_SESSION: "s1"}
    flow = span("workflow", "1", attributes=named("flow"))
    for agent in (
        span("agent", "2", "1", name="fixer.agent", attributes=session),
        span(
            "agent", "2", "1", attributes={names.OPERATION_NAME: "invoke_agent", names.AGENT_NAME: "fixer", **session}
        ),
    ):
        found = record(flow, agent, llm("3", "2"))
        assert (found.agent.name, found.run_id, found.outcome) == ("fixer", "s1", "ended")


def test_several_agents_are_runs_of_their_own() -> None:
    """Below that of the workflow, which has no name of theirs."""
    agents = [span("agent", str(n), "1", attributes=named(f"a{n}")) for n in (2, 3)]
    found = records(span("workflow", "1", name="flow.workflow"), *agents, llm("4", "2"), llm("5", "3"))
    assert [(one.agent.name, bool(one.parent_run)) for one in found] == [(None, False), ("a2", True), ("a3", True)]


def test_a_span_without_a_name_of_an_entity_has_its_own() -> None:
    """Where it is no more than the kind with a dot, that is left out."""
    assert record(span("agent", "1", name="fixer.agent"), llm("2", "1")).agent.name == "fixer"
    assert record(span("agent", "1", name="fixer"), llm("2", "1")).agent.name == "fixer"


def test_a_model_call_that_fails_for_good_fails_the_run() -> None:
    """The root may well be fine."""
    found = record(span("agent", "1"), llm("2", "1", status=2, status_message="HTTP 400"))
    assert (found.outcome, found.usage.failed_model_calls) == ("failed", 1)


def test_calls_inside_each_other_are_one() -> None:
    """LangChain and its provider, both instrumented: one call, one decision."""
    words = "Decision: keep the test"
    asks = {"gen_ai.completion.0.tool_calls.0.name": "read_file"}
    found = record(span("agent", "1"), llm("2", "1", words, attributes=asks), llm("3", "2", words, attributes=asks))
    assert (found.usage.model_calls, len(found.decisions)) == (1, 1)


STATE = {"inputs": {"messages": [["user", "Fix it"]]}, "kwargs": {"name": "g"}}
GIVEN: list[tuple[Any, str | None]] = [
    ({"args": ["Fix it"], "kwargs": {}}, "Fix it"),
    ({"args": [3, " "], "kwargs": {"task": "Fix it", "more": "x"}}, "Fix it"),
    (STATE, "Fix it"),
    ({"args": 3, "kwargs": 4}, None),
    ("Fix it", None),
    (None, None),
]


@pytest.mark.parametrize(("given", "task"), GIVEN, ids=map(str, range(len(GIVEN))))
def test_the_task_is_what_a_workflow_was_called_with(given: Any, task: str | None) -> None:
    """Where no model call tells: the first text, or the messages of a state."""
    assert record(span("workflow", "1", given=given)).task.objective == task


RETURNED: list[tuple[Any, str]] = [
    ("Fixed.", "Fixed."),
    ({"outputs": {"messages": [{"lc": 1, "kwargs": {"type": "ai", "content": "Fixed."}}]}}, "Fixed."),
    ({"a": 1}, ""),
    (None, ""),
]


@pytest.mark.parametrize(("gave", "claim"), RETURNED, ids=map(str, range(len(RETURNED))))
def test_last_words_are_what_a_workflow_returned(gave: Any, claim: str) -> None:
    """A text, or the last message of a state."""
    assert "".join(said.text for said in record(span("workflow", "1", gave=gave)).claims) == claim


def test_what_the_conventions_tell_is_left_to_them() -> None:
    """The messages of the new model calls beat what the decorated function was called with."""
    told = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Fix it"}]}])
    chat = span("", "2", "1", attributes={names.OPERATION_NAME: "chat", names.INPUT_MESSAGES: told})
    found = record(span("workflow", "1", given={"args": ["ticket-7"]}, gave="ok"), chat)
    assert (found.task.objective, found.claims) == ("Fix it", ())


def payload(**inputs: str) -> dict[str, Any]:
    """What LangChain's callback of a tool is given."""
    return {"input_str": str(inputs), "tags": [], "inputs": inputs, "kwargs": {"color": "green", "tool_call_id": "c1"}}


def answer(content: str) -> dict[str, Any]:
    """What it gives back."""
    return {
        "output": {"lc": 1, "kwargs": {"content": content, "tool_call_id": "c1", "status": "success"}},
        "kwargs": {},
    }


def test_langchains_callbacks_are_calls() -> None:
    """Arguments and results lie in what the callback was given."""
    ran = tool("2", "1", "run_command", payload(command="pytest"), answer("exit code: 1\nstdout:"))
    read = tool("3", "1", "read_file", payload(path="a.py"), answer("x = 1"))
    found = record(span("workflow", "1"), ran, read)
    assert [(run.command, run.result) for run in found.commands] == [("pytest", "failed")]
    assert [one.path for one in found.files_inspected] == ["a.py"]


def test_decorated_functions_are_calls() -> None:
    """Results are JSON, of a text that may be JSON itself."""
    ran = tool("2", "1", "run_command", {"args": [], "kwargs": {"command": "pytest"}}, json.dumps({"exit_code": 0}))
    read = tool("3", "1", "read_file", {"args": ["a.py"], "kwargs": {}}, "x = 1")
    failed = tool("4", "1", "edit_file", {"args": ["a.py", "x"], "kwargs": {}}, status=2, status_message="no")
    found = record(span("workflow", "1"), ran, read, failed)
    assert [(run.command, run.result) for run in found.commands] == [("pytest", "passed")]
    assert ([one.path for one in found.files_inspected], found.changed_files) == (["a.py"], ())


def test_tools_that_tell_nothing_did_what_the_model_asked_for() -> None:
    """OpenAI Agents of 0.47: by name and order; what came of it nobody knows."""
    asks = {
        "gen_ai.completion.0.tool_calls.0.name": "read_file",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"path": "a.py"}',
        "gen_ai.completion.1.tool_calls.0.name": "run_command",
        "gen_ai.completion.1.tool_calls.0.arguments": '{"command": "pytest"}',
    }
    found = record(
        span("agent", "1"),
        llm("2", "1", attributes=asks),
        span("tool", "3", "1", at=3, attributes={f"{names.COMPLETIONS}tool.name": "read_file"}),
        span("tool", "4", "1", at=4, name="run_command.tool"),
        span("tool", "5", "1", at=5, name="run_command.tool"),
    )
    assert [one.path for one in found.files_inspected] == ["a.py"]
    assert [(run.command, run.result) for run in found.commands] == [("pytest", "unknown")]
    assert {call.name: call.calls for call in found.tool_calls} == {"read_file": 1, "run_command": 2}
    assert found.capture.limits == ("content-off",)


def test_what_a_limit_left_of_texts_is_read() -> None:
    """The beginning of a result has its exit code; the beginning of a state is nobody's words."""
    ran = tool("2", "1", "run_command", {"args": [], "kwargs": {"command": "pytest"}}, "exit code: 1\nstdout: x")
    ran = replace(ran, attributes={key: value[:60] if key == names.TRACELOOP_INPUT else value[:17]
                                   for key, value in ran.attributes.items()})  # fmt: skip
    flow = span("workflow", "1", attributes={names.TRACELOOP_OUTPUT: '{"outputs": {"messages": [{"lc": 1'})
    found = record(flow, ran)
    assert ([(run.command, run.exit_code) for run in found.commands], found.claims) == ([("pytest", 1)], ())


def test_cut_content_is_said_to_be_cut() -> None:
    """By a limit of values, or one of attributes."""
    cut = llm("2", "1", dropped_attributes=3)
    assert record(span("agent", "1"), cut).capture.limits == ("attribute-cut",)
