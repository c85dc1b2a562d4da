"""OpenInference as frameworks emit it: who bounds a run, what was said, what tools were given and gave back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.openinference.dialect import OpenInference
from agent_otel.compaction.dialects.openinference.flat import flat_messages
from agent_otel.compaction.dialects.openinference.talk import Talk
from agent_otel.compaction.reading.messages import Message, ToolRequest
from agent_otel.model import limits, names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
SCOPE = "openinference.instrumentation."
DONE = {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "All done."}


def span(kind: str, span_id: str, parent: str = "", *, at: int = 1, end: int = 9, **rest: Any) -> Span:
    """A span of a kind, with its times in seconds; ``scope`` is the end of its scope."""
    rest["scope"] = SCOPE + rest.pop("scope", "openai")
    rest["attributes"] = {names.OI_KIND: kind, **rest.pop("attributes", {})}
    start_ns, end_ns, parent_id = at * S, end * S, parent and parent * 16
    return Span(
        trace_id=rest.pop("trace_id", "a" * 32),
        span_id=span_id * 16,
        parent_id=parent_id,
        start_ns=start_ns,
        end_ns=end_ns,
        **rest,
    )


def llm(span_id: str, parent: str = "", said: str = "", *, at: int = 1, end: int = 2, **rest: Any) -> Span:
    """A model call that says something."""
    attributes = {names.OI_MODEL: "m", **rest.pop("attributes", {})}
    if said:
        attributes |= {**DONE, "llm.output_messages.0.message.content": said}
    return span("LLM", span_id, parent, at=at, end=end, attributes=attributes, **rest)


def tool(span_id: str, parent: str, name: str, given: str, gave: str = "ok", **rest: Any) -> Span:
    """A tool call."""
    attributes = {names.OI_TOOL_NAME: name, names.OI_INPUT: given, names.OI_OUTPUT: gave}
    return span("TOOL", span_id, parent, attributes={**attributes, **rest.pop("attributes", {})}, **rest)


def records(*items: Span | Log) -> list[RunRecord]:
    """The records of one group, long after it fell silent."""
    return compact(items, now_ns=LATER)


def record(*items: Span | Log) -> RunRecord:
    """The only record."""
    (only,) = records(*items)
    return only


def test_it_claims_spans_with_a_kind_and_nothing_else() -> None:
    """By the attribute, whatever the scope; log records are others'."""
    dialect = OpenInference()
    assert dialect.claims(span("CHAIN", "1"))
    assert not dialect.claims(Span(trace_id="a" * 32, span_id="1" * 16, scope=f"{SCOPE}langchain"))
    assert not dialect.claims(Log(key="k", time_ns=S, scope=f"{SCOPE}langchain", attributes={names.OI_KIND: "LLM"}))


def test_indexing_and_judging_alone_are_no_run() -> None:
    """Embeddings and evaluations make no record where no agent ran."""
    assert not records(span("EMBEDDING", "1"), span("EVALUATOR", "2"))


def test_the_topmost_chain_is_the_agent_where_no_span_is_one() -> None:
    """LangGraph's nodes are inside of it; its own name is that of the agent."""
    found = record(span("CHAIN", "1", name="fizz"), span("CHAIN", "2", "1", name="node"), llm("3", "2", "All done."))
    assert (found.agent.name, found.outcome, found.lifecycle) == ("fizz", "ended", "settled")
    assert [claim.text for claim in found.claims] == ["All done."]


def test_langchains_agents_are_chains_by_another_name() -> None:
    """Whatever has "agent" in its name has the kind: a node of a graph, which may fail and be tried again."""
    nodes = [span("AGENT", str(n), "1", name="agent", at=n, end=n + 1, status=4 - n, scope="langchain") for n in (2, 3)]
    found = record(span("CHAIN", "1", name="fixer"), *nodes, llm("5", "3", "Done.", at=3, end=4))
    assert (found.agent.name, found.outcome, found.failures) == ("fixer", "ended", ())
    top = span("AGENT", "1", name="my_agent", scope="langchain")
    assert record(top, llm("5", "1", "Done.")).agent.name == "my_agent"


@pytest.mark.parametrize(
    ("name", "agent"),
    [("fizz.run", "fizz"), ("fizz._execute_core", "fizz"), ("FunctionAgent.run", "FunctionAgent"), ("a.b", "a.b")],
)
def test_the_name_of_a_method_is_not_the_agents(name: str, agent: str) -> None:
    """smolagents, crewai and llama-index name spans after the call."""
    assert record(span("AGENT", "1", name=name), llm("2", "1", "Done.")).agent.name == agent


def test_a_workflow_around_one_agent_has_its_name() -> None:
    """OpenAI Agents wraps every agent; what the agent says of its end is the truth."""
    found = record(
        span("AGENT", "1", name="Agent workflow", status=1),
        span("CHAIN", "2", "1"),
        span("AGENT", "3", "2", name="x", status=2, status_message="boom", attributes={names.OI_AGENT_NAME: "fixer"}),
        llm("4", "3", "Hm."),
    )
    assert (found.agent.name, found.outcome) == ("fixer", "failed")
    assert [failure.error for failure in found.failures] == ["boom"]


def agents(*, handed: bool) -> list[Span]:
    """Two agents of one workflow; the first may hand over to the second."""
    given = {names.OI_INPUT: "triage", names.OI_OUTPUT: "fixer"}
    handoff = span("TOOL", "5", "2", name="handoff to fixer", at=2, end=3, attributes=given)
    return [
        span("AGENT", "1", name="Agent workflow"),
        span("AGENT", "2", "1", at=1, end=4, name="triage", attributes={names.OI_AGENT_NAME: "triage"}),
        *([handoff] if handed else []),
        span("AGENT", "3", "1", at=4, end=8, name="fixer", attributes={names.OI_AGENT_NAME: "fixer"}),
        llm("4", "3", "Fixed.", at=5, end=6),
    ]


def test_agents_that_hand_over_are_one_run() -> None:
    """The handoff is no tool call, and the run has the name of the first."""
    found = record(*agents(handed=True))
    assert (found.agent.name, found.tool_calls, found.usage.model_calls) == ("triage", (), 1)


def test_agents_beside_each_other_are_parts_of_a_workflow() -> None:
    """Each is a run of its own, below that of the workflow."""
    found = records(*agents(handed=False))
    assert [(one.agent.name, bool(one.parent_run)) for one in found] == [
        (None, False),
        ("triage", True),
        ("fixer", True),
    ]


def test_a_handoff_without_its_workflow_tells_nothing() -> None:
    """A killed run has lost its root; the agent that ended bounds what is left."""
    found = record(*agents(handed=True)[1:3])
    assert (found.agent.name, found.tool_calls) == ("triage", ())


def test_a_run_that_lost_its_root_is_broken_off() -> None:
    """Chains without their parent look topmost and are not."""
    step = span("CHAIN", "2", "f", name="Step 1", end=3)
    found = record(step, llm("3", "2", "Go on."), llm("4", "e", "Then", at=4, end=5))
    assert (found.lifecycle, found.outcome) == ("abandoned", "interrupted")


def test_a_run_without_a_root_whose_last_model_call_failed_has_failed() -> None:
    """The framework smolagents never sends the root of a run that fails."""
    calls = llm("3", "2", "Go on."), llm("5", "4", at=4, end=5, status=2, status_message="HTTP 400")
    found = record(span("CHAIN", "2", "f", end=3), span("CHAIN", "4", "f", at=4, end=6, status=2), *calls)
    assert (found.outcome, found.usage.failed_model_calls) == ("failed", 1)


REQUEST = {"llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "x"}
ORPHANS: list[tuple[list[Span], str]] = [
    ([span("CHAIN", "2", "f"), llm("3", "2", "Done.")], "ended"),
    ([span("CHAIN", "2", "f", status=2, status_message="boom")], "failed"),
    ([span("CHAIN", "2", "f"), llm("3", "2")], "interrupted"),
    ([span("CHAIN", "2", "f")], "unknown"),
    ([span("CHAIN", "2", "f"), llm("3", "2", "Next", attributes=REQUEST)], "interrupted"),
    ([span("CHAIN", "2", "f", attributes={names.OI_METADATA: '{"langgraph_node": "n"}'}), llm("3", "2", "Done.")],
     "interrupted"),
]  # fmt: skip


@pytest.mark.parametrize(("items", "outcome"), ORPHANS, ids=map(str, range(len(ORPHANS))))
def test_a_chain_below_an_unseen_span_is_whole_or_the_rest_of_a_run(items: list[Span], outcome: str) -> None:
    """One that ends with the model's words was called by a service; one that stops at a tool call was broken off."""
    assert record(*items).outcome == outcome


def test_a_chain_below_a_span_of_a_web_server_is_topmost() -> None:
    """What is around it is no part of an agent."""
    server = Span(trace_id="a" * 32, span_id="1" * 16, start_ns=S, end_ns=9 * S)
    found = record(server, span("CHAIN", "2", "1", name="graph"), llm("3", "2", "Done."))
    assert (found.agent.name, found.outcome, found.capture.unrecognised) == ("graph", "ended", 1)


def test_calls_inside_each_other_are_one() -> None:
    """llama-index and two instrumentations tell one call twice; the one that knows something counts, else the outer."""
    found = record(span("AGENT", "1"), llm("2", "1", "Done."), llm("3", "2", "Done."))
    assert found.usage.model_calls == 1
    tokens = {names.OI_INPUT_TOKENS: 5, names.OI_OUTPUT_TOKENS: 2, names.OI_CACHE_READ_TOKENS: 1, names.OI_COST: 0.5}
    inner = llm("3", "2", "Done.", attributes=tokens)
    usage = record(span("AGENT", "1"), span("LLM", "2", "1"), inner).usage
    assert (usage.model_calls, usage.input_tokens, usage.output_tokens) == (1, 5, 2)
    assert (usage.cache_read_tokens, usage.cost_usd) == (1, 0.5)


def test_what_tells_nothing_beside_calls_that_do_is_no_call() -> None:
    """The framework llama-index has the kind for preparing a call, too; one that failed may have nothing to tell."""
    bare = span("LLM", "2", "1", attributes={names.OI_MODEL: "m"})
    failed = span("LLM", "4", "1", at=5, end=6, status=2)
    found = record(span("AGENT", "1"), bare, llm("3", "1", "Done."), failed)
    assert (found.usage.model_calls, found.usage.failed_model_calls, found.outcome) == (2, 1, "failed")
    assert record(span("AGENT", "1"), bare).usage.model_calls == 1


def test_copies_of_a_response_are_one_call() -> None:
    """Two instrumentations beside each other; the response has its id."""
    given = {names.OI_OUTPUT: '{"id": "resp_1", "more": 1}'}
    found = record(span("AGENT", "1"), llm("2", "1", attributes=given), llm("3", "1", attributes=given))
    assert found.usage.model_calls == 1


GIVEN: list[tuple[dict[str, Any], str]] = [
    ({names.OI_INPUT: "Fix it"}, "Fix it"),
    ({names.OI_INPUT: '{"task": "Fix it"}'}, "Fix it"),
    ({names.OI_INPUT: '{"kwargs": {"user_msg": "Fix it"}}'}, "Fix it"),
    ({names.OI_INPUT: '{"messages": [["user", "Fix it"]]}'}, "Fix it"),
    ({names.OI_INPUT: '{"messages": [{"type": "human", "data": {"content": "Fix it"}}]}'}, "Fix it"),
    ({names.OI_INPUT: '{"task": "Fix it", "more": "cut sho'}, "Fix it"),
    ({names.OI_CREW_TASKS: '[{"description": "Fix it"}, 3, {}]'}, "Fix it"),
    ({names.OI_CREW_TASKS: "3"}, ""),
    ({names.OI_INPUT: names.OI_REDACTED}, ""),
    ({names.OI_INPUT: "3"}, "3"),
    ({}, ""),
    ({"llm.input_messages.0.message.role": "user",
      "llm.input_messages.0.message.contents.0.message_content.text": "New task:\nFix it"}, "Fix it"),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "task"), GIVEN, ids=map(str, range(len(GIVEN))))
def test_the_task_is_what_the_user_said_to_the_agent(attributes: dict[str, Any], task: str) -> None:
    """In the input of the agent or chain, in each framework's shape."""
    assert record(span("AGENT", "1", attributes=attributes), llm("2", "1", "Done.")).task.objective == (task or None)


RETURNED: list[tuple[str, Any, str]] = [
    ("smolagents", "Fixed.", "Fixed."),
    ("crewai", '{"output": "Fixed."}', "Fixed."),
    ("langchain", '"Fixed."', "Fixed."),
    ("langchain", '{"messages": [{"type": "ai", "data": {"content": "Fixed."}}]}', "Fixed."),
    ("langchain", '[{"type": "ai", "data": {"content": "Well", "tool_calls": [{"name": "x", "args": {}}]}}]', ""),
    ("agno", "First I look. Fixed.", ""),
    ("llama_index", "AgentOutput(response=...", ""),
    ("langchain", 7, ""),
    ("langchain", '{"messages": [{"ty', ""),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "output", "claim"), RETURNED, ids=map(str, range(len(RETURNED))))
def test_last_words_are_what_an_agent_returned(scope: str, output: object, claim: str) -> None:
    """Where its framework returns them."""
    found = record(span("AGENT", "1", scope=scope, attributes={names.OI_OUTPUT: output}))
    assert "".join(said.text for said in found.claims) == claim


def test_the_tool_that_ends_an_agent_is_its_last_words() -> None:
    """In smolagents it is final_answer: no tool call, heard even where the root is lost; one that failed is none."""
    given = '{"kwargs": {"answer": "Fixed."}}'
    ended = tool("2", "1", "final_answer", given, "Fixed.")
    failed = tool("3", "1", "final_answer", given, "no", status=2)
    found = record(span("AGENT", "1", attributes={names.OI_OUTPUT: "Fixed."}), ended, failed)
    assert ([said.text for said in found.claims], found.tool_calls) == (["Fixed."], ())


def test_code_in_a_message_is_an_act_and_no_last_word() -> None:
    """So does the CodeAgent of smolagents: its words before the code may be a decision."""
    words = "Decision: keep the test\n<code>\nedit_file('a.py')\n</code>"
    found = record(span("AGENT", "1", scope="smolagents"), llm("2", "1", words))
    assert ([made.option for made in found.decisions], found.claims) == (["keep the test"], ())


def test_what_a_limit_dropped_of_an_answer_is_in_the_next_input() -> None:
    """The limit of 128 attributes takes the oldest first: answers, where they were set before the input."""
    lost = llm("2", "1", attributes={"llm.input_messages.0.message.role": "user"}, dropped_attributes=3)
    history: dict[str, Any] = {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Fix it",
        "llm.input_messages.1.message.role": "assistant",
        "llm.input_messages.1.message.content": "Decision: keep the test",
        "llm.input_messages.2.message.role": "assistant",
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "read_file",
        "llm.input_messages.3.message.role": "tool",
        "llm.input_messages.3.message.tool_call_id": "c",
    }
    later = llm("3", "1", "Done.", at=3, end=4, attributes=history)
    found = record(span("AGENT", "1"), lost, later)
    assert [made.option for made in found.decisions] == ["keep the test"]
    assert limits.ATTRIBUTE_CUT in found.capture.limits
    last = llm("4", "1", at=5, end=6, dropped_attributes=3)
    talk = Talk([lost, later, last])
    assert (len(talk.out_of(lost)), talk.out_of(last)) == (2, [])
    alone = llm("5", "1", attributes={"llm.input_messages.0.message.role": "assistant"})
    assert Talk([last, alone]).out_of(last) == [Message("assistant")]


LANGCHAIN = {"type": "tool", "data": {"content": "exit code: 1", "tool_call_id": "c1", "status": "success"}}
ASKED = {
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "check",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"command": "pytest"}',
}


def test_a_bare_argument_is_named_by_what_the_model_asked_for() -> None:
    """LangChain tells the value alone; the call id of the result leads to the request."""
    asked = llm("2", "1", attributes=ASKED)
    found = record(span("CHAIN", "1"), asked, tool("3", "1", "run_command", "pytest", json.dumps(LANGCHAIN)))
    assert [(run.command, run.result) for run in found.commands] == [("pytest", "failed")]
    bare = record(span("CHAIN", "1"), tool("3", "1", "read_file", "a.py"))
    assert [read.path for read in bare.files_inspected] == ["a.py"]


def test_hidden_content_is_no_content() -> None:
    """What was told to hide it writes a word in its place, which is neither a path, nor a command, nor a task."""
    hidden = {names.OI_INPUT: names.OI_REDACTED, names.OI_OUTPUT: names.OI_REDACTED}
    secret = {f"{key}": names.OI_REDACTED if key.endswith(("arguments", "content")) else value
              for key, value in ASKED.items()}  # fmt: skip
    found = record(
        span("CHAIN", "1", attributes=hidden),
        llm("2", "1", attributes=hidden),
        llm("5", "1", attributes=secret),
        tool("3", "1", "read_file", names.OI_REDACTED, names.OI_REDACTED),
        tool("4", "1", "run_command", names.OI_REDACTED, names.OI_REDACTED, attributes={names.OI_TOOL_CALL_ID: "c1"}),
    )
    assert (found.files_inspected, found.commands, found.claims, found.task.objective) == ((), (), (), None)
    assert found.capture.limits == (limits.CONTENT_OFF,)


def test_agno_has_arguments_where_others_have_a_schema() -> None:
    """Only there is ``tool.parameters`` what the tool was given."""
    parameters = {names.OI_TOOL_PARAMETERS: '{"path": "a.py"}', names.OI_INPUT: ""}
    for scope, paths in (("agno", ["a.py"]), ("openai_agents", [])):
        call = tool("2", "1", "read_file", "", scope=scope, attributes=parameters)
        assert [read.path for read in record(span("AGENT", "1", scope=scope), call).files_inspected] == paths


FLAT: list[tuple[dict[str, Any], list[Message]]] = [
    ({"p.0.message.role": "user", "p.0.message.content": "hi"}, [Message("user", ("hi",))]),
    ({"p.1.message.content": "b", "p.0.message.content": "a"}, [Message("", ("a",)), Message("", ("b",))]),
    ({"p.0.message.role": "tool", "p.0.message.tool_call_id": "c", "p.0.message.content": "x"},
     [Message("tool", results=(("c", "x"),))]),
    ({"p.0.message.contents.0.message_content.text": "a", "p.0.message.content": "a"}, [Message("", ("a",))]),
    ({"p.0.message.function_call_name": "f", "p.0.message.function_call_arguments_json": "{}"},
     [Message("", requests=(ToolRequest("", "f", "{}"),))]),
    ({"p.0.message.role": 3, "p.0.message.content": ("x",), "p.x": "y", "q.0.message.content": "z"}, [Message("")]),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "expected"), FLAT, ids=map(str, range(len(FLAT))))
def test_messages_are_gathered_from_attributes(attributes: dict[str, Any], expected: list[Message]) -> None:
    """By their numbers, whatever the order; what is no message is left alone."""
    assert flat_messages(attributes, "p.") == expected
