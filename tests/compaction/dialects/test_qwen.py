"""Qwen Code: turns with a status, calls by their ids, words of success that mean an exit code, and retries."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
RESOURCE = {names.SERVICE_VERSION: "0.24.4"}
GIVEN = {"command": "make"}
PROMPT = "s1########0"
MESSAGE = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Done."}]}])
REQUEST = json.dumps([{"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "x"}]}])


def span(number: int, at: float, name: str, parent: int = 1, *, lasts: float = 0.5, **attributes: Any) -> Span:
    """A span; everything of a prompt is one trace, below the interaction."""
    given = {names.SESSION_ID: "s1", **attributes}
    return Span(
        trace_id="a" * 32,
        span_id=f"{number:016x}",
        parent_id="" if number == 1 else f"{parent:016x}",
        name=f"qwen-code.{name}" if name != "POST" else name,
        start_ns=int(at * S),
        end_ns=int((at + lasts) * S) if lasts else 0,
        status=given.pop("status_code", 0),
        attributes={key: value for key, value in given.items() if value is not None},
        scope=names.QWEN_SCOPE if name != "POST" else "undici",
        resource=RESOURCE,
    )


def turn(status: str | None = "ok", *, lasts: float = 90) -> Span:
    """An interaction."""
    return span(1, 1, "interaction", lasts=lasts, **{names.QWEN_PROMPT_ID: PROMPT, names.QWEN_TURN_STATUS: status})


def asked(number: int, at: float, reason: str = "tool_calls", **attributes: Any) -> Span:
    """A call to the model."""
    given = {names.QWEN_PROMPT_ID: PROMPT, names.FORK_FINISH_REASON: reason, names.REQUEST_MODEL: "m"}
    return span(number, at, "llm_request", **{**given, names.RESPONSE_ID: f"r{number}", **attributes})


def tool(number: int, at: float, args: object = None, output: str = "", name: str = "run_shell_command",
         call: str = "c1", **attributes: Any) -> Span:  # fmt: skip
    """A call of a tool."""
    given = {
        names.TOOL_NAME: name,
        names.TOOL_CALL_ID: call,
        names.TOOL_CALL_ARGUMENTS: None if args is None else json.dumps(args),
        names.TOOL_CALL_RESULT: json.dumps({"output": output}) if output else None,
        "success": True,
    }
    return span(number, at, "tool", **{**given, **attributes})


def execution(number: int, at: float, status: str = "success", **attributes: Any) -> Span:
    """The work inside of a call."""
    given = {names.TOOL_NAME: "run_shell_command", names.OPENCODE_CALL_ID: "c1", names.FORK_EXECUTION: status}
    return span(number, at, "tool.execution", **{**given, **attributes})


def log(at: float, name: str, within: int = 0, **attributes: Any) -> Log:
    """A log record."""
    return Log(
        key=f"{name}-{at}",
        time_ns=int(at * S),
        trace_id="a" * 32 if within else "",
        span_id=f"{within:016x}" if within else "",
        attributes={"event.name": name, names.SESSION_ID: "s1", names.FORK_PROMPT_ID: PROMPT, **attributes},
        scope=names.QWEN_SCOPE,
        resource=RESOURCE,
    )


def called(at: float, args: object = GIVEN, **told: Any) -> Log:
    """A call of a tool, as the log tells it: always with its arguments."""
    given = {
        "function_name": "run_shell_command",
        "function_args": json.dumps(args),
        "call_id": "c1",
        "duration_ms": 500,
        "success": True,
        "status": "success",
        "execution_status": "success",
    }
    return log(at, "qwen-code.tool_call", **{**given, **told})


def failed(at: float, error_type: str, error: str = "no", execution: str = "error") -> Log:
    """A call that failed."""
    told = {"success": False, "status": "error", "execution_status": execution}
    return called(at, **told, error=error, error_type=error_type)


def response(at: float, **told: Any) -> Log:
    """A response, as the log tells it: whether tools are called is not in it."""
    about = {"duration_ms": 500, "model": "m", "input_token_count": 10, "response_text": "Done."}
    return log(at, "qwen-code.api_response", **{**about, **told})


def record(*items: Span | Log) -> RunRecord:
    """The only record."""
    (found,) = compact(items, now_ns=LATER)
    return found


@pytest.mark.parametrize(
    ("items", "lifecycle", "outcome"),
    [
        ([turn(), asked(2, 2)], "settled", "ended"),
        ([turn("error"), asked(2, 2, status_code=2)], "settled", "failed"),
        ([turn("cancelled"), asked(2, 2)], "settled", "interrupted"),
        ([turn(None), asked(2, 2)], "settled", "ended"),
        ([turn(lasts=0), asked(2, 2)], "abandoned", "interrupted"),
        ([asked(2, 2)], "abandoned", "interrupted"),
        ([asked(2, 2, "")], "abandoned", "interrupted"),
        ([asked(2, 2, "stop")], "settled", "ended"),
        ([asked(2, 2, "stop", **{names.OUTPUT_MESSAGES: REQUEST})], "abandoned", "interrupted"),
        ([asked(2, 2, "STOP")], "abandoned", "interrupted"),
        ([turn(), asked(2, 2), log(95, "qwen-code.user_prompt"), asked(3, 96)], "abandoned", "interrupted"),
        ([response(2), log(3, "session.end")], "settled", "ended"),
        ([response(2)], "abandoned", "interrupted"),
        ([response(2), log(3, "qwen-code.api_error", error="bad"), log(4, "session.end")], "settled", "failed"),
    ],
)
def test_ends(items: list[Span | Log], lifecycle: str, outcome: str) -> None:
    """A turn ends with its span, or an answer; of log records alone with the session."""
    found = record(*items)
    assert (found.run_id, found.lifecycle, found.outcome) == ("s1", lifecycle, outcome)
    assert (found.agent.name, found.agent.version) == ("qwen-code", "0.24.4")


@pytest.mark.parametrize(
    ("items", "result", "code"),
    [
        ([called(1)], "passed", None),
        ([called(1, {**GIVEN, "is_background": True})], "unknown", None),
        ([called(1, execution_status=None)], "unknown", None),
        ([failed(1, "shell_execute_error", "Command: make\nDirectory: /r\nOutput: x\nExit Code: 1")], "failed", 1),
        ([failed(1, "shell_execute_error")], "failed", None),
        ([failed(1, "execution_denied", execution="not_started")], "denied", None),
        ([failed(1, "invalid_tool_params", execution="not_started")], "not_started", None),
        ([tool(2, 1, GIVEN, "Command: make\nDirectory: (root)\nOutput: x\nExit Code: 0")], "passed", 0),
        ([tool(2, 1, GIVEN)], "unknown", None),
        ([tool(2, 1, GIVEN), execution(3, 1)], "passed", None),
        ([tool(2, 1, GIVEN, success=False, status_code=2), execution(3, 1, "error")], "failed", None),
        ([tool(2, 1, GIVEN, success=False), execution(3, 1, "not_started", error_type="boom")], "not_started", None),
        ([tool(2, 1, GIVEN, **{names.QWEN_FAILURE_KIND: "permission_denied"})], "denied", None),
        ([tool(2, 1, GIVEN, lasts=0)], "unknown", None),
        ([tool(2, 1, GIVEN), called(1.5)], "passed", None),
        ([tool(2, 1), failed(1.5, "shell_execute_error")], "failed", None),
    ],
)
def test_what_became_of_a_command(items: list[Span | Log], result: str, code: int | None) -> None:
    """That the execution was a success is known to mean an exit code of 0, but not in the background."""
    assert [(each.result, each.exit_code) for each in record(*items).commands] == [(result, code)]


def test_a_call_counts_once_however_often_it_is_told() -> None:
    """Span, the work inside and log record are joined by the call's id, also where a model uses an id again."""
    found = record(turn(), tool(2, 2, GIVEN), execution(3, 2), called(2.5), called(4), tool(4, 5, name="x", call=""))
    assert {each.name: each.calls for each in found.tool_calls} == {"run_shell_command": 2, "x": 1}
    assert [each.result for each in found.commands] == ["passed", "passed"]


def test_hooks_mean_nothing() -> None:
    """Their errors are no failures, and alone they are no run."""
    hook = span(5, 2, "hook", status_code=2, error="hook runner returned no output")
    assert record(turn(), hook, tool(2, 2, GIVEN)).failures == ()
    assert compact([hook, log(1, "session.start")], now_ns=LATER) == []


def test_the_task_is_what_was_prompted() -> None:
    """The span of the turn has it, without what is put before it for the model."""
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Fix it"}]}])
    prompted = span(1, 1, "interaction", lasts=9, **{names.QWEN_PROMPT_ID: PROMPT, names.INPUT_MESSAGES: said})
    assert record(prompted, asked(2, 2)).task.objective == "Fix it"


def post(number: int, at: float, status: int | None, parent: int = 2, **attributes: Any) -> Span:
    """A request to the model's API, as the HTTP client tells it."""
    given = {names.USER_AGENT: "QwenCode/0.24.4 (linux; x64)", names.HTTP_STATUS: status}
    return span(number, at, "POST", parent, **given, **attributes)


@pytest.mark.parametrize(
    ("items", "calls", "failures"),
    [
        ([asked(2, 2), post(3, 2, 200)], 1, 0),
        ([asked(2, 2), post(3, 2, 503), post(4, 2.2, 200)], 2, 1),
        ([asked(2, 2, status_code=2), post(3, 2, 503), post(4, 2.2, 503)], 2, 2),
        ([asked(2, 2), post(3, 2, None, status_code=2), post(4, 2.2, 200)], 2, 1),
        ([asked(2, 2), post(3, 2, 503, parent=9)], 1, 0),
    ],
)
def test_requests_that_were_made_again_are_failed_calls(items: list[Span], calls: int, failures: int) -> None:
    """Only the spans of the HTTP client tell of them."""
    found = record(turn(), *items)
    assert (found.usage.model_calls, found.usage.failed_model_calls) == (calls, failures)
    assert found.capture.unrecognised == 0


def test_a_call_told_by_span_and_log_counts_once() -> None:
    """The log record was written in the span."""
    found = record(turn(), asked(2, 2, "stop", **{names.OUTPUT_MESSAGES: MESSAGE}), response(2.5), response(9))
    assert found.usage.model_calls == 2
    joined = record(turn(), asked(2, 2), log(2.5, "qwen-code.api_response", 2, input_token_count=7, response_text="x"))
    assert (joined.usage.model_calls, joined.usage.input_tokens) == (1, 7)


def test_agents_of_a_session_are_its_children() -> None:
    """Their prompt ids hold the session's id, and theirs."""
    found = compact(
        [turn(), asked(2, 2), asked(3, 3, **{names.QWEN_PROMPT_ID: "s1#explore-1#0"})],
        now_ns=LATER,
    )
    assert [(each.run_id, each.parent_run) for each in found] == [("s1", None), ("s1/explore-1", "s1")]
