"""Gemini CLI: sessions without a root, calls told by logs and spans, and commands whose exit codes hide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.gemini.models import Talk
from agent_otel.compaction.dialects.gemini.prompts import agent_of
from agent_otel.compaction.dialects.gemini.shell import Printed, printed
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
RESOURCE = {names.SESSION_ID: "s1", names.PROCESS_COMMAND_ARGS: ["node", "gemini", "--yolo", "-p", "Fix it"]}
GIVEN = {"command": "make"}


def span(number: int, at: float, operation: str, parent: int = 0, *, status: int = 1, **attributes: Any) -> Span:
    """A span of half a second; each step is a trace."""
    given = {names.OPERATION_NAME: operation, names.CONVERSATION_ID: "s1", **attributes}
    return Span(
        trace_id=f"{parent or number:032x}",
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        start_ns=int(at * S),
        end_ns=int(at * S) + S // 2,
        attributes={key: value for key, value in given.items() if value is not None},
        status=status,
        scope=names.GEMINI_SCOPE,
        resource=RESOURCE,
    )


def asked(number: int, at: float, *parts: object, prompt: str = "s1", **attributes: Any) -> Span:
    """A call to the model, and the parts of its answer, each in a message as a stream gives them."""
    said = json.dumps([{"role": "model", "parts": [part]} for part in parts]) if parts else None
    about = {names.GEMINI_PROMPT_ID: prompt, names.OUTPUT_MESSAGES: said, names.INPUT_TOKENS: 10, **attributes}
    return span(number, at, "llm_call", **about)


def answer(number: int, at: float, **attributes: Any) -> Span:
    """A call whose answer calls no tools."""
    return asked(number, at, {"text": "Do"}, {"text": "ne."}, {"text": "Hm", "thought": True}, **attributes)


def tool(number: int, at: float, args: object = None, output: object = None, name: str = "run_shell_command",
         parent: int = 0, *, code: int = 1, **told: Any) -> Span:  # fmt: skip
    """A call of a tool, as its span tells it."""
    given = {"callId": f"c{number}", "args": args, "prompt_id": told.pop("prompt_id", "s1")}
    parts = [{"functionResponse": {"id": f"c{number}", "response": output}}] if output else None
    answered = {"status": "success", **told, "response": {"responseParts": parts, **told.pop("response", {})}}
    about = {
        names.TOOL_NAME: name,
        names.GEMINI_TOOL_CALL_ID: f"c{number}",
        names.INPUT_MESSAGES: None if args is None else json.dumps(given),
        names.OUTPUT_MESSAGES: None if args is None else json.dumps(answered),
    }
    return span(number, at, "tool_call", parent, status=code, **about)


def log(at: float, name: str, within: int = 0, **attributes: Any) -> Log:
    """A log record; ``within`` is the trace and span it was written in."""
    return Log(
        key=f"{name}-{at}-{json.dumps(attributes, sort_keys=True)}",
        time_ns=int(at * S),
        trace_id=f"{within:032x}" if within else "",
        span_id=f"{within:016x}" if within else "",
        attributes={"event.name": f"gemini_cli.{name}", names.SESSION_ID: "s1", "prompt_id": "s1", **attributes},
        scope=names.GEMINI_SCOPE,
        resource=RESOURCE,
    )


def called(at: float, args: object = GIVEN, name: str = "run_shell_command", within: int = 0, **told: Any) -> Log:
    """A call of a tool, as the log tells it."""
    given = {"function_name": name, "function_args": args and json.dumps(args), "duration_ms": 500, "success": True}
    return log(at, "tool_call", within, **{**given, **told})


def response(at: float, *parts: object, **told: Any) -> Log:
    """A response, as the log tells it."""
    said = json.dumps([{"candidates": [{"content": {"role": "model", "parts": parts}}]}]) if parts else None
    about = {"duration_ms": 500, "model": "m", "input_token_count": 10, "response_text": said}
    return log(at, "api_response", **{**about, **told})


def record(*items: Span | Log) -> RunRecord:
    """The only record."""
    (found,) = compact(items, now_ns=LATER)
    return found


def results(*items: Span | Log) -> list[tuple[str, int | None]]:
    """What became of the commands."""
    return [(each.result, each.exit_code) for each in record(*items).commands]


CALL = {"functionCall": {"id": "c1", "name": "run_shell_command", "args": GIVEN}}


@pytest.mark.parametrize(
    ("items", "lifecycle", "outcome"),
    [
        ([asked(1, 1, CALL), answer(2, 3)], "settled", "ended"),
        ([asked(1, 1, CALL)], "abandoned", "interrupted"),
        ([answer(1, 1), asked(2, 3, CALL)], "abandoned", "interrupted"),
        ([answer(1, 1), log(2, "user_prompt", prompt="More")], "abandoned", "interrupted"),
        ([asked(1, 1), log(2, "plan.approval_mode_duration")], "settled", "ended"),
        ([asked(1, 1)], "abandoned", "unknown"),
        ([asked(1, 1), called(2)], "abandoned", "interrupted"),
        ([asked(1, 1, status=2), log(2, "conversation_finished")], "settled", "failed"),
        ([answer(1, 1, status=2)], "abandoned", "failed"),
        ([response(1, CALL), response(2, {"text": "Done."})], "settled", "ended"),
        ([response(1, CALL)], "abandoned", "interrupted"),
        ([response(1, CALL), log(2, "api_error", status_code=400, error="bad")], "settled", "failed"),
    ],
)
def test_ends(items: list[Span | Log], lifecycle: str, outcome: str) -> None:
    """An answer that calls no tools ends a turn; without content it is that the process leaves, which logs tell."""
    found = record(*items)
    assert (found.run_id, found.lifecycle, found.outcome) == ("s1", lifecycle, outcome)


def test_the_task_is_what_was_prompted() -> None:
    """The log has the prompt with content, the command line always; last words are those of a turn that ended."""
    told = record(log(1, "user_prompt", prompt="Mend it"), answer(1, 2))
    assert (told.task.objective, [claim.text for claim in told.claims]) == ("Mend it", ["Done."])
    assert record(log(1, "user_prompt"), answer(1, 2)).task.objective == "Fix it"
    assert record(response(2, {"text": "x"}), log(3, "user_prompt"), response(4)).claims[0].text == "x"
    assert record(asked(1, 1, {"text": "Wait"}, status=2)).claims == ()


@pytest.mark.parametrize(
    ("line", "objective"),
    [(["gemini", "--prompt=Do"], "Do"), (["gemini", "-i", "Do"], "Do"), (["gemini"], None), ("gemini", None)],
)
def test_prompts_on_the_command_line(line: object, objective: str | None) -> None:
    """They are after an option, or in one."""
    items = [answer(1, 1), called(1, {"file_path": "a"}, "read_file")]
    resources = [type(item)(**{**{f: getattr(item, f) for f in item.__struct_fields__},
                 "resource": {**RESOURCE, names.PROCESS_COMMAND_ARGS: line}}) for item in items]  # fmt: skip
    found = record(*resources)
    assert (found.task.objective, "prompt-untold" in found.capture.limits) == (objective, objective is None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Output: 4 passed\nProcess Group PGID: 83", Printed("4 passed", exited_zero=True)),
        ("<untrusted_context>\nOutput: ok\n</untrusted_context>", Printed("ok", exited_zero=True)),
        ("Output: x\nExit Code: 1\nProcess Group PGID: 83", Printed("x", exit_code=1)),
        ("Output: x\nExit Code: 0\nExit Code: 1", Printed("x\nExit Code: 0", exit_code=1)),
        ("Output: x\nSignal: SIGTERM", Printed("x")),
        ("Output: x\nError: spawn failed", Printed("x")),
        ("Output: (empty)\nBackground PIDs: 7", Printed("(empty)")),
        (
            "Command: ls\nDirectory: /r\nOutput: a\nError: (none)\nExit Code: 0\nSignal: (none)",
            Printed("a", "/r", exit_code=0),
        ),
        ("Command: ls\n-l\nDirectory: (root)\nOutput: a\nExit Code: (none)", Printed("a")),
        (
            "Command was automatically cancelled because it exceeded the timeout of 5.0 minutes without output.",
            Printed(
                "Command was automatically cancelled because it exceeded the timeout of 5.0 minutes without output.",
                timed_out=True,
            ),
        ),
        ("Command was cancelled by user", Printed("Command was cancelled by user", cancelled=True)),
        ("exit code: 0", Printed("exit code: 0")),
    ],
)
def test_what_the_shell_tool_says(said: str, expected: Printed) -> None:
    """Its own lines are the last; what a command prints before them is output, whatever it looks like."""
    assert printed(said) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([tool(1, 1, GIVEN, {"output": "Output: ok"})], ("passed", None)),
        ([tool(1, 1, {**GIVEN, "is_background": True}, {"output": "Output: ok"})], ("unknown", None)),
        ([tool(1, 1, GIVEN, {"output": "Output: no\nExit Code: 2"})], ("failed", 2)),
        ([tool(1, 1, GIVEN, {"output": "x"}, response={"data": {"exitCode": 3}})], ("failed", 3)),
        ([tool(1, 1, GIVEN, {"output": "Command was cancelled by user"})], ("unknown", None)),
        ([tool(1, 1, GIVEN, code=2)], ("failed", None)),
        ([tool(1, 1, GIVEN, {"error": "no"}, status="error")], ("failed", None)),
        ([called(1)], ("unknown", None)),
        ([called(1, metadata='{"exitCode": 1}')], ("failed", 1)),
        ([called(1, success=False, error="x", error_type="shell_execute_error")], ("failed", None)),
        ([called(1, success=False, error="x", error_type="policy_violation")], ("denied", None)),
        ([called(1, success=False, decision="reject")], ("denied", None)),
        ([called(1, success=False, error="x", error_type="invalid_tool_params")], ("not_started", None)),
        ([called(1, success=False, status="cancelled")], ("unknown", None)),
        ([called(1, success=False, error_type="cancelled")], ("unknown", None)),
        ([tool(1, 1, GIVEN, {"output": "Output: ok"}), called(1, within=1)], ("passed", None)),
    ],
)
def test_what_became_of_a_command(items: list[Span | Log], expected: tuple[str, int | None]) -> None:
    """That the tool went well is not that the command did: that takes an exit code, or no word where one would be."""
    assert results(*items) == [expected]


def test_a_call_told_by_log_and_span_counts_once() -> None:
    """The log has no id of the call, but was written in its span, or in the one around parallel calls."""
    around = span(1, 1, "schedule_tool_calls")
    read = {"name": "read_file", "parent": 1}
    inside = [tool(2, 1, {"file_path": "a"}, **read), tool(3, 1, {"file_path": "b"}, **read)]
    logs = [called(2, {"file_path": path}, "read_file", within=1) for path in "ba"]
    denied = called(
        2, {"file_path": "c"}, "read_file", within=1, success=False, error_type="policy_violation", error=""
    )
    found = record(around, *inside, *logs, denied)
    assert [(each.name, each.calls, each.denied) for each in found.tool_calls] == [("read_file", 3, 1)]
    assert sorted(each.path for each in found.files_inspected) == ["a", "b"]
    assert len(found.gates) == 1


def test_failures_of_parallel_calls_stand_apart_from_commands() -> None:
    """Log records of several calls name the span around them: that of a command does not hide another's failure."""
    failed = called(2.5, {"file_path": "x"}, "read_file", within=1, success=False, error="gone", duration_ms=1)
    found = record(called(2, within=1, metadata={"exitCode": 1}), failed)
    assert [(each.tool, each.error) for each in found.failures] == [(None, "exit code 1"), ("read_file", "gone")]


def test_an_edit_counts_its_lines() -> None:
    """As the log tells them; one that failed changed nothing."""
    counted = {"model_added_lines": 2, "model_removed_lines": 1}
    found = record(
        called(1, {"file_path": "a"}, "replace", metadata=json.dumps(counted)),
        called(2, {"file_path": "b"}, "replace", success=False, error_type="edit_no_occurrence_found", error="none"),
    )
    assert [(each.path, each.lines_added, each.lines_removed) for each in found.changed_files] == [("a", 2, 1)]
    assert [each.error for each in found.failures] == ["none"]


def test_without_content_calls_are_counted_and_nothing_else() -> None:
    """That files and commands were used is seen, not which; of a span alone not even whether it went well."""
    found = record(called(1, None, "replace"), called(2, None), tool(9, 3), asked(1, 4))
    assert {each.name: each.calls for each in found.tool_calls} == {"replace": 1, "run_shell_command": 2}
    assert (found.commands, found.changed_files) == ((), ())
    assert {"content-off", "paths-untold", "commands-untold", "final-message-untold"} <= set(found.capture.limits)


def test_a_span_that_is_open_is_no_success() -> None:
    """Only what has ended is known."""
    unended = Span(**{**{f: getattr(tool(1, 1), f) for f in Span.__struct_fields__}, "end_ns": 0})
    assert [each.failed for each in record(unended).tool_calls] == [0]


@pytest.mark.parametrize(
    ("spans", "logs", "calls", "tokens", "cached"),
    [
        ([asked(1, 1, CALL)], [response(1.5, cached_content_token_count=7)], 1, 10, 7),
        ([asked(1, 1, CALL), asked(2, 2, CALL)], [response(1.5)], 2, 20, None),
        ([asked(1, 1, CALL)], [response(1.5, CALL), response(2.5, CALL)], 2, 20, None),
        ([], [response(1.5, CALL, duration_ms=None)], 1, 10, None),
        ([asked(1, 1, status=2)], [log(1.5, "api_error", status_code=503, error="busy")], 1, 10, None),
        ([asked(1, 1)], [log(1.5, "api_error", 1, error_type="ApiError", error="busy")], 1, 10, None),
    ],
)
def test_model_calls_count_once(
    spans: list[Span], logs: list[Log], calls: int, tokens: int, cached: int | None
) -> None:
    """Spans and log records tell of the same calls; where they are not as many, those that are more count."""
    used = record(*spans, *logs).usage
    assert (used.model_calls, used.input_tokens, used.cache_read_tokens) == (calls, tokens, cached)
    assert used.failed_model_calls == sum("api_error" in log.key for log in logs)


@pytest.mark.parametrize("said", ["Done.", '["x", {"candidates": [1]}]', "[]", '{"a": 1}'])
def test_responses_in_other_shapes(said: str) -> None:
    """A response may be text; chunks that are not Google's say nothing."""
    found = record(response(1, response_text=said))
    assert [claim.text for claim in found.claims] == ([] if said[0] == "[" else [said])


def test_agents_of_a_session_are_its_children() -> None:
    """Their prompt ids name them, their events when they began and how they ended."""
    at = {"agent_id": "a7", "agent_name": "explorer"}
    found = compact(
        [
            asked(1, 1, CALL),
            log(1.5, "agent.start", **at),
            asked(2, 2, CALL, prompt="a7#0"),
            tool(3, 3, {"file_path": "x"}, name="read_file", prompt_id="a7#0"),
            called(3.9, {"file_path": "y"}, "read_file", prompt_id="a7#1"),
            log(4, "agent.finish", terminate_reason="GOAL", **at),
            log(4, "agent.finish", terminate_reason="GOAL", agent_id="a8"),
            answer(4, 5),
        ],
        now_ns=LATER,
    )
    assert [(each.run_id, each.parent_run, each.outcome) for each in found] == [
        ("s1", None, "ended"),
        ("s1/a7", "s1", "ended"),
    ]
    assert (found[1].agent.name, found[1].usage.model_calls) == ("explorer", 1)
    assert [each.path for each in found[1].files_inspected] == ["x", "y"]


@pytest.mark.parametrize(
    ("prompt_id", "session", "agent"),
    [
        ("s1", "s1", ""),
        ("s1########3", "s1", ""),
        ("s1#a7#0", "s1", "a7"),
        ("a7#0", "s1", "a7"),
        ("", "s1", ""),
        ("other", "s1", ""),
        ("a7#1", "", "a7"),
    ],
)
def test_prompt_ids(prompt_id: str, session: str, agent: str) -> None:
    """A session's own are its id, also with a number; others name an agent."""
    assert agent_of(prompt_id, session) == agent


def test_items_without_a_session_are_read_all_the_same() -> None:
    """A sender may leave out the session: the trace holds what belongs together."""
    bare = {field: getattr(tool(1, 1, GIVEN, {"output": "Output: ok"}), field) for field in Span.__struct_fields__}
    attributes = {key: value for key, value in bare["attributes"].items() if key != names.CONVERSATION_ID}
    assert results(Span(**{**bare, "attributes": attributes, "resource": {}})) == [("passed", None)]


def test_housekeeping_alone_is_no_run() -> None:
    """A process that only starts leaves log records."""
    assert compact([log(1, "config"), log(2, "startup_stats"), span(1, 1, "other")], now_ns=LATER) == []


def test_last_words_are_in_messages() -> None:
    """No span of an agent states them apart; a cut message is noticed."""
    assert Talk().final(answer(1, 1)) == ""
    cut = asked(1, 1, **{names.INPUT_MESSAGES: '[{"role": "user", "pa'})
    assert "attribute-cut" in record(cut, log(2, "conversation_finished")).capture.limits
