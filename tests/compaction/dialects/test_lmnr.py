"""Laminar's spans, as OpenHands emits them: sessions and turns, actions and what came of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.lmnr.dialect import Lmnr
from agent_otel.compaction.reading.indexed import indexed_messages
from agent_otel.compaction.reading.messages import Message, ToolRequest
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
SUFFIX = "[The command has no new output after 30 seconds.]"
REFUSED = '[Your command "x" is NOT executed. The previous command is still running - You CANNOT send new commands.]'


def span(name: str, span_id: str, parent: str = "", *, at: int = 1, end: int = 9, **rest: Any) -> Span:
    """A span of a session, with its times in seconds; ``kind`` is its type, ``given`` and ``gave`` its content."""
    kind, session = rest.pop("kind", "DEFAULT"), rest.pop("session", "s1")
    attributes = {names.LMNR_TYPE: kind, names.LMNR_SESSION: session, **rest.pop("attributes", {})}
    for key, value in ((names.LMNR_INPUT, rest.pop("given", None)), (names.LMNR_OUTPUT, rest.pop("gave", None))):
        if value is not None:
            attributes[key] = json.dumps(value)
    return Span(
        trace_id=rest.pop("trace_id", "a" * 32),
        span_id=span_id * 16,
        parent_id=parent and parent * 16,
        name=name,
        start_ns=at * S,
        end_ns=end * S,
        scope=names.LMNR_SCOPE,
        attributes={key: value for key, value in attributes.items() if value != ""},
        **rest,
    )


def shell(span_id: str, line: str, code: int, suffix: str = "", *, at: int = 2, **rest: Any) -> Span:
    """A command in the terminal; ``action`` has further fields of it, ``more`` of what was observed."""
    action = {"command": line, "kind": "TerminalAction", **rest.pop("action", {})}
    gave = {"content": [{"type": "text", "text": f"out{code}"}], "is_error": False, "exit_code": code}
    gave |= {"metadata": {"exit_code": code, "working_dir": "/r", "suffix": suffix}, **rest.pop("more", {})}
    given = {"action": action}
    return span("TerminalAction", span_id, "1", kind="TOOL", given=given, gave=gave, at=at, end=at + 1, **rest)


def action(name: str, span_id: str, parent: str = "1", **fields: Any) -> Span:
    """An action that goes well, unless it is said otherwise."""
    gave = fields.pop("gave", {"content": [{"type": "text", "text": "fine"}], "is_error": False})
    attributes = fields.pop("attributes", {})
    given = {"action": {"kind": name, **fields}}
    return span(name, span_id, parent, kind="TOOL", given=given, gave=gave, attributes=attributes)


def llm(span_id: str, parent: str, *, at: int = 1, **rest: Any) -> Span:
    """A model call."""
    attributes = {names.REQUEST_MODEL: "m", **rest.pop("attributes", {})}
    return span("litellm.completion", span_id, parent, kind="LLM", at=at, end=at + 1, attributes=attributes, **rest)


def records(*items: Span | Log) -> list[RunRecord]:
    """The records of one group, long after it fell silent."""
    return compact(items, now_ns=LATER)


def record(*items: Span | Log) -> RunRecord:
    """The only record."""
    (only,) = records(*items)
    return only


def commands(*items: Span) -> list[tuple[str, str, int | None]]:
    """Lines, results and exit codes of the commands in a conversation."""
    return [(run.command, run.result, run.exit_code) for run in record(span("conversation", "1"), *items).commands]


def test_it_claims_what_laminar_traces() -> None:
    """By its scope or its type; log records are others'."""
    typed = Span(trace_id="a" * 32, span_id="1" * 16, attributes={names.LMNR_TYPE: "TOOL"})
    assert Lmnr().claims(span("x", "1"))
    assert Lmnr().claims(typed)
    assert not Lmnr().claims(Log(key="k", time_ns=S, scope=names.LMNR_SCOPE))
    assert Lmnr().place(typed) is None


def test_a_session_goes_on_in_other_traces() -> None:
    """Two processes, one conversation: one run with the first task."""
    first = span("conversation.send_message", "2", "1", given={"message": "Fix it"})
    more = span("conversation.send_message", "4", "3", at=12, given={"message": "And that"}, trace_id="b" * 32)
    ends = [span("conversation", "1"), span("conversation", "3", at=11, end=20, trace_id="b" * 32)]
    found = record(*ends, first, more, llm("5", "1"))
    assert (found.run_id, found.task.objective, found.lifecycle, found.outcome) == ("s1", "Fix it", "settled", "ended")


SENT = [
    ({"message": {"role": "user", "content": [{"type": "text", "text": "Fix it"}]}}, "Fix it"),
    ({"message": 3}, None),
    ({}, None),
]


@pytest.mark.parametrize(("given", "task"), SENT, ids=map(str, range(len(SENT))))
def test_the_task_is_what_was_sent(given: dict[str, Any], task: str | None) -> None:
    """As a text, or as a message."""
    sent = span("conversation.send_message", "2", "1", given=given)
    assert record(span("conversation", "1"), sent).task.objective == task


def test_a_killed_conversation_is_broken_off() -> None:
    """Nothing around it was sent; what it sent a message with ended, but the conversation did not."""
    sent = span("conversation.send_message", "2", "1", given={"message": "Fix it"})
    found = record(sent, span("agent.step", "3", "4"), llm("5", "3"))
    assert (found.lifecycle, found.outcome) == ("abandoned", "interrupted")


def test_a_turn_is_enough_of_an_end() -> None:
    """A process that does not close its conversation has ended its turn."""
    assert record(span("conversation.run", "2", "1"), llm("3", "2")).outcome == "ended"


def test_a_model_api_that_refuses_for_good_fails_the_run() -> None:
    """The conversation says so; of calls around calls the inner one counts, and each try."""
    outer = span("llm.m", "2", "1", kind="LLM", end=7, status=2)
    tries = llm("3", "2", status=2, status_message="HTTP 400"), llm("4", "2", at=4, status=2, status_message="HTTP 400")
    found = record(span("conversation", "1", status=2, status_message="HTTP 400"), outer, *tries)
    assert (found.outcome, found.usage.model_calls, found.usage.failed_model_calls) == ("failed", 2, 2)


def test_what_else_is_traced_so_begins_at_its_root() -> None:
    """A function of one's own around an agent; its name is that of the run's agent."""
    found = record(span("fix_bug", "1", session=""), llm("2", "1", session=""))
    assert (found.agent.name, found.agent.dialect, found.run_id) == ("fix_bug", "lmnr", f"trace-{'a' * 32}")


def test_exit_codes_say_what_became_of_commands() -> None:
    """A span's status says nothing."""
    assert commands(shell("2", "make", 2), shell("3", "pytest", 0, at=4)) == [
        ("make", "failed", 2),
        ("pytest", "passed", 0),
    ]


def test_a_command_that_goes_on_is_told_by_the_call_that_waits_for_it() -> None:
    """No new output is no end; the exit code comes with a later call, and stopping it is no result of its own."""
    slow, poll = shell("2", "pytest", -1, SUFFIX), shell("3", "", 1, at=4)
    still = shell("4", "", -1, SUFFIX, at=3)
    assert commands(slow) == [("pytest", "unknown", None)]
    assert commands(slow, still, poll) == [("pytest", "failed", 1)]
    stopped = shell("3", "C-c", 130, at=4, action={"is_input": True})
    assert commands(slow, stopped, shell("5", "", 0, at=9)) == [("pytest", "unknown", None)]


def test_a_command_past_its_limit_timed_out() -> None:
    """The observation has a flag, and words."""
    assert commands(shell("2", "sleep 8", -1, more={"timeout": True})) == [("sleep 8", "timed_out", None)]
    told = shell("2", "sleep 8", -1, "[The command timed out after 3.0 seconds.]")
    assert commands(told) == [("sleep 8", "timed_out", None)]


def test_a_command_that_found_another_running_did_not_start() -> None:
    """It is refused, and the one before goes on."""
    slow, late, poll = shell("2", "a", -1, SUFFIX), shell("3", "b", -1, REFUSED, at=4), shell("4", "", 0, at=6)
    assert commands(slow, late, poll) == [("a", "passed", 0), ("b", "not_started", None)]


def test_a_new_command_forgets_the_one_before() -> None:
    """Where the terminal took it, the other had ended unseen."""
    slow, later, poll = shell("2", "a", -1, SUFFIX), shell("3", "b", 0, at=4), shell("4", "", 1, at=6)
    assert commands(slow, later, poll) == [("a", "unknown", None), ("b", "passed", 0)]


def test_commands_have_the_directory_they_left_the_shell_in_unless_they_moved() -> None:
    """Files are found from there, and the repository is what directories have in common."""
    moved = {"metadata": {"working_dir": "/r/sub"}}
    cats = shell("2", "cat a.py", 0), shell("3", "cd sub && cat b.py", 0, at=4, more=moved)
    assert [read.path for read in record(span("conversation", "1"), *cats).files_inspected] == ["a.py", "sub/b.py"]


def test_control_characters_of_terminals_are_no_output() -> None:
    """Bracketed paste and carriage returns stand between the words."""
    gave = {"content": [{"text": "\x1b[?2004lexit code: 3\r\ndone"}], "is_error": False}
    found = record(span("conversation", "1"), action("TerminalAction", "2", command="make", gave=gave))
    assert [run.exit_code for run in found.commands] == [3]


def test_files_are_those_of_editors_that_did_not_fail() -> None:
    """The observation says whether it is an error."""
    no = {"content": [{"type": "text", "text": "No replacement was performed"}], "is_error": True}
    found = record(
        span("conversation", "1"),
        action("FileEditorAction", "2", command="view", path="/r/a.py"),
        action("FileEditorAction", "3", command="str_replace", path="/r/a.py"),
        action("FileEditorAction", "4", command="str_replace", path="/r/b.py", gave=no),
    )
    assert [read.path for read in found.files_inspected] == ["/r/a.py"]
    assert [changed.path for changed in found.changed_files] == ["/r/a.py"]
    assert [(call.name, call.calls, call.failed) for call in found.tool_calls] == [("file_editor", 3, 1)]


def test_an_action_without_its_observation_is_not_known_to_have_done_anything() -> None:
    """The status of a span says nothing, and a limit may have cut what does."""
    given = {"action": {"command": "str_replace", "path": "/r/a.py"}}
    untold = span("FileEditorAction", "2", "1", kind="TOOL", given=given)
    cut = {**untold.attributes, names.LMNR_OUTPUT: '{"content": [{"text": "Cannot over'}
    for edit in (untold, replace(untold, attributes=cut)):
        assert record(span("conversation", "1"), edit).changed_files == ()
    cut[names.LMNR_OUTPUT] = '{"content": [{"text": "The file /r/a.py has been edited. Here'
    done = record(span("conversation", "1"), replace(untold, attributes=cut))
    assert [changed.path for changed in done.changed_files] == ["/r/a.py"]


def test_the_action_that_ends_a_run_has_the_last_words() -> None:
    """It is no tool call; without words it says nothing."""
    ends = action("FinishAction", "2", message="All 4 tests pass."), action("FinishAction", "3")
    found = record(span("conversation", "1"), *ends)
    assert ([said.text for said in found.claims], found.tool_calls) == (["All 4 tests pass."], ())


ASKED = [
    {
        "role": "assistant",
        "content": "Decision: keep the test",
        "tool_calls": [{"id": "c1", "function": {"name": "fs_read", "arguments": '{"path": "a.py"}'}}],
    }
]


def test_tools_of_mcp_servers_are_known_by_what_the_model_asked_for() -> None:
    """The action is an envelope, and its executor has a span of its own inside."""
    asked = llm("2", "1", attributes={names.OUTPUT_MESSAGES: json.dumps(ASKED)})
    call = action("MCPToolAction", "3", attributes={names.LMNR_CALL_ID: "c1"}, data={"path": "a.py"})
    inner = span("MCPToolExecutor.call_tool", "4", "3", kind="TOOL")
    found = record(span("conversation", "1"), asked, call, inner)
    assert [(one.name, one.calls) for one in found.tool_calls] == [("fs_read", 1)]
    assert [read.path for read in found.files_inspected] == ["a.py"]
    assert [made.option for made in found.decisions] == ["keep the test"]
    lone = record(span("conversation", "1"), action("MCPToolAction", "3", data={"path": "a.py"}))
    assert [one.name for one in lone.tool_calls] == ["mcptool"]


def test_a_conversation_inside_of_an_action_is_a_run_of_its_own() -> None:
    """A sub-agent has its own session; what it does is not hidden by the action around it."""
    outer, task = span("conversation", "1"), action("TaskAction", "2", prompt="look")
    turn = span("conversation.run", "3", "2", session="s2")
    given = {"action": {"command": "view", "path": "a"}}
    view = span("FileEditorAction", "4", "3", kind="TOOL", session="s2", given=given, gave={"content": []})
    found = {one.run_id: one for one in records(outer, task, turn, view)}
    assert (found["s2"].parent_run, [read.path for read in found["s2"].files_inspected]) == ("s1", ["a"])
    assert found["s1"].parent_run is None


def test_content_that_is_off_is_said_so() -> None:
    """Without inputs nothing is known of an action but its name."""
    found = record(
        span("conversation", "1"), span("TerminalAction", "2", "1", kind="TOOL"), span("helper", "3", "1", kind="TOOL")
    )
    assert ([call.name for call in found.tool_calls], found.commands) == (["helper", "terminal"], ())
    assert "content-off" in found.capture.limits


INDEXED: list[tuple[dict[str, Any], list[Message]]] = [
    ({"p.1.content": "b", "p.0.role": "user", "p.0.content": "a"}, [Message("user", ("a",)), Message("me", ("b",))]),
    ({"p.0.role": "tool", "p.0.tool_call_id": "c", "p.0.content": "x"}, [Message("tool", results=(("c", "x"),))]),
    ({"p.0.tool_calls.1.name": "g", "p.0.tool_calls.0.name": "f", "p.0.tool_calls.0.id": "c",
      "p.0.tool_calls.0.arguments": "{}"},
     [Message("me", requests=(ToolRequest("c", "f", "{}"), ToolRequest("", "g", None)))]),
    ({"p.0.function_call.name": "f", "p.0.function_call.arguments": "{}"},
     [Message("me", requests=(ToolRequest("", "f", "{}"),))]),
    ({"p.x": 1, "q.0.content": "a", "p.0.a.b.c": 2}, []),
    ({"p.0.content": 3, "p.0.role": ("x",)}, [Message("")]),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "expected"), INDEXED, ids=map(str, range(len(INDEXED))))
def test_messages_in_numbered_attributes_are_read(attributes: dict[str, Any], expected: list[Message]) -> None:
    """By their numbers, with what they ask for; what is no message is left alone."""
    assert indexed_messages(attributes, "p.", "me") == expected
