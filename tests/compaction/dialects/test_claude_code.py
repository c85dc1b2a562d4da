"""Claude Code: what its events and spans come to, also in settings of which there is no capture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.table import DIALECTS
from agent_otel.model import limits, names
from agent_otel.model.item import Log, Span, SpanEvent
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
TRACE = "a" * 32


def told(name: str, at: float, **attributes: Any) -> Log:
    """A log event of Claude Code, with its time in seconds."""
    given = {"event.name": name, "session.id": "s1", "app.version": "2.0", **attributes}
    return Log(
        key=f"{name}-{at}-{sorted(map(str, attributes.values()))}",
        time_ns=int(at * S),
        body=f"claude_code.{name}",
        scope="com.anthropic.claude_code.events",
        attributes=given,
    )


def span(span_id: str, kind: str, start: float, end: float, parent: str = "", **attributes: Any) -> Span:
    """A span of Claude Code."""
    return Span(
        trace_id=TRACE,
        span_id=span_id * 16,
        parent_id=parent * 16,
        name=f"claude_code.{kind}",
        start_ns=int(start * S),
        end_ns=int(end * S),
        scope="com.anthropic.claude_code.tracing",
        events=attributes.pop("events", ()),
        status=attributes.pop("status", 0),
        attributes={"span.type": kind, "session.id": "s1", **attributes},
    )


def bash(at: float, line: str = "make test", call: str = "c1", **attributes: Any) -> Log:
    """The result of a command that succeeded, unless it says otherwise."""
    given = {"tool_input": json.dumps({"command": line}), "success": "true", "duration_ms": "500", **attributes}
    return told("tool_result", at, tool_name="Bash", tool_use_id=call, **given)


def request(at: float, request_id: str = "r1", source: str = "sdk", **attributes: Any) -> Log:
    """A model call that took half a second."""
    return told(
        "api_request", at, request_id=request_id, query_source=source, duration_ms=500, model="claude-0", **attributes
    )


def answer(at: float, words: str = "Done.", **attributes: Any) -> Log:
    """Something the agent said."""
    return told("assistant_response", at, response=words, **attributes)


def record(items: Sequence[Span | Log]) -> RunRecord:
    """The only record of these items."""
    [only] = compact(items, now_ns=LATER)
    return only


PROMPT = told("user_prompt", 1, prompt="Fix it.")
FAILED = {"success": "false", "error_type": "ShellError", "error": "Shell command failed"}


@pytest.mark.parametrize(
    ("given", "outcome", "calls"),
    [
        pytest.param({}, "passed", (0, 0), id="success"),
        pytest.param(FAILED, "failed", (1, 0), id="failure"),
        pytest.param({"success": None}, "unknown", (0, 0), id="untold"),
        pytest.param({"success": "false", "error_type": "AbortError"}, "unknown", (0, 1), id="aborted"),
        pytest.param({"line": "grep -q x a.py"}, "unknown", (0, 0), id="no-match-is-no-failure"),
        pytest.param({"line": "cd a && diff x y"}, "unknown", (0, 0), id="a-difference-is-no-failure"),
        pytest.param({"line": "grep -q x a.py; make"}, "passed", (0, 0), id="the-last-program-counts"),
        pytest.param({"duration_ms": "120000"}, "unknown", (0, 0), id="runs-on-in-the-background"),
        pytest.param({"duration_ms": None}, "passed", (0, 0), id="no-duration"),
        pytest.param({"tool_input": '{"command": "make test", "run_in_'}, "unknown", (0, 0), id="input-cut"),
        pytest.param(
            {"tool_input": '{"command": "make test", "run_in_background": true}'}, "unknown", (0, 0), id="background"
        ),
        pytest.param(
            {"tool_input": '{"command": "make test", "timeout": 600000}', "duration_ms": "200000"},
            "passed",
            (0, 0),
            id="within-its-limit",
        ),
        pytest.param(
            {**FAILED, "tool_input": '{"command": "make test", "timeout": 3000}', "duration_ms": "3004"},
            "timed_out",
            (1, 0),
            id="beyond-its-limit",
        ),
        pytest.param(
            {"tool_input": None, "tool_parameters": '{"bash_command": "make", "full_command": "make test"}'},
            "passed",
            (0, 0),
            id="parameters-alone",
        ),
    ],
)
def test_a_command_passed_where_success_can_mean_nothing_else(
    given: dict[str, Any], outcome: str, calls: tuple[int, int]
) -> None:
    """Claude Code reports other exit codes than 0 as failures, but for some programs, and what runs on."""
    found = record([PROMPT, bash(5, **given)])
    [command] = found.commands
    assert (command.command, command.result, command.exit_code) == (given.get("line", "make test"), outcome, None)
    [tool] = found.tool_calls
    assert (tool.failed, tool.cancelled) == calls
    assert limits.EXIT_CODES_UNTOLD in found.capture.limits


def call_in_all_signals() -> list[Span | Log]:
    """One call of a command, in two log events, three spans and the event of a span."""
    output = SpanEvent(name="tool.output", time_ns=6 * S, attributes={"output": "4 passed\nexit code: 1"})
    attempt = SpanEvent(name="other", time_ns=6 * S, attributes={})
    tool = {"tool_name": "Bash", "tool_use_id": "c1"}
    return [
        span("2", "tool", 4, 7, "1", full_command="make test", events=(attempt, output), **tool),
        span("3", "tool.blocked_on_user", 4, 5, "2", decision="accept", source="user_temporary"),
        span("4", "tool.execution", 5, 6, "2", success=True, tool_use_id="c1"),
        told("tool_decision", 5, decision="accept", source="user_temporary", **tool),
        bash(6.5),
    ]


def test_a_call_told_in_all_signals_counts_once() -> None:
    """With the times of its span, and its output; numbers in that are no exit codes."""
    found = record([PROMPT, span("1", "interaction", 1, 9), *call_in_all_signals()])
    assert [(tool.name, tool.calls, tool.duration_s) for tool in found.tool_calls] == [("Bash", 1, 3.0)]
    [command] = found.commands
    assert (command.result, command.span) == ("passed", f"{TRACE}/{'2' * 16}")
    assert command.output is not None
    assert command.output.tail == "4 passed\nexit code: 1"
    assert [(gate.tool, gate.outcome, gate.policy) for gate in found.gates] == [("Bash", "allow", "user_temporary")]


@pytest.mark.parametrize(
    ("places", "outcome"),
    [
        pytest.param((0, 1, 2), "passed", id="spans"),
        pytest.param((2, 3), "unknown", id="without-a-tool-span"),
        pytest.param((0, 1), "unknown", id="without-an-execution"),
        pytest.param((1, 3, 4), "passed", id="a-wait-whose-tool-span-is-missing"),
        pytest.param((3,), "", id="a-decision-alone"),
    ],
)
def test_parts_of_a_call_tell_what_they_can(places: tuple[int, ...], outcome: str) -> None:
    """Each signal may come alone, and a killed agent's spans are in part missing."""
    whole = call_in_all_signals()
    found = record([PROMPT, *(whole[place] for place in places)])
    assert [command.result for command in found.commands] == ([outcome] if outcome and places != (2, 3) else [])
    assert [(tool.name, tool.calls) for tool in found.tool_calls] == [("Bash", 1)]


@pytest.mark.parametrize(
    "rejected",
    [
        pytest.param(
            [told("tool_decision", 5, decision="reject", source="user_reject", tool_name="Bash", tool_use_id="c1")],
            id="event",
        ),
        pytest.param([bash(5, success="false", decision_type="reject", source="user_reject")], id="result"),
        pytest.param(
            [
                span("2", "tool", 4, 5, "1", tool_name="Bash", tool_use_id="c1", full_command="git push"),
                span("3", "tool.blocked_on_user", 4, 5, "2", decision="reject", source="user_reject"),
            ],
            id="spans",
        ),
        pytest.param(
            [told("tool_decision", 5, decision="reject", source="user_reject", tool_name="Bash")], id="without-an-id"
        ),
    ],
)
def test_a_refusal_is_no_run(rejected: list[Span | Log]) -> None:
    """It looks different in each signal; its tool span looks like that of a success."""
    found = record([PROMPT, *rejected])
    assert {command.result for command in found.commands} <= {"denied"}
    assert [(tool.calls, tool.denied) for tool in found.tool_calls] == [(1, 1)]
    assert [(gate.outcome, gate.reason) for gate in found.gates] == [("deny", "rejected by user_reject")]


def test_a_refusal_by_nobody_known_is_one() -> None:
    """Its source may be missing; a decision for a call without an id adds nothing to its result."""
    reject = told("tool_decision", 5, decision="reject", tool_name="Edit", tool_use_id="c1")
    accept = told("tool_decision", 6, decision="accept", source="config", tool_name="Bash")
    found = record([PROMPT, reject, accept, bash(7, call="")])
    assert [gate.reason for gate in found.gates] == ["rejected"]
    assert {tool.name: tool.calls for tool in found.tool_calls} == {"Bash": 1, "Edit": 1}


def test_a_background_command_tells_so_in_its_output() -> None:
    """Where its input is not told."""
    note = SpanEvent(name="tool.output", time_ns=6 * S, attributes={"output": "Command running in background with ID"})
    tool = span("2", "tool", 4, 7, tool_use_id="c1", tool_name="Bash", full_command="make", events=(note,))
    ran = span("4", "tool.execution", 5, 6, "2", success=True)
    [command] = record([tool, ran]).commands
    assert command.result == "unknown"


def test_edits_and_reads_count_where_they_succeeded() -> None:
    """By the paths of spans, too."""
    items = [
        span("2", "tool", 4, 5, tool_use_id="c1", tool_name="Read", file_path="/w/a.py"),
        span("3", "tool.execution", 4, 5, "2", success=True),
        told(
            "tool_result", 6, tool_name="Edit", tool_use_id="c2", success="true", tool_input='{"file_path": "/w/a.py"}'
        ),
        told("tool_result", 7, tool_name="Edit", tool_use_id="c3", success="false", tool_input='{"file_path": "/w/b"}'),
        told("tool_result", 8, tool_name="Edit", tool_use_id="c4", tool_input='{"file_path": "/w/c"}'),
        span("4", "tool.execution", 9, 10, "9", tool_use_id="c5", status=2),
    ]
    found = record([PROMPT, *items])
    assert [file.path for file in found.files_inspected] == ["/w/a.py"]
    assert [change.path for change in found.changed_files] == ["/w/a.py"]
    assert limits.CONTENT_OFF not in found.capture.limits


def test_without_content_the_record_says_so() -> None:
    """Prompts, arguments and words are left out unless the user asks for them."""
    items = [
        told("user_prompt", 1, prompt="<REDACTED>"),
        bash(5, tool_input=None),
        request(6),
        answer(6, "<REDACTED>"),
    ]
    found = record(items)
    untold = {limits.CONTENT_OFF, limits.PROMPT_UNTOLD, limits.FINAL_MESSAGE_UNTOLD}
    assert (found.outcome, untold <= set(found.capture.limits)) == ("ended", True)
    assert (found.task.objective, found.commands, found.claims) == (None, (), ())


def attempts(*times: float) -> tuple[SpanEvent, ...]:
    """Events of the tries of a model call."""
    return tuple(SpanEvent(name="gen_ai.request.attempt", time_ns=int(at * S), attributes={}) for at in times)


def test_a_model_call_told_twice_counts_once() -> None:
    """The span has its times, the event what it cost."""
    tokens = {"input_tokens": 7, "output_tokens": "5", "cache_read_tokens": 1}
    seen = span("2", "llm_request", 3, 4, request_id="r1", model="claude-0", **tokens)
    found = record([PROMPT, seen, request(4, cost_usd=0.5, **tokens), request(6, "r2", cost_usd=0.25), request(8, "")])
    assert (found.usage.model_calls, found.usage.cost_usd, found.usage.input_tokens) == (3, 0.75, 7)
    assert found.agent.models == ("claude-0",)


def test_tries_of_the_model_that_failed_are_calls_that_failed() -> None:
    """Told by their times, or only by the number of the last."""
    again = span("2", "llm_request", 3, 6, success=True, attempt=2, events=attempts(3, 5))
    numbered = span("3", "llm_request", 7, 8, success=True, attempt="3")
    usage = record([PROMPT, again, numbered, request(9)]).usage
    assert (usage.model_calls, usage.failed_model_calls) == (6, 3)


def test_a_model_that_fails_for_good_fails_the_run() -> None:
    """Its interaction ends as if all were well, or is not told."""
    error = told("api_error", 6, error="bad request", status_code="400", request_id="r1", duration_ms=10)
    broken = span("2", "llm_request", 5, 6, success=False, error="bad request", request_id="r1", events=attempts(5, 5))
    for items in ([PROMPT, error], [PROMPT, error, broken, span("1", "interaction", 1, 7)]):
        found = record(items)
        assert found.outcome == "failed"
        assert [(failure.error, failure.error_type) for failure in found.failures][-1][0] == "bad request"
    assert record([told("api_error", 6)]).outcome == "failed"


@pytest.mark.parametrize(
    ("items", "outcome"),
    [
        pytest.param([request(4), answer(4)], "ended", id="answered"),
        pytest.param([request(4)], "ended", id="versions-that-tell-no-answers"),
        pytest.param([bash(2), answer(2.5), request(4)], "interrupted", id="went-on-without-a-word"),
        pytest.param([request(4), answer(4), bash(4.2)], "interrupted", id="called-a-tool"),
        pytest.param(
            [request(4), answer(4), told("tool_decision", 3.9, decision="accept", tool_use_id="c1", tool_name="Bash")],
            "interrupted",
            id="decided-about-a-tool",
        ),
        pytest.param(
            [span("2", "llm_request", 3, 4, stop_reason="tool_use"), answer(4)], "interrupted", id="asked-for-a-tool"
        ),
        pytest.param([request(4), answer(4), request(5, "r2", "prompt_suggestion")], "ended", id="asked-aside"),
        pytest.param([request(4, source="x"), answer(4)], "ended", id="sources-unknown"),
        pytest.param([], "interrupted", id="nothing-but-the-prompt"),
    ],
)
def test_a_turn_is_over_when_the_agent_spoke_and_did_nothing_after(items: list[Span | Log], outcome: str) -> None:
    """Log events alone have no end of a turn."""
    found = record([PROMPT, *items])
    assert (found.outcome, found.agent.name, found.agent.version) == (outcome, "claude-code", "2.0")


def test_an_interaction_ends_with_its_span() -> None:
    """A question aside that comes after it is no turn that was broken off."""
    turn = span("1", "interaction", 1, 5, user_prompt="Fix it.")
    upkeep = told("plugin_loaded", 0.5)
    found = record([upkeep, turn, span("2", "llm_request", 5.5, 6, "1", query_source_safe="session_title")])
    assert (found.task.objective, found.outcome, found.duration_s) == ("Fix it.", "ended", 5.0)
    assert not found.capture.unrecognised


def test_words_are_claims_at_the_end_and_decisions_where_they_are_marked() -> None:
    """What was said before other calls is neither."""
    items = [
        request(3),
        answer(3, "Let me see."),
        bash(4),
        request(5, "r2"),
        answer(5, "Decision: keep the old name."),
        bash(6, call="c2"),
        request(8, "r3"),
        answer(8, " All done. "),
    ]
    found = record([PROMPT, *items])
    assert [decision.option for decision in found.decisions] == ["keep the old name."]
    assert [claim.text for claim in found.claims] == ["All done."]


def test_what_a_sub_agent_reports_is_no_task() -> None:
    """It comes as a prompt, which begins a turn of its own; a session that goes on keeps its first task."""
    report = told("user_prompt", 6, prompt="<task-notification>\n<task-id>x</task-id>\n</task-notification>")
    more = told("user_prompt", 9, prompt="And more.")
    answers = [request(4), answer(4), request(7, "r2"), answer(7), request(10, "r3"), answer(10, "More.")]
    found = record([report, *answers])
    assert (found.task.objective, len(found.claims)) == (None, 1)
    found = record([PROMPT, report, more, *answers])
    assert (found.task.objective, found.outcome) == ("Fix it.", "ended")
    assert [claim.text for claim in found.claims] == ["Done.", "More."]


SUB = {"agent_id": "b1"}


def test_a_sub_agent_is_a_run_of_its_own() -> None:
    """With its calls, though the spans inside of them do not name it, and its end, though it outlives its parent."""
    items = [
        PROMPT,
        span("1", "interaction", 1, 5),
        span("2", "tool", 2, 3, "1", tool_name="Agent", tool_use_id="c1"),
        span("3", "tool.execution", 2, 3, "2", tool_use_id="c1", success=True),
        span("4", "llm_request", 2.5, 3, "3", query_source_safe="agent.builtin.explore", **SUB),
        span("5", "tool", 6, 7, "3", tool_name="Bash", tool_use_id="c2", full_command="make", **SUB),
        span("6", "tool.execution", 6, 7, "5", tool_use_id="c2", success=True),
    ]
    main, sub = compact(items, now_ns=LATER)
    assert (main.run_id, main.outcome, [tool.name for tool in main.tool_calls]) == ("s1", "ended", ["Agent"])
    assert (sub.run_id, sub.parent_run, sub.agent.name, sub.outcome) == ("s1/b1", "s1", "explore", "interrupted")
    assert [(command.command, command.result) for command in sub.commands] == [("make", "passed")]
    done = told("subagent_completed", 8, agent_type="general", duration_ms="6000", **SUB)
    main, sub = compact([*items, done], now_ns=LATER)
    assert (sub.outcome, sub.agent.name, sub.duration_s) == ("ended", "general", 6.0)


def test_a_sub_agent_in_log_events_alone_is_one_too() -> None:
    """It ends with an event of its own, or as turns do."""
    items = [PROMPT, request(3), bash(4, **SUB), request(6, "r2", "agent:custom", **SUB), answer(6, "Seen.", **SUB)]
    main, sub = compact(items, now_ns=LATER)
    assert (main.run_id, sub.run_id, sub.parent_run, sub.outcome, sub.agent.name) == (
        "s1",
        "s1/b1",
        "s1",
        "ended",
        "custom",
    )
    assert [claim.text for claim in sub.claims] == ["Seen."]


def test_a_sub_agent_is_a_run_of_its_own_inside_of_a_run_that_launched_it_all() -> None:
    """Claude Code copies what its resource says, so that each item seems to name the run itself."""
    run = {names.RUN_ID: "run"}
    items = [PROMPT, request(3), answer(3), request(4, "r2", agent_id="b1"), answer(4, agent_id="b1")]
    copied = [replace(item, resource=run, attributes={**item.attributes, **run}) for item in items]
    main, sub = compact(copied, now_ns=LATER)
    assert (main.run_id, sub.run_id, sub.parent_run, main.outcome) == ("run", "s1/b1", "run", "ended")


def spawn(at: float, call: str, prompt: str) -> Log:
    """A call that started a sub-agent."""
    given = json.dumps({"prompt": prompt, "subagent_type": "x"})
    return told("tool_result", at, tool_name="Agent", tool_use_id=call, success="true", tool_input=given)


def tasks(items: Sequence[Span | Log]) -> dict[str, str | None]:
    """The tasks of all runs."""
    return {run.run_id: run.task.objective for run in compact(items, now_ns=LATER)}


def test_a_sub_agent_has_the_task_of_the_call_that_started_it() -> None:
    """By its place, by its report, or because there is no other; not where the session's own task is not told."""
    one, two = spawn(3, "c1", "Look."), spawn(3, "c2", "Search.")
    subs = [request(4, "r1", agent_id="b1"), request(4, "r2", agent_id="b2")]
    assert tasks([PROMPT, one, subs[0]]) == {"s1": "Fix it.", "s1/b1": "Look."}
    assert tasks([PROMPT, one, two, *subs]) == {"s1": "Fix it.", "s1/b1": None, "s1/b2": None}
    assert tasks([request(1), one, subs[0]]) == {"s1": None, "s1/b1": None}
    assert tasks([PROMPT, told("tool_result", 3, tool_name="Task", tool_use_id="c1"), subs[0]])["s1/b1"] is None
    report = "<task-notification>\n<task-id>b2</task-id>\n<tool-use-id>c2</tool-use-id>\n</task-notification>"
    reported = told("user_prompt", 9, prompt=report)
    assert tasks([PROMPT, one, two, *subs, reported])["s1/b2"] == "Search."
    nested = [
        span("2", "tool", 2, 3, "1", tool_name="Agent", tool_use_id="c2"),
        span("3", "tool.execution", 2, 3, "2", tool_use_id="c2", success=True),
        span("4", "llm_request", 2.5, 3, "3", agent_id="b2"),
    ]
    assert tasks([PROMPT, one, two, *subs, *nested])["s1/b2"] == "Search."


def test_edits_have_the_lines_of_their_hunks() -> None:
    """Where their spans tell them."""
    hunks = json.dumps([{"lines": [" a", "-b", "+c", "+d"]}, {"lines": None}, 5])
    output = SpanEvent(name="tool.output", time_ns=5 * S, attributes={"diff": hunks})
    edit = span("2", "tool", 4, 5, tool_use_id="c1", tool_name="Edit", file_path="a.py", events=(output,))
    [change] = record([PROMPT, edit, span("3", "tool.execution", 4, 5, "2", success=True)]).changed_files
    assert (change.lines_added, change.lines_removed) == (2, 1)


def test_words_alone_give_a_record() -> None:
    """Nothing else may have come of it."""
    assert record([answer(3)]).capture.unrecognised == 0
    assert record([told("tool_decision", 3, decision="accept")]).capture.logs == 1


def test_start_up_and_upkeep_make_no_run() -> None:
    """A session in which nothing was asked says nothing."""
    hook = span("1", "hook", 1, 2)
    assert compact([told("plugin_loaded", 1), hook], now_ns=LATER) == []


def test_log_events_are_known_by_their_bodies_whatever_their_scope() -> None:
    """Collectors may lose it; a session may be lost as well."""
    [claude] = [dialect for dialect in DIALECTS if dialect.name == "claude-code"]
    assert claude.claims(Log(key="1", time_ns=1, body="claude_code.user_prompt"))
    assert not claude.claims(Log(key="1", time_ns=1, body="other"))
    assert not claude.claims(Span(trace_id=TRACE, span_id="1", name="claude_code.tool"))
    nameless = Log(key="1", time_ns=S, body="claude_code.user_prompt", attributes={"prompt": "Fix it."})
    assert record([nameless]).task.objective == "Fix it."


def test_failures_are_told_apart_though_log_events_name_no_span_of_their_own() -> None:
    """A failed command is one failure, and a failed call of another tool is another."""
    read = told("tool_result", 6, tool_name="Read", tool_use_id="c2", success="false", error="no such file")
    failures = record([PROMPT, bash(5, **FAILED), read]).failures
    assert [(failure.command, failure.tool) for failure in failures] == [("make test", None), (None, "Read")]
