"""The GenAI dialect's tables: tools by name and arguments, results by shape, messages in every form."""

from __future__ import annotations

import json

import pytest

from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message, ToolRequest
from agent_otel.compaction.reading.results import command_result, ending, exit_code, undone, unwrap
from agent_otel.compaction.reading.values import is_cut, whole
from agent_otel.compaction.reading.vocabulary import Action, actions
from agent_otel.model import names
from agent_otel.model.item import Span, SpanEvent

PATCH = "*** Update File: a.py\n*** Move to: b.py\n*** Add File: c.py\n*** Delete File: d.py\n*** End Patch"
DIFF = "--- a/x.py\n+++ b/x.py\n@@\n--- /dev/null\n+++ b/new.py\n@@\n--- a/old.py\n+++ /dev/null\n"

ACTIONS = [
    ("read_file", {"path": "a.py"}, [Action("read", "a.py")]),
    ("readFile", {"filePath": "a.py"}, [Action("read", "a.py")]),
    ("mcp__fs__read_file", json.dumps({"file_path": "a.py"}), [Action("read", "a.py")]),
    ("view", {"path": "a.py", "view_range": [3, 9]}, [Action("read", "a.py", lines="3-9")]),
    ("read", {"path": "a.py", "offset": 10, "limit": 5}, [Action("read", "a.py", lines="10-14")]),
    ("read", {"path": "a.py", "start_line": 2}, [Action("read", "a.py", lines="2-")]),
    ("read_many_files", {"paths": ["a.py", "b.py", "", 3]}, [Action("read", "a.py"), Action("read", "b.py")]),
    ("read_files", {"files": [{"path": "a.py"}]}, [Action("read", "a.py")]),
    ("read_file", "a.py", [Action("read", "a.py")]),
    ("read_file", "  ", []),
    ("get_weather", "Paris", []),
    ("open", "src/a.py", [Action("read", "src/a.py")]),
    ("read_file", '{"path": "a.py", "note": "cut sho', [Action("read", "a.py")]),
    ("read_file", '{"path": "a.p', []),
    ("read_file", '{"input_str": "{\'path\': \'a.py\'}", "tags": ["seq', [Action("read", "a.py")]),
    ("read_file", "{'path': 'a.p", []),
    ("read_file", {"kwargs": {"tool_call_id": "c"}, "inputs": {"path": "a.py"}}, [Action("read", "a.py")]),
    ("read_file", {"kwargs": {"path": "a.py"}}, [Action("read", "a.py")]),
    ("read_file", {"args": ["a.py"]}, [Action("read", "a.py")]),
    ("read_file", {"args": [{"path": "a.py"}]}, [Action("read", "a.py")]),
    ("read_file", {"input_str": "{'path': 'a.py'}"}, [Action("read", "a.py")]),
    ("read_file", {"path": "https://example.invalid/a"}, []),
    ("read_file", {"path": "two\nlines"}, []),
    ("read_file", 7, []),
    ("read_file", {"kwargs": {"kwargs": {"kwargs": {"kwargs": {"kwargs": {"kwargs": {"path": "a"}}}}}}}, []),
    ("edit_file", {"path": "a.py", "old": "x", "new": "y"}, [Action("edit", "a.py")]),
    ("find_and_replace", {"file": "a.py"}, [Action("edit", "a.py")]),
    ("write_file", {"path": "a.py", "content": "x"}, [Action("write", "a.py")]),
    ("create_file", {"path": "a.py"}, [Action("create", "a.py")]),
    ("delete_file", {"path": "a.py"}, [Action("delete", "a.py")]),
    ("move_file", {"source": "a.py", "destination": "b.py"}, [Action("move", "b.py", old_path="a.py")]),
    ("move_file", {"source": "a.py"}, []),
    ("list_directory", {"path": "src"}, []),
    ("grep", {"path": "src"}, []),
    ("think", {"path": "src"}, []),
    ("str_replace_editor", {"command": "view", "path": "a.py"}, [Action("read", "a.py")]),
    ("str_replace_based_edit_tool", {"command": "create", "path": "a.py"}, [Action("write", "a.py")]),
    ("bash", {"command": " pytest -q "}, [Action("run", command="pytest -q")]),
    ("bash", "pytest -q", [Action("run", command="pytest -q")]),
    ("run_command", {"command": "make", "cwd": "/r"}, [Action("run", command="make", directory="/r")]),
    ("shell", {"command": ["bash", "-lc", "pytest -q"]}, [Action("run", command="pytest -q")]),
    ("exec", {"argv": ["git", "commit", "-m", "two words"]}, [Action("run", command="git commit -m 'two words'")]),
    ("exec", {"argv": []}, []),
    (
        "apply_patch",
        {"input": PATCH},
        [
            Action("edit", "a.py"),
            Action("move", "b.py", old_path="a.py"),
            Action("create", "c.py"),
            Action("delete", "d.py"),
        ],
    ),
    ("apply_diff", {"diff": DIFF}, [Action("edit", "x.py"), Action("create", "new.py"), Action("delete", "old.py")]),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), ACTIONS)
def test_a_tool_is_understood_by_its_name_and_arguments(name: str, arguments: object, expected: list[Action]) -> None:
    """Words of the name say what is done, the arguments to what; nothing is guessed beyond."""
    assert actions(name, arguments) == expected


RESULTS = [
    ({"exit_code": 1, "stdout": "o", "stderr": "e"}, 1, "o\ne"),
    ('{"returncode": 0, "output": "fine"}', 0, "fine"),
    ({"result": {"exit_code": 2}}, 2, ""),
    ({"result": "exit code: 3\nstdout:"}, 3, "exit code: 3\nstdout:"),
    ([{"text": "exit code: 4"}], 4, "exit code: 4"),
    ({"content": [{"type": "text", "text": "Process exited with code 5"}]}, 5, "Process exited with code 5"),
    ({"data": {"content": "done", "tool_call_id": "x"}}, None, "done"),
    ({"data": {"content": '{"exit_code": 8}', "tool_call_id": "x"}}, 8, ""),
    ({"content": [{"text": "out"}, 3], "exit_code": 9}, 9, "out"),
    ({"blocks": [{"text": "exit code: 1"}], "tool_name": "x", "raw_output": "exit code: 1"}, 1, "exit code: 1"),
    ('{"type": "tool", "data": {"content": "exit code: 1\\nstd', 1, "exit code: 1\nstd…"),
    ('{"content": "exit code: 1\\nbad \\q escape', None, "exit code: 1\\nbad \\q escape…"),
    ({"output": {"kwargs": {"content": "done"}}}, None, None),
    ({"metadata": '{"exitCode": 6}'}, 6, ""),
    ("output\nmore\nExit code: 7", 7, None),
    ("a\nexit code: 1\nb\nexit code: 2\nc", None, None),
    ("a\nexit code: 1\nb\nexit code: 1\nc", 1, None),
    ("nothing here", None, "nothing here"),
    ({"result": {"result": {"result": {"result": {"result": {"result": {"result": "deep"}}}}}}}, None, ""),
    (7, None, ""),
    ([1, 2], None, ""),
]


@pytest.mark.parametrize(("raw", "code", "said"), RESULTS)
def test_a_result_is_taken_out_of_its_envelopes(raw: object, code: int | None, said: str | None) -> None:
    """Fields, then a line of its own in the text, give the exit code."""
    result = unwrap(raw)
    assert exit_code(None, result) == code
    if said is not None:
        assert result.text == said


def span(status: int = 0, *, message: str = "", events: tuple[SpanEvent, ...] = (), **attributes: object) -> Span:
    """A tool span that has ended."""
    given = {name.replace("__", "."): value for name, value in attributes.items()}
    return Span(
        trace_id="1" * 32,
        span_id="2" * 16,
        end_ns=9,
        status=status,
        status_message=message,
        attributes=given,
        events=events,
    )


THROWN = SpanEvent(
    name="exception",
    time_ns=1,
    attributes={names.EXCEPTION_TYPE: "builtins.TimeoutError", names.EXCEPTION_MESSAGE: "late"},
)

ENDINGS = [
    (span(), "fine", "ok", "unknown"),
    (span(process__exit__code=0), "", "ok", "passed"),
    (span(process__exit__code=3), "", "ok", "failed"),
    (span(2, message="boom"), "", "failed", "failed"),
    (span(2, process__exit__code=0), "", "failed", "unknown"),
    (span(error__type="denied"), "", "denied", "denied"),
    (span(error__type="PermissionDeniedError"), "", "denied", "denied"),
    (span(error__type="asyncio.CancelledError"), "", "cancelled", "unknown"),
    (span(events=(THROWN,)), "", "failed", "timed_out"),
    (span(), {"timed_out": True}, "ok", "timed_out"),
    (span(), "Command timed out after 3 s", "ok", "timed_out"),
    (span(), {"is_error": True, "content": "no"}, "failed", "failed"),
    (span(), {"is_error": True, "content": [{"text": "no"}]}, "failed", "failed"),
    (span(), {"data": {"content": "no", "tool_call_id": "c", "status": "error"}}, "failed", "failed"),
    (span(), {"data": {"content": "ValueError: no", "tool_call_id": "c", "status": "success"}}, "failed", "failed"),
    (span(), {"timeout": True, "exit_code": -1}, "ok", "timed_out"),
    (span(), {"blocks": [], "raw_output": "no", "is_error": True}, "failed", "failed"),
    (span(), {"success": False}, "failed", "failed"),
    (span(), {"status": "error"}, "failed", "failed"),
    (span(), {"error": "no such file"}, "failed", "failed"),
    (span(), "FileNotFoundError: docs/x.md", "failed", "failed"),
    (span(gen_ai__tool__status="error"), "", "failed", "failed"),
    (span(gen_ai__task__status="failure"), "", "failed", "failed"),
    (span(success="false"), "", "failed", "failed"),
]


@pytest.mark.parametrize(("tool", "raw", "outcome", "result"), ENDINGS)
def test_any_sign_of_failure_counts_and_only_an_exit_code_is_a_pass(
    tool: Span, raw: object, outcome: str, result: str
) -> None:
    """A status of OK proves nothing; an exit code of 0 with an error is unknown."""
    answer = unwrap(raw)
    end = ending(tool, answer)
    assert end.outcome == outcome
    assert command_result(end, exit_code(whole(tool.attributes.get(names.PROCESS_EXIT_CODE)), answer), answer) == result


def test_a_call_that_has_not_ended_is_open() -> None:
    """Nothing is known of it yet."""
    running = Span(trace_id="1" * 32, span_id="2" * 16)
    end = ending(running, unwrap(None))
    assert (end.outcome, command_result(end, None, unwrap(None))) == ("open", "unknown")


@pytest.mark.parametrize(("said", "expected"), [("No match found", True), ("Error: x", True), ("edited a.py", False)])
def test_the_words_of_an_edit_that_changed_nothing(said: str, expected: bool) -> None:
    """Editors say in words that they did nothing."""
    assert undone(unwrap(said)) is expected
    assert undone(unwrap({"message": said})) is expected


REQUEST = ToolRequest("c1", "read", {"path": "a"})
MESSAGES = [
    ('[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]', "", [Message("user", ("hi",))]),
    ([{"role": "user", "content": "hi"}], "", [Message("user", ("hi",))]),
    ([{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}], "", [Message("user", ("hi",))]),
    (
        [
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c1", "name": "read", "arguments": {"path": "a"}}],
            }
        ],
        "",
        [Message("assistant", (), (REQUEST,))],
    ),
    (
        [
            {
                "role": "assistant",
                "tool_calls": [{"id": "c1", "function": {"name": "read", "arguments": {"path": "a"}}}, 3],
            }
        ],
        "",
        [Message("assistant", (), (REQUEST,))],
    ),
    (
        [{"toolUse": {"toolUseId": "c1", "name": "read", "input": {"path": "a"}}}, {"text": "so"}, "and"],
        "assistant",
        [Message("assistant", ("so", "and"), (REQUEST,))],
    ),
    ([{"role": "tool", "tool_call_id": "c1", "content": "x"}], "", [Message("tool", results=(("c1", "x"),))]),
    (
        [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "x"}, 3]}],
        "",
        [Message("tool", results=(("c1", "x"),))],
    ),
    ([{"toolResult": {"toolUseId": "c1", "content": "x"}}], "user", [Message("user", results=(("c1", "x"),))]),
    ({"role": "user", "content": "hi"}, "", [Message("user", ("hi",))]),
    ("plain words", "user", [Message("user", ("plain words",))]),
    ("plain words", "", []),
    (7, "user", []),
    ([{"text": "hi"}], "", []),
]


@pytest.mark.parametrize(("value", "role", "expected"), MESSAGES)
def test_messages_are_read_in_every_shape(value: object, role: str, expected: list[Message]) -> None:
    """The conventions' parts, OpenAI's calls, Bedrock's blocks; text or structure."""
    assert messages.parse(value, role) == expected


EVENTS = [
    (names.USER_MESSAGE, {"content": "hi"}, [Message("user", ("hi",))]),
    (names.TOOL_MESSAGE, {"id": "c1", "content": "x"}, [Message("tool", results=(("c1", "x"),))]),
    (names.CHOICE, {"message": "done"}, [Message("assistant", ("done",))]),
    (names.CHOICE, {"message": {"content": "done"}}, [Message("assistant", ("done",))]),
    (names.CHOICE, {"message": 7}, []),
]


@pytest.mark.parametrize(("name", "fields", "expected"), EVENTS)
def test_events_of_the_old_conventions_are_messages(name: str, fields: dict, expected: list[Message]) -> None:
    """Each event carries one message; a choice has it inside."""
    assert messages.of_event(name, fields) == expected


def test_the_task_is_what_the_user_said_first_without_the_harness() -> None:
    """Blocks of context that a harness puts before it are not the task."""
    told = [Message("system", ("x",)), Message("user", ('<date>today</date>\n<env a="b">y</env> Fix it',))]
    assert messages.task(told) == "Fix it"
    assert messages.task([Message("user", ("<date>today</date>",))]) == ""


@pytest.mark.parametrize("rest", ["{", " [ ", "[{", '{"a', '[{"a": 1'])
def test_what_a_limit_left_of_json_is_no_text(rest: str) -> None:
    """An attribute that begins as JSON and does not end as JSON was cut, however little of it is left."""
    assert is_cut(rest)
    assert actions("bash", rest) == []
