"""google-adk's old schema: spans that say by their names what they do, and contents as Gemini has them."""

from __future__ import annotations

import json
from typing import Any

from agent_otel.compaction.compact import compact
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
TRACE = "a" * 32


def span(number: int, name: str, parent: int = 0, *, end: int = 0, **rest: Any) -> Span:
    """A span of the agent."""
    return Span(
        trace_id=TRACE,
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=name,
        start_ns=number * S,
        end_ns=(end or number + 1) * S,
        scope=rest.pop("scope", names.ADK_SCOPE),
        attributes={f"gcp.vertex.agent.{key}" if "." not in key else key: value for key, value in rest.items()},
    )


def said(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    """A Content, full of nulls."""
    return {"role": role, "parts": [{"thought": None, "inline_data": None, **part} for part in parts]}


TASK = said("user", {"text": "Fix the parser."})
ASKED = said("model", {"text": "Decision: test first."}, {"function_call": {"id": "1", "name": "run", "args": {}}})
GIVEN = said("user", {"function_response": {"id": "1", "name": "run", "response": {"result": "exit code: 1"}}})
FINAL = said("model", {"text": "It cannot be fixed."})


def one(*items: Span | Log) -> RunRecord:
    """The one record."""
    (record,) = compact(items, now_ns=10**6 * S)
    return record


def model(number: int, request: list[Any], answer: Any, **rest: Any) -> Span:
    """A model call of the old schema."""
    return span(
        number,
        "call_llm",
        2,
        llm_request=json.dumps({"model": "gemini", "contents": request}),
        llm_response=json.dumps({"content": answer}),
        **{names.REQUEST_MODEL: "gemini", names.INPUT_TOKENS: 10},
        **rest,
    )


def test_a_run_of_the_old_schema_is_read() -> None:
    """Task, tool, decision, last words, tokens, session; each model call once, and nothing is unrecognised."""
    record = one(
        span(1, "invocation", end=20),
        span(2, "agent_run [fixer]", 1, end=19),
        model(3, [TASK], ASKED, end=6, session_id="s-1"),
        span(4, "generate_content gemini", 3, end=5, **{names.OPERATION_NAME: names.GENERATE_CONTENT}),
        span(
            7, "execute_tool run_command", 3, tool_call_args='{"command": "pytest"}', tool_response='{"exit_code": 1}'
        ),
        span(8, "execute_tool (merged tools)", 3),
        model(9, [TASK, ASKED, GIVEN], FINAL),
    )
    assert (record.run_id, record.agent.name, record.agent.dialect) == ("s-1", "fixer", "genai")
    assert record.task is not None
    assert record.task.objective == "Fix the parser."
    assert [(command.command, command.result) for command in record.commands] == [("pytest", "failed")]
    assert [decision.option for decision in record.decisions] == ["test first."]
    assert [claim.text for claim in record.claims] == ["It cannot be fixed."]
    assert (record.usage.model_calls, record.usage.input_tokens) == (2, 20)
    assert record.capture.unrecognised == 0
    assert (record.lifecycle, record.outcome) == ("settled", "ended")


def test_what_a_tool_was_given_may_be_in_the_conversation_only() -> None:
    """By the id of the call."""
    asked = said("model", {"function_call": {"id": "7", "name": "run_command", "args": {"command": "make"}}})
    back = said("user", {"function_response": {"id": "7", "name": "run_command", "response": {"exit_code": 0}}})
    ids = {names.TOOL_CALL_ID: "7", names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: "run_command"}
    record = one(
        span(2, "invocation", end=9),
        model(3, [TASK], asked),
        span(4, "x", 3, **ids),
        model(5, [TASK, asked, back], FINAL),
    )
    assert [(command.command, command.result) for command in record.commands] == [("make", "passed")]


def test_contents_in_log_records_are_messages() -> None:
    """The events' bodies hold a Content, not the conventions' words."""
    bodies = {names.USER_MESSAGE: {"content": TASK}, names.CHOICE: {"index": 0, "content": FINAL}}
    call = span(3, "generate_content gemini", **{names.OPERATION_NAME: names.GENERATE_CONTENT})
    logs = [
        Log(key=name, time_ns=S, trace_id=TRACE, span_id=call.span_id, event_name=name, body=body)
        for name, body in bodies.items()
    ]
    record = one(call, *logs)
    assert record.task is not None
    assert record.task.objective == "Fix the parser."
    assert [claim.text for claim in record.claims] == ["It cannot be fixed."]


def test_names_count_in_that_scope_alone() -> None:
    """Whoever else has a span of that name."""
    record = one(span(1, "invocation", scope="other"), span(2, "cache", 1))
    assert record.capture.unrecognised == 2
    assert record.agent.dialect is None
