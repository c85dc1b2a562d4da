"""opencode: what its spans and logs say, and what they leave out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.opencode.talk import Talk
from agent_otel.model import names
from agent_otel.model.item import Log, Span, SpanEvent
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
STOPPED = "x\n\n<shell_metadata>\nshell tool terminated command after exceeding timeout 3000 ms. If this …"
RESOURCE = {names.OPENCODE_RUN: "016a", names.SERVICE_VERSION: "1.18.33"}


def span(number: int, at: float, end: float, name: str = "", parent: int = 0, **rest: Any) -> Span:
    """A span of opencode, its times in seconds."""
    said = {"name": name, "scope": names.OPENCODE_SCOPE, "resource": RESOURCE, "trace_id": "a" * 32, **rest}
    parent_id = f"{parent:016x}" if parent else ""
    return Span(span_id=f"{number:016x}", parent_id=parent_id, start_ns=int(at * S), end_ns=int(end * S), **said)


def model(number: int, at: float, *, parent: int = 0, session: str = "s1", status: int = 0, **said: Any) -> Span:
    """A model call that took a second: what was asked and what came back."""
    attributes = {
        names.AI_OPERATION: said.pop("operation", "ai.streamText.doStream"),
        names.AI_PROMPT_MESSAGES: json.dumps([{"role": "user", "content": [{"type": "text", "text": '"Fix it"'}]}]),
        names.AI_TOOL_CHOICE: '{"type":"auto"}',
        names.AI_FINISH_REASON: "tool-calls",
        names.AI_RESPONSE_ID: f"r{number}",
        names.AI_MODEL: "m",
        names.AI_INPUT_TOKENS: 10,
        names.SESSION_ID: session,
        **{getattr(names, key): value for key, value in said.items()},
    }
    told = {key: value for key, value in attributes.items() if value != ""}
    return span(number, at, at + 1, "x", parent, attributes=told, status=status)


def answer(number: int, at: float, **said: Any) -> Span:
    """A model call that ends a turn."""
    return model(number, at, AI_FINISH_REASON="stop", AI_RESPONSE_TEXT="Done.", **said)


def tool(number: int, at: float, name: str, args: object, result: object = None, *, session: str = "s1") -> Span:
    """A tool call as the AI SDK tells it."""
    attributes = {
        names.AI_OPERATION: "ai.toolCall",
        names.AI_TOOL_NAME: name,
        names.AI_TOOL_ID: f"c{number}",
        names.AI_TOOL_ARGUMENTS: json.dumps(args),
        names.AI_TOOL_RESULT: json.dumps(result),
        names.SESSION_ID: session,
    }
    return span(number, at, at + 0.5, "ai.toolCall", attributes=attributes)


def executed(number: int, at: float, name: str, call: str, thrown: str = "", *, session: str = "s1") -> Span:
    """A tool call as opencode tells it."""
    attributes = {names.OI_TOOL_NAME: name, names.OPENCODE_CALL_ID: call, names.SESSION_ID: session}
    exception = SpanEvent(
        name="exception", time_ns=0, attributes={names.EXCEPTION_TYPE: thrown, names.EXCEPTION_MESSAGE: "no"}
    )
    rest: dict[str, Any] = {"events": (exception,), "status": 2} if thrown else {"status": 1}
    return span(number, at, at + 0.5, "Tool.execute", attributes=attributes, **rest)


def log(at: float, message: str, fields: object = None, within: int = 0) -> Log:
    """A log record: its body is a list."""
    said = fields if isinstance(fields, str) else json.dumps(fields)
    return Log(
        key=f"{message}-{at}-{said}-{within}",
        time_ns=int(at * S),
        body=message if fields is None else [message, said],
        scope=names.OPENCODE_SCOPE,
        trace_id="a" * 32 if within else "",
        span_id=f"{within:016x}" if within else "",
        resource=RESOURCE,
    )


def evaluated(at: float, permission: str, pattern: str, within: int) -> Log:
    """What a permission was asked for."""
    return log(at, "evaluated", {"permission": permission, "pattern": pattern, "action": {"action": "allow"}}, within)


def record(*items: Span | Log) -> RunRecord:
    """The only record."""
    (found,) = compact(items, now_ns=LATER)
    return found


def test_a_turn_ends_with_an_answer_that_calls_no_tools() -> None:
    """Of a server that lives on the end arrives: the run is over, with the last words as its claim."""
    found = record(model(1, 1), answer(2, 3))
    assert (found.run_id, found.lifecycle, found.outcome) == ("s1", "settled", "ended")
    assert [claim.text for claim in found.claims] == ["Done."]
    assert found.task.objective == "Fix it"
    assert found.agent.version == "1.18.33"
    assert "tail-lost" not in found.capture.limits


@pytest.mark.parametrize(
    ("items", "lifecycle", "outcome"),
    [
        ([model(1, 1)], "abandoned", "unknown"),
        ([answer(1, 1), model(2, 3)], "abandoned", "unknown"),
        ([answer(1, 1), answer(2, 3)], "settled", "ended"),
        ([model(1, 1), log(3, "exiting loop", {"session.id": "s1"})], "settled", "ended"),
        ([answer(1, 1), log(3, "exiting loop", {"session.id": "s1"})], "settled", "ended"),
        ([log(3, "exiting loop", {"session.id": "s1"}), log(4, "loop", {"session.id": "s1", "step": 1})], "open", ""),
        ([answer(1, 1), log(3, "loop", {"session.id": "s1", "step": 0})], "abandoned", "unknown"),
        ([model(1, 1), log(3, "loop", {"session.id": "s1", "step": 0})], "abandoned", "unknown"),
        ([answer(1, 1), log(3, "loop", {"session.id": "s1", "step": 1})], "settled", "ended"),
        ([answer(1, 1), log(3, "stream", {"session.id": "s1", "small": "false"})], "abandoned", "unknown"),
        ([answer(1, 1), log(3, "stream", {"session.id": "s1", "small": "true"})], "settled", "ended"),
        ([model(1, 1, status=2)], "abandoned", "failed"),
        ([model(1, 1, AI_FINISH_REASON="error")], "abandoned", "failed"),
        ([model(1, 1, AI_FINISH_REASON="")], "abandoned", "unknown"),
    ],
)
def test_ends(items: list[Span | Log], lifecycle: str, outcome: str) -> None:
    """The last batch never arrives, so that no end is no sign of anything but where the model's API failed."""
    found = record(*items)
    assert (found.lifecycle, found.outcome) == (lifecycle if outcome else "abandoned", outcome or "unknown")


def test_a_session_title_is_no_part_of_the_work() -> None:
    """A model is asked for a title, without tools: that is paid for, but ends no turn, and is no task or claim."""
    asked = json.dumps([{"role": "user", "content": "Generate a title for this conversation:\n"}])
    title = answer(1, 1, AI_TOOL_CHOICE="", AI_PROMPT_MESSAGES=asked)
    assert (record(title).lifecycle, record(title).claims) == ("abandoned", ())
    found = record(title, model(2, 1.5))
    assert (found.lifecycle, found.usage.model_calls, found.task.objective) == ("abandoned", 2, "Fix it")
    assert record(answer(1, 1, AI_TOOL_CHOICE="")).outcome == "ended"


def test_a_call_told_by_both_spans_counts_once() -> None:
    """The AI SDK's span and opencode's own are joined by the id of the call, also where a model uses an id again."""
    ran = {"output": "1 failed", "metadata": {"exit": 1}}
    found = record(
        tool(1, 1, "bash", {"command": "pytest"}, ran),
        executed(2, 1, "bash", "c1"),
        executed(3, 5, "bash", "c1"),
        model(4, 0),
    )
    assert [(call.name, call.calls) for call in found.tool_calls] == [("bash", 2)]
    assert [(each.command, each.result, each.exit_code) for each in found.commands] == [("pytest", "failed", 1)]


@pytest.mark.parametrize(
    ("result", "thrown", "expected"),
    [
        ({"output": "ok", "metadata": {"exit": 0}}, "", "passed"),
        ({"output": "x", "metadata": {"exit": None}}, "", "unknown"),
        ({"output": "exit code: 0", "metadata": {"exit": None}}, "", "unknown"),
        ({"output": STOPPED, "metadata": {"exit": None}}, "", "timed_out"),
        (None, "PermissionDeniedError", "denied"),
        (None, "PermissionRejectedError", "denied"),
        (None, "Error", "failed"),
    ],
)
def test_what_became_of_a_command(result: object, thrown: str, expected: str) -> None:
    """The exit code is in the metadata of the result; opencode's own span knows what was thrown."""
    found = record(tool(1, 1, "bash", {"command": "make"}, result), executed(2, 1, "bash", "c1", thrown))
    assert [each.result for each in found.commands] == [expected]
    assert len(found.gates) == (expected == "denied")


def test_lines_of_an_edit_are_counted() -> None:
    """The result of an edit says how many lines it added and removed; one that fails changed nothing."""
    counted = {"metadata": {"filediff": {"additions": 3, "deletions": 1}}, "output": "Edit applied successfully."}
    arguments = {"filePath": "/r/a.py"}
    found = record(tool(1, 1, "edit", arguments, counted), tool(2, 3, "edit", arguments), executed(3, 3, "edit", "c2"))
    assert [(each.path, each.lines_added, each.lines_removed) for each in found.changed_files] == [("/r/a.py", 3, 1)]
    failed = record(tool(1, 1, "edit", arguments), executed(2, 1, "edit", "c1", "Error"))
    assert (failed.changed_files, [each.error for each in failed.failures]) == ((), ["no"])


def test_invalid_arguments_are_a_failure_of_the_tool_that_was_meant() -> None:
    """A call with invalid arguments is answered through a tool named invalid."""
    found = record(tool(1, 1, "invalid", {"tool": "edit", "error": "filePath is missing"}, {"output": "x"}))
    assert [(each.tool, each.error) for each in found.failures] == [("edit", "filePath is missing")]
    assert [call.name for call in record(tool(1, 1, "invalid", None)).tool_calls] == ["invalid"]


def test_without_the_ai_sdk_permissions_tell_what_tools_did() -> None:
    """That a tool read, edited or ran what it asked permission for is seen, and that no exit code is."""
    ask = span(9, 2, 2.1, "Permission.ask", parent=2)
    found = record(
        executed(1, 1, "read", "c1"),
        evaluated(1.1, "read", "a.py", 1),
        evaluated(1.1, "external_directory", "/x/*", 1),
        executed(2, 2, "bash", "c2"),
        ask,
        evaluated(2.1, "bash", "cd x", 9),
        evaluated(2.2, "bash", "make", 9),
        evaluated(2.2, "bash", "make", 77),
        executed(3, 3, "edit", "c3"),
        evaluated(3.1, "edit", "a.py", 3),
        executed(4, 4, "bash", "c4", "PermissionDeniedError"),
        evaluated(4.1, "bash", "git push", 4),
        executed(5, 5, "glob", "c5"),
    )
    assert [each.path for each in found.files_inspected] == ["a.py"]
    assert [each.path for each in found.changed_files] == ["a.py"]
    assert [(each.command, each.result) for each in found.commands] == [
        ("cd x; make", "unknown"),
        ("git push", "denied"),
    ]
    assert {"content-off", "exit-codes-untold", "prompt-untold", "final-message-untold"} <= set(found.capture.limits)


def test_without_the_ai_sdk_model_calls_are_seen_to_begin() -> None:
    """What opencode runs is a call, with the model in the log; around the AI SDK's span it is the same call."""
    found = record(
        span(1, 1, 2, "LLM.run"),
        log(1, "stream", {"session.id": "s1", "modelID": "m", "small": "false"}, 1),
        span(2, 3, 4, "LLM.run"),
        executed(3, 5, "glob", "c"),
    )
    assert (found.usage.model_calls, found.usage.input_tokens, found.agent.models) == (2, None, ("m",))
    inside = [span(1, 1, 2, "LLM.run"), model(2, 1, parent=1, operation="ai.streamText", AI_RESPONSE_ID="")]
    assert record(*inside).usage.model_calls == 1
    assert record(*inside, model(3, 1, parent=2)).usage.input_tokens == 10


@pytest.mark.parametrize(
    "link",
    [
        log(1, "created", '{"id":"s2","workspaceID":undefined,"parentID":"s1"}'),
        log(1, "created", {"id": "s2", "parentID": "s1"}),
        tool(8, 2, "task", {"prompt": "Look"}, {"metadata": {"sessionId": "s2"}}),
    ],
)
def test_a_session_started_by_a_session_is_its_child(link: Span | Log) -> None:
    """The log names the parent of a session, or the result of the tool that started it the child."""
    found = compact([model(1, 1), link, answer(2, 3, session="s2")], now_ns=LATER)
    assert [(each.run_id, each.parent_run) for each in found] == [("s1", None), ("s2", "s1")]


def test_a_session_below_a_tool_of_another_is_its_child() -> None:
    """Its place in the trace tells as well."""
    found = compact([model(1, 1), executed(2, 2, "task", "c"), answer(3, 3, session="s2", parent=2)], now_ns=LATER)
    assert [(each.run_id, each.parent_run) for each in found] == [("s1", None), ("s2", "s1")]


def test_commands_run_in_the_directory_of_the_session() -> None:
    """Unless the arguments name another."""
    found = record(
        log(1, "created", '{"id":"s1","directory":"/r","parentID":undefined}'),
        tool(1, 2, "bash", {"command": "ls"}),
        tool(2, 3, "bash", {"command": "ls", "workdir": "/r/x"}),
    )
    assert [each.directory for each in found.commands] == ["/r", "/r/x"]


def test_arguments_may_be_only_where_the_model_asked() -> None:
    """The AI SDK's span of a call may be lost; what the model asked for is known."""
    asked = [{"type": "tool-call", "toolCallId": "c1", "toolName": "read", "input": {"filePath": "a.py"}}]
    found = record(model(1, 1, AI_RESPONSE_TOOL_CALLS=json.dumps(asked)), executed(2, 2, "read", "c1"))
    assert [each.path for each in found.files_inspected] == ["a.py"]


def test_housekeeping_alone_is_no_run() -> None:
    """A process that only starts leaves spans with errors, and log records."""
    noise = span(1, 1, 2, "FileSystem.readJson", status=2)
    assert compact([noise, log(1, "init"), log(2, "loading", {"path": "x"})], now_ns=LATER) == []
    assert record(noise, model(2, 1)).failures == ()


def test_a_cut_prompt_is_noticed() -> None:
    """Attribute limits of the sender go through prompts."""
    found = record(model(1, 1, AI_PROMPT_MESSAGES='[{"role": "user", "content": [{"type": "te'))
    assert "attribute-cut" in found.capture.limits


def test_last_words_are_in_messages() -> None:
    """No span of an agent states them apart."""
    assert Talk().final(answer(1, 1)) == ""
