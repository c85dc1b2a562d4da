"""Codex: what its events come to, also in versions and settings of which there is no capture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.table import DIALECTS
from agent_otel.model import limits
from agent_otel.model.item import Log, Span, SpanEvent
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
TRACE = "a" * 32
NEXT = "b" * 32


def told(name: str, at: float, session: str = "s1", **attributes: Any) -> Log:
    """A log record of Codex, with its time in seconds."""
    return Log(
        key=f"{name}-{at}-{session}",
        time_ns=int(at * S),
        scope="codex_otel.log_only",
        attributes={"event.name": f"codex.{name}", "conversation.id": session, "model": "gpt-0", **attributes},
    )


def stream(at: float, kind: str, **attributes: Any) -> Log:
    """An event of the model's stream."""
    return told("sse_event", at, **{"event.kind": kind, **attributes})


def result(at: float, output: Any, *, tool: str = "exec_command", call: str = "c1", **attributes: Any) -> Log:
    """A result of a tool; of a command unless it says otherwise."""
    given = {"arguments": '{"cmd": "make test"}', "success": "true", "duration_ms": "500", **attributes}
    return told("tool_result", at, tool_name=tool, call_id=call, output=output, **given)


def span(span_id: str, name: str, start: float, end: float, *events: SpanEvent, **attributes: Any) -> Span:
    """A span of Codex."""
    return Span(
        trace_id=TRACE,
        span_id=span_id * 16,
        name=name,
        start_ns=int(start * S),
        end_ns=int(end * S),
        scope="codex_exec",
        attributes=attributes,
        events=events,
    )


def record(items: Sequence[Span | Log]) -> RunRecord:
    """The only record of these items."""
    [only] = compact(items, now_ns=LATER)
    return only


PROMPT = told("user_prompt", 1, prompt="Fix it.", prompt_length="7", **{"app.version": "0.1"})
REQUEST = told("api_request", 2, duration_ms="500", **{"http.response.status_code": "200"})
ANSWER = [
    REQUEST,
    stream(3, "response.output_text.delta"),
    stream(4, "response.completed", input_token_count="7", output_token_count="5", cached_token_count="1"),
]
ASKED = [
    REQUEST,
    stream(3, "response.function_call_arguments.done"),
    stream(4, "response.completed", input_token_count="7", output_token_count="5"),
]


@pytest.mark.parametrize(
    ("success", "output", "outcome", "code", "calls"),
    [
        pytest.param("true", "Process exited with code 0\nOutput:\nok\n", "passed", 0, (0, 0, 0), id="exit-0"),
        pytest.param("true", "Exit code: 2\nWall time: 1 s\nOutput:\n", "failed", 2, (0, 0, 0), id="exit-2"),
        pytest.param("false", "Exit code: 2\nWall time: 1 s\nOutput:\n", "failed", 2, (0, 0, 0), id="not-success"),
        pytest.param("false", "Exit code: 0\nWall time: 1 s\nOutput:\n", "unknown", 0, (1, 0, 0), id="contradiction"),
        pytest.param(
            True, "Process exited with code 1\nOutput:\nProcess exited with code 0\n", "failed", 1, (0, 0, 0), id="echo"
        ),
        pytest.param(
            "true", "Process running with session ID 9\nOutput:\nexit code: 0\n", "unknown", None, (0, 0, 0), id="runs"
        ),
        pytest.param(
            "true", "Exit code: 124\nOutput:\ncommand timed out after 9 ms\n", "timed_out", 124, (1, 0, 0), id="limit"
        ),
        pytest.param("true", "Exit code: 124\nOutput:\nelse\n", "failed", 124, (0, 0, 0), id="its-own-124"),
        pytest.param(
            "true", '{"output": "x", "metadata": {"exit_code": 3}}', "failed", 3, (0, 0, 0), id="older-versions"
        ),
        pytest.param("false", "exec command rejected by user", "denied", None, (1, 1, 0), id="by-user"),
        pytest.param("false", 'CreateProcess { message: "Rejected(x)" }', "denied", None, (1, 1, 0), id="by-policy"),
        pytest.param("false", "CreateProcess { message: x }", "not_started", None, (1, 0, 0), id="not-started"),
        pytest.param("false", "something else", "failed", None, (1, 0, 0), id="tool-failed"),
        pytest.param("false", "aborted by user after 3.1s", "unknown", None, (0, 0, 1), id="aborted"),
        pytest.param("true", '{"isError": true, "content": []}', "failed", None, (1, 0, 0), id="its-result-says-so"),
        pytest.param("true", "aborted", "unknown", None, (0, 0, 1), id="aborted-though-successful"),
        pytest.param("true", None, "unknown", None, (0, 0, 0), id="no-output"),
    ],
)
def test_a_command_is_what_its_exit_code_says(
    success: Any, output: Any, outcome: str, code: int | None, calls: tuple[int, int, int]
) -> None:
    """``success`` means that the tool ran; the line above the output tells, and no line in the output."""
    found = record([PROMPT, result(5, output, success=success)])
    [command] = found.commands
    assert (command.command, command.result, command.exit_code) == ("make test", outcome, code)
    assert command.started == "1970-01-01T00:00:04.500Z"
    [tool] = found.tool_calls
    assert (tool.failed, tool.denied, tool.cancelled) == calls
    assert [gate.outcome for gate in found.gates] == ["deny"] * calls[1]


def test_a_process_that_runs_on_ends_with_the_poll_that_sees_its_end() -> None:
    """Its result, output and duration are told by later calls; the polls are calls, and no commands."""
    polls = [
        result(6, "Process running with session ID 9\nOutput:\nb\n", tool="write_stdin", call="c2"),
        result(8, "Process exited with code 0\nOutput:\nc\n", tool="write_stdin", call="c3"),
        result(9, "Process exited with code 1\nOutput:\nd\n", tool="write_stdin", call="c4"),
        result(9.5, "write_stdin failed: Unknown process id 9", tool="write_stdin", call="c5", success="false"),
    ]
    asked = [
        poll.__class__(
            key=poll.key,
            time_ns=poll.time_ns,
            scope=poll.scope,
            attributes={**poll.attributes, "arguments": '{"session_id": 9, "chars": ""}'},
        )
        for poll in polls
    ]
    found = record([PROMPT, result(5, "Process running with session ID 9\nOutput:\na\n"), *asked])
    [command] = found.commands
    assert (command.result, command.exit_code, command.duration_s) == ("passed", 0, 3.5)
    assert command.output is not None
    assert command.output.tail == "a\nb\nc"
    assert {tool.name: tool.calls for tool in found.tool_calls} == {"exec_command": 1, "write_stdin": 4}


def test_a_patch_that_did_not_apply_changed_nothing() -> None:
    """Neither where the tool failed, nor where its exit code says so."""
    patch = "*** Begin Patch\n*** Update File: {}\n@@\n-a\n+b\n*** End Patch"
    found = record(
        [
            PROMPT,
            result(5, "Exit code: 0\nOutput:\nSuccess.", tool="apply_patch", arguments=patch.format("a.py")),
            result(6, "Exit code: 1\nOutput:\nno", tool="apply_patch", call="c2", arguments=patch.format("b.py")),
            result(7, "no", tool="apply_patch", call="c3", arguments=patch.format("c.py"), success="false"),
        ]
    )
    assert [change.path for change in found.changed_files] == ["a.py"]


def test_a_script_of_tool_calls_is_no_command() -> None:
    """Its calls are told on their own; the same tool with an argument by name runs a command."""
    found = record(
        [
            PROMPT,
            result(5, "{}", tool="exec", arguments="await tools.exec_command({cmd: 'x'})"),
            result(6, "Exit code: 0\nOutput:\n", tool="exec", call="c2", arguments='{"cmd": "make"}'),
        ]
    )
    assert [command.command for command in found.commands] == ["make"]


def test_a_call_counts_once_and_one_without_an_id_each_time() -> None:
    """Results come again in copies; a tool that failed before it had an id has none."""
    again = [result(5, "x"), result(5.5, "x")]
    unnamed = [result(at, "unknown tool", tool="nope", call="", success="false") for at in (6, 7)]
    found = record([PROMPT, *again, *unnamed])
    assert {tool.name: tool.calls for tool in found.tool_calls} == {"exec_command": 1, "nope": 2}


def test_decisions_are_told_where_somebody_made_them() -> None:
    """A configuration that lets a call run is nobody's decision; a refused call is one even without a result."""
    found = record(
        [
            PROMPT,
            told("tool_decision", 5, tool_name="exec_command", call_id="c1", decision="approved", source="Config"),
            result(6, "Exit code: 0\nOutput:\n"),
            told("tool_decision", 7, tool_name="exec_command", call_id="c2", decision="Approved", source="User"),
            result(8, "Exit code: 0\nOutput:\n", call="c2"),
            told("tool_decision", 9, tool_name="apply_patch", call_id="c3", decision="denied", source="User"),
            told("tool_decision", 10, tool_name="exec_command", call_id="c4", decision="approved", source="Config"),
        ]
    )
    assert [(gate.tool, gate.outcome, gate.policy) for gate in found.gates] == [
        ("exec_command", "allow", "User"),
        ("apply_patch", "deny", None),
    ]
    calls = {tool.name: (tool.calls, tool.denied) for tool in found.tool_calls}
    assert calls == {"apply_patch": (1, 1), "exec_command": (3, 0)}
    assert limits.COMMANDS_UNTOLD in found.capture.limits


def test_a_call_that_was_broken_off_is_cancelled() -> None:
    """Its span says so."""
    decision = told("tool_decision", 5, tool_name="exec_command", call_id="c1", decision="approved")
    ran = span("1", "exec_command", 5, 6, **{"conversation.id": "s1", "call_id": "c1", "aborted": True})
    [tool] = record([PROMPT, decision, ran]).tool_calls
    assert tool.cancelled == 1


def test_model_calls_are_responses_and_failures() -> None:
    """A request that went through is told by its response; each failed request or stream is a call of its own."""
    found = record(
        [
            PROMPT,
            told("api_request", 2, duration_ms="500", **{"http.response.status_code": 503}),
            told("api_request", 3, **{"error.message": "connection refused"}),
            stream(3.5, "response.failed", **{"error.message": "overloaded"}),
            *(
                Log(key=f"x{log.key}", time_ns=log.time_ns + 3 * S, scope=log.scope, attributes=log.attributes)
                for log in ANSWER
            ),
        ]
    )
    assert (found.usage.model_calls, found.usage.failed_model_calls) == (4, 3)
    assert (found.usage.input_tokens, found.usage.output_tokens, found.usage.cache_read_tokens) == (7, 5, 1)
    assert found.agent.models == ("gpt-0",)
    assert (found.outcome, found.failures) == ("ended", ())


def test_responses_without_tokens_count_too() -> None:
    """Where a provider tells of none, each response has one event in place of two."""
    found = record([PROMPT, stream(3, "response.output_text.delta"), stream(4, "response.completed")])
    assert (found.usage.model_calls, found.usage.input_tokens, found.outcome) == (1, None, "ended")


@pytest.mark.parametrize(
    ("items", "outcome", "lost"),
    [
        pytest.param(ANSWER, "ended", False, id="answered"),
        pytest.param([stream(3, "response.output_text.done"), ANSWER[-1]], "ended", False, id="without-requests"),
        pytest.param(ASKED, "interrupted", False, id="asked-for-a-tool"),
        pytest.param(ANSWER[:2], "interrupted", False, id="in-the-middle-of-a-response"),
        pytest.param([*ASKED, result(5, "x")], "interrupted", False, id="after-a-tool"),
        pytest.param([*ANSWER, result(5, "x", duration_ms=None)], "interrupted", False, id="a-tool-after-an-answer"),
        pytest.param([REQUEST, ANSWER[-1]], "unknown", True, id="kinds-untold"),
        pytest.param([], "unknown", True, id="nothing-but-the-prompt"),
        pytest.param(
            [told("api_request", 3, **{"error.message": "bad", "http.response.status_code": "400"})],
            "failed",
            False,
            id="model-failed",
        ),
        pytest.param(
            [REQUEST, ANSWER[-1], told("agent_response", 4.5, response=" Done. ")], "ended", False, id="final-message"
        ),
        pytest.param(
            [ANSWER[-1], REQUEST, stream(6, "response.output_text.done"), stream(7, "response.completed")],
            "ended",
            False,
            id="second-response",
        ),
        pytest.param(
            [ANSWER[-1], stream(6, "response.output_text.done"), stream(7, "response.completed")],
            "ended",
            False,
            id="second-response-without-requests",
        ),
    ],
)
def test_a_turn_is_over_when_the_model_spoke_and_asked_for_nothing(items: list[Log], outcome: str, lost: bool) -> None:
    """Log records alone have no end of a turn; where they cannot tell it, the outcome is unknown."""
    found = record([PROMPT, *items])
    assert (found.outcome, limits.TAIL_LOST in found.capture.limits) == (outcome, lost)
    assert (found.agent.name, found.agent.version, found.task.objective) == ("codex", "0.1", "Fix it.")


def test_the_final_message_is_a_claim() -> None:
    """Later versions log it, where that is switched on."""
    found = record([PROMPT, told("agent_response", 4.5, response=" Done. ")])
    assert [claim.text for claim in found.claims] == ["Done."]
    assert limits.FINAL_MESSAGE_UNTOLD not in found.capture.limits
    assert not record([PROMPT, told("agent_response", 4.5, response=" ")]).claims


def test_a_prompt_that_is_not_told_is_a_limit() -> None:
    """It is left out unless the user asks for it."""
    found = record([told("user_prompt", 1, prompt="[REDACTED]"), *ANSWER])
    assert (found.task.objective, limits.PROMPT_UNTOLD in found.capture.limits) == (None, True)


def test_a_session_without_a_prompt_begins_with_what_is_first_known() -> None:
    """Its beginning may have been lost."""
    found = record(ANSWER)
    assert (found.run_id, found.outcome, found.started) == ("s1", "ended", "1970-01-01T00:00:02.000Z")


def test_a_resumed_session_is_one_run_with_the_first_task() -> None:
    """Its second process ends it anew."""
    found = record([PROMPT, *ANSWER, told("user_prompt", 20, prompt="And more.")])
    assert (found.task.objective, found.outcome) == ("Fix it.", "unknown")


def test_sub_agents_are_runs_of_their_own_where_they_name_their_parent() -> None:
    """Their last word does; without it they cannot be found from the session that started them."""
    spawn = result(5, "{}", tool="spawn_agent", arguments="{}")
    child = [
        told("user_prompt", 6, "s2", prompt="Look."),
        told("agent_response", 7, "s2", response="Seen.", **{"parent.conversation.id": "s1"}),
    ]
    main, sub = compact([PROMPT, spawn, *child], now_ns=LATER)
    assert (main.run_id, sub.run_id, sub.parent_run) == ("s1", "s2", "s1")
    assert limits.SUB_AGENTS_UNLINKED in main.capture.limits


def test_sub_agents_are_found_by_what_the_call_that_started_them_returned() -> None:
    """Their session or their path; nobody is started by themselves."""
    by_id = result(5, '{"agent_id": "session-2"}', tool="spawn_agent", arguments="{}")
    by_path = result(6, '{"task_name": "/root/explorer"}', tool="spawn_agent", call="c2", arguments="{}")
    one = told("user_prompt", 7, "session-2", prompt="Look.")
    two = [
        told("user_prompt", 8, "session-3", prompt="Search."),
        told("tool_result", 9, "session-3", tool_name="x", call_id="c3", agent_name="/root/explorer"),
        told("tool_result", 9.5, "session-3", tool_name="spawn_agent", call_id="c4", output="session-3"),
    ]
    main, *subs = compact([PROMPT, by_id, by_path, one, *two], now_ns=LATER)
    assert [(sub.run_id, sub.parent_run) for sub in subs] == [("session-2", "s1"), ("session-3", "s1")]
    assert limits.SUB_AGENTS_UNLINKED not in main.capture.limits
    _, sub = compact([PROMPT, by_path, *two[:2]], now_ns=LATER)
    assert (sub.run_id, sub.parent_run) == ("session-3", "s1")


def on_span(name: str, at: float, **attributes: Any) -> SpanEvent:
    """The copy of an event on a span, under the name that spans give it."""
    named = {"event.name": f"codex.{name}", "conversation.id": "s1", **attributes}
    return SpanEvent(name="event otel/src/x.rs:1", time_ns=int(at * S), attributes=named)


TURN = span("1", "session_task.turn", 1, 9, **{"thread.id": "s1", "turn.id": "t"})
COPIES = [
    span("2", "hooks", 2, 3, on_span("user_prompt", 2, prompt_length=7, model="gpt-0"), on_span("upkeep", 2)),
    span("3", "dispatch", 5, 6, on_span("tool_result", 6, call_id="c1", tool_name="exec_command", success="true")),
    span("4", "handle_responses", 4, 5, **{"gen_ai.usage.output_tokens": "5", "gen_ai.usage.input_tokens": "7"}),
]


def test_spans_alone_give_turns_calls_and_tokens() -> None:
    """Without content, and the record says what it lacks."""
    answered = span("6", "request", 7, 8, on_span("api_request", 7, **{"http.response.status_code": "200"}))
    found = record([TURN, *COPIES, answered])
    assert (found.outcome, found.started, found.duration_s) == ("ended", "1970-01-01T00:00:01.000Z", 8.0)
    assert [(tool.name, tool.calls) for tool in found.tool_calls] == [("exec_command", 1)]
    assert (found.usage.model_calls, found.usage.output_tokens) == (1, 5)
    assert found.agent.models == ("gpt-0",)
    assert {limits.CONTENT_OFF, limits.EXIT_CODES_UNTOLD, limits.PROMPT_UNTOLD} <= set(found.capture.limits)
    assert not found.capture.unrecognised


def test_copies_on_spans_are_not_counted_beside_log_records() -> None:
    """The span of a turn adds its times."""
    found = record([TURN, *COPIES, PROMPT, *ANSWER, result(1.5, "Exit code: 0\nOutput:\n")])
    assert [(tool.name, tool.calls) for tool in found.tool_calls] == [("exec_command", 1)]
    assert (found.usage.model_calls, found.duration_s) == (1, 8.0)


def test_what_log_records_lost_is_read_off_the_spans() -> None:
    """Where the model failed for good, the last batch of records may not arrive."""
    items = [TURN, PROMPT, *ASKED, result(5, "Exit code: 1\nOutput:\n")]
    known = on_span("api_request", 2.01, **{"http.response.status_code": "200"})
    failed = on_span("api_request", 8, **{"http.response.status_code": "400", "error.message": "bad request"})
    unlogged = on_span("tool_result", 5, call_id="c9", tool_name="view_image", success="true")
    found = record([*items, span("6", "request", 7, 8, known, failed, unlogged)])
    assert (found.outcome, found.usage.model_calls, found.usage.failed_model_calls) == ("failed", 2, 1)
    assert {tool.name: tool.calls for tool in found.tool_calls} == {"exec_command": 1, "view_image": 1}


def test_a_turn_that_ends_in_the_middle_of_its_work_has_no_known_outcome() -> None:
    """It was broken off if a call was; otherwise what came last is not told."""
    found = record([TURN, PROMPT, *ASKED, result(5, "Exit code: 1\nOutput:\n")])
    assert (found.outcome, limits.TAIL_LOST in found.capture.limits) == ("unknown", True)
    broken = span("5", "exec_command", 5, 6, call_id="c2", aborted=True, **{"conversation.id": "s1"})
    decision = told("tool_decision", 6, tool_name="exec_command", call_id="c2", decision="approved")
    assert record([TURN, PROMPT, *ASKED, decision, broken]).outcome == "interrupted"


def test_a_turn_of_which_only_the_span_came_is_a_run_that_says_little() -> None:
    """Its thread is told under a name that threads of the process have as well."""
    found = record([TURN, span("5", "worker", 1, 2, **{"thread.id": "7"})])
    assert (found.run_id, found.outcome, found.agent.name) == ("s1", "unknown", "codex")


def test_housekeeping_makes_no_run() -> None:
    """Nor does a session in which nothing was asked."""
    upkeep = span("1", "append_items", 1, 2, item_count="2")
    assert compact([upkeep, told("conversation_starts", 1)], now_ns=LATER) == []


def test_log_events_are_known_by_their_names_whatever_their_scope() -> None:
    """Collectors may lose it; events of others are left alone."""
    [codex] = [dialect for dialect in DIALECTS if dialect.name == "codex"]
    assert codex.claims(Log(key="1", time_ns=1, attributes={"event.name": "codex.user_prompt"}))
    assert codex.claims(Span(trace_id=TRACE, span_id="1", scope="Codex Desktop"))
    assert not codex.claims(Log(key="1", time_ns=1, attributes={"event.name": "other"}))
    assert not codex.claims(Span(trace_id=TRACE, span_id="1", name="session_task.turn"))
    nameless = Log(key="1", time_ns=S, attributes={"event.name": "codex.user_prompt", "prompt": "Fix it."})
    assert record([nameless]).task.objective == "Fix it."
