"""Compaction of small groups, made by hand: what each pass does with what real telemetry does to it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.compaction.compact import MOST_KIN, compact
from agent_otel.compaction.paths import common_root, normalise
from agent_otel.compaction.policy import Policy
from agent_otel.compaction.reading import values
from agent_otel.model import names
from agent_otel.model.item import Log, Span, SpanEvent
from agent_otel.model.record import RunRecord, encode

TRACE = "a" * 32
S = 1_000_000_000
LATER = 10**6 * S
_ids = itertools.count(1)


def span(operation: str = "", start: int = 0, end: int = 1, *, parent: str = "", **rest: Any) -> Span:
    """A span, with times in seconds; ``rest`` are its fields, or attributes under their constants' names."""
    fields = {name: rest.pop(name) for name in list(rest) if name in Span.__struct_fields__}
    attributes = {getattr(names, name): value for name, value in rest.items()} | fields.pop("attributes", {})
    if operation:
        attributes[names.OPERATION_NAME] = operation
    return Span(
        trace_id=fields.pop("trace_id", TRACE),
        span_id=fields.pop("span_id", f"{next(_ids):016x}"),
        parent_id=parent,
        start_ns=S + start * S,
        end_ns=(S + end * S) if end else 0,
        attributes=attributes,
        **fields,
    )


def own(operation: str, start: int = 0, end: int = 1, **rest: Any) -> Span:
    """A span of this SDK."""
    return span(operation, start, end, scope=names.SCOPE, **rest)


def event(name: str, at: int = 0, **attributes: Any) -> SpanEvent:
    """An event of a span, with its time in seconds."""
    given = {getattr(names, key): value for key, value in attributes.items()}
    return SpanEvent(
        name=name, time_ns=S + at * S, attributes={names.RUN_ID: "run", names.EVENT_ID: f"e{next(_ids)}", **given}
    )


def run(*events: SpanEvent, end: int = 9, **rest: Any) -> Span:
    """The span of a run of this SDK."""
    return own("invoke_agent", 0, end, events=events, RUN_ID="run", AGENT_NAME="fixer", RUN_OUTCOME="ended", **rest)


def records(*items: Span | Log, **policy: Any) -> list[RunRecord]:
    """The records of a group."""
    return compact(items, now_ns=LATER, policy=Policy(**policy))


def record(*items: Span | Log, **policy: Any) -> RunRecord:
    """The one record of a group."""
    (found,) = records(*items, **policy)
    return found


def messages(*told: tuple[str, str]) -> str:
    """Messages in the form of the conventions."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": said}]} for role, said in told])


def tool(name: str, arguments: Any, result: Any, start: int = 1, **rest: Any) -> Span:
    """A tool span in the GenAI conventions."""
    return span(
        "execute_tool",
        start,
        start + 1,
        TOOL_NAME=name,
        TOOL_CALL_ARGUMENTS=json.dumps(arguments),
        TOOL_CALL_RESULT=result,
        **rest,
    )


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_a_record_stays_an_index() -> None:
    """Long texts and lists are cut, keep both ends, and the record says which (G10)."""
    risks = [event(names.RISK_NOTED, number, RISK_TEXT=f"risk {number} " + "x" * 500) for number in range(20)]
    bounded = record(run(*risks), max_entries=5, max_text=100)
    assert [risk[:8] for risk in bounded.open_risks] == ["risk 0 x", "risk 1 x", "risk 2 x", "risk 18 ", "risk 19 "]
    assert all(len(risk.encode()) <= 100 for risk in bounded.open_risks)
    assert bounded.capture.truncated
    assert "open_risks: 5 of 20" in bounded.capture.limits
    assert "text-cut" in bounded.capture.limits


def test_only_what_is_too_long_is_cut() -> None:
    """A long text in one entry leaves its neighbours, and the list, as they are."""
    told = [event(names.CONTEXT_LOADED, at, CONTEXT_NAME=name) for at, name in enumerate(["a" * 500, "b"])]
    bounded = record(run(*told), max_entries=5, max_text=100)
    assert [(len(source.name) <= 100, source.span is not None) for source in bounded.context_sources] == [
        (True, True)
    ] * 2
    assert bounded.context_sources[1].name == "b"
    assert bounded.capture.limits == ("text-cut",)


def test_budgets_are_bounded_like_lists() -> None:
    """A sender may invent any number of budgets, of any name."""
    spent = [event(names.BUDGET_EXCEEDED, at, BUDGET_NAME=f"b{at} " + "x" * 500) for at in range(9)]
    bounded = record(run(*spent), max_entries=3, max_text=100)
    assert [name[:3] for name in bounded.budgets] == ["b0 ", "b1 ", "b8 "]
    assert all(len(name) <= 100 and budget.exceeded for name, budget in bounded.budgets.items())
    assert bounded.capture.limits == ("budgets: 3 of 9", "text-cut")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=300), max_size=30), st.integers(2, 10), st.integers(64, 200))
def test_no_text_and_no_list_is_longer_than_the_policy(texts: list[str], entries: int, size: int) -> None:
    """Whatever is recorded, the document keeps to its limits."""
    told = [event(names.CONTEXT_LOADED, CONTEXT_NAME=text) for text in texts]
    bounded = record(run(*told), max_entries=entries, max_text=size)
    assert len(bounded.context_sources) <= entries
    assert all(len(source.name.encode()) <= size for source in bounded.context_sources)


# -- what is and is not a run -----------------------------------------------------------------------------------------


def test_nothing_recognised_is_a_record_that_says_so() -> None:
    """Foreign spans alone: unknown, and how many were not understood."""
    found = record(span(name="GET /"), span(name="SELECT", parent="f" * 16))
    assert (found.outcome, found.capture.unrecognised, found.capture.root_seen) == ("unknown", 2, False)
    assert found.run_id == f"trace-{TRACE}"


def test_agents_that_were_only_set_up_are_no_run() -> None:
    """``create_agent`` in a trace of its own gives no record; nor does nothing at all."""
    assert records(span("create_agent")) == []
    assert records() == []


def test_logs_without_a_trace_are_a_run_too() -> None:
    """A sender of logs alone is recorded."""
    log = Log(key="k" * 40, time_ns=S, event_name="something", attributes={})
    found = record(log)
    assert (found.run_id, found.outcome, found.capture.logs) == ("log-" + "k" * 16, "unknown", 1)


def test_a_conversation_over_two_traces_is_one_run() -> None:
    """Each trace is a turn; the last one says how it ended."""
    turns = [
        span(
            "invoke_agent",
            10 * number,
            10 * number + 5,
            trace_id=str(number) * 32,
            AGENT_NAME="a",
            CONVERSATION_ID="c-1",
        )
        for number in (1, 2)
    ]
    calls = [
        span(
            "chat",
            10 * n + 1,
            10 * n + 2,
            trace_id=str(n) * 32,
            parent=turns[n - 1].span_id,
            OUTPUT_MESSAGES=messages(("assistant", f"turn {n}")),
        )
        for n in (1, 2)
    ]
    found = record(*turns, *calls)
    assert (found.run_id, found.outcome, len(found.capture.traces)) == ("c-1", "ended", 2)
    assert [claim.text for claim in found.claims] == ["turn 1", "turn 2"]


def test_a_turn_whose_root_is_missing_is_interrupted() -> None:
    """Model calls under a parent that never came: the process was killed."""
    found = record(span("chat", parent="f" * 16, REQUEST_MODEL="m"))
    assert (found.lifecycle, found.outcome) == ("abandoned", "interrupted")
    assert found.capture.orphans == 1


def test_an_agent_of_another_name_is_a_child() -> None:
    """It has a record of its own, with a link; twice the same name are two."""
    lead = span("invoke_agent", 0, 9, AGENT_NAME="lead")
    helpers = [span("invoke_agent", n, n + 1, parent=lead.span_id, AGENT_NAME="helper") for n in (1, 3)]
    found = {each.run_id: each.parent_run for each in records(lead, *helpers)}
    top = f"trace-{TRACE}"
    assert found == {top: None, f"{top}/helper": top, f"{top}/helper-2": top}


@pytest.mark.parametrize(("agents", "runs"), [(["a"], 1), (["a", "b"], 3)])
def test_a_workflow_around_one_agent_is_that_agents_run(agents: list[str], runs: int) -> None:
    """Around several it is a run with a child each."""
    flow = span("invoke_workflow", 0, 9, WORKFLOW_NAME="flow")
    below = [span("invoke_agent", n + 1, n + 2, parent=flow.span_id, AGENT_NAME=name) for n, name in enumerate(agents)]
    assert len(records(flow, *below)) == runs


def test_what_is_inside_a_run_of_ours_is_its_own() -> None:
    """Official instrumentations nest: their agents, calls and tokens count to the run around them."""
    ours = run()
    agent = span("invoke_agent", 1, 5, parent=ours.span_id, AGENT_NAME="inner")
    call = span("chat", 2, 3, parent=agent.span_id, INPUT_TOKENS=10, OUTPUT_TOKENS="5", RESPONSE_MODEL="m")
    found = record(ours, agent, call)
    assert (found.run_id, found.usage.model_calls, found.usage.input_tokens, found.usage.output_tokens) == (
        "run",
        1,
        10,
        5,
    )
    assert found.agent.models == ("m",)


def test_what_a_killed_run_leaves_under_it_is_its_own() -> None:
    """The run's span never came; its log events name the run that the orphans belong to."""
    log = Log(
        key="l1", time_ns=S, trace_id=TRACE, span_id="b" * 16, event_name=names.TASK_STARTED, scope=names.SCOPE,
        attributes={names.RUN_ID: "run", names.EVENT_ID: "e", names.TASK_OBJECTIVE: "Fix"},
    )  # fmt: skip
    beat = Log(
        key="l2", time_ns=2 * S, trace_id=TRACE, span_id="b" * 16, event_name=names.RUN_HEARTBEAT, scope=names.SCOPE,
        attributes={names.RUN_ID: "run", names.EVENT_ID: "f", names.RUN_OPEN_SPANS: ["execute_tool run_command sleep"]},
    )  # fmt: skip
    orphan = span("invoke_agent", 1, 2, parent="b" * 16, AGENT_NAME="inner")
    found = record(log, beat, orphan)
    assert (found.run_id, found.lifecycle, found.outcome, found.task.objective) == (
        "run",
        "abandoned",
        "interrupted",
        "Fix",
    )
    assert [each.name for each in found.capture.open_spans] == ["execute_tool run_command sleep"]


# -- outcome ----------------------------------------------------------------------------------------------------------


def agent_run(*calls: Span, **rest: Any) -> RunRecord:
    """A GenAI agent around these calls."""
    agent = span("invoke_agent", 0, 9, AGENT_NAME="a", **rest)
    below = [
        Span(**{**{f: getattr(call, f) for f in Span.__struct_fields__}, "parent_id": agent.span_id}) for call in calls
    ]
    return record(agent, *below)


def test_a_failed_model_call_at_the_end_is_a_failed_run() -> None:
    """The root's silence proves nothing; a later success would."""
    bad = span("chat", 2, 3, status=2, status_message="503", ERROR_TYPE="503")
    good = span("chat", 4, 5, OUTPUT_MESSAGES=messages(("assistant", "done")))
    failed, saved = agent_run(bad), agent_run(bad, good)
    assert (failed.outcome, saved.outcome) == ("failed", "ended")
    assert [failure.error for failure in failed.failures] == ["503"]
    assert (saved.usage.model_calls, saved.usage.failed_model_calls) == (2, 1)


def test_a_cancelled_agent_is_interrupted() -> None:
    """Its span says so."""
    assert agent_run(status=2, ERROR_TYPE="CancelledError").outcome == "interrupted"


def test_a_failed_tool_does_not_fail_the_run() -> None:
    """The agent went on."""
    broken = tool("read_file", {"path": "x"}, "FileNotFoundError: x")
    good = span("chat", 4, 5, OUTPUT_MESSAGES=messages(("assistant", "done")))
    found = agent_run(broken, good)
    assert (found.outcome, found.files_inspected, found.tool_calls[0].failed) == ("ended", (), 1)
    assert [failure.tool for failure in found.failures] == ["read_file"]


def test_an_agent_that_says_nothing_is_unknown() -> None:
    """A bare root span proves neither success nor failure."""
    assert agent_run().outcome == "unknown"


# -- the GenAI dialect ------------------------------------------------------------------------------------------------


def test_a_whole_run_in_the_conventions() -> None:
    """Task, files, commands, decisions and the claim, from messages and tool spans."""
    asked = json.dumps(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "Decision: widen the range"},
                    {"type": "tool_call", "id": "c", "name": "edit_file"},
                ],
            }
        ]
    )
    found = agent_run(
        span("chat", 1, 2, INPUT_MESSAGES=messages(("user", "Fix it")), OUTPUT_MESSAGES=asked),
        tool("read_file", {"path": "./a.py"}, "text", 2),
        tool("run_command", {"command": "pytest"}, {"exit_code": 1}, 3),
        tool("edit_file", {"path": "a.py"}, "edited", 4),
        tool("run_command", {"command": "pytest"}, {"exit_code": 0}, 5),
        span("chat", 7, 8, INPUT_MESSAGES='[{"role": "user', OUTPUT_MESSAGES=messages(("assistant", "all green"))),
    )
    assert found.task.objective == "Fix it"
    assert [each.path for each in found.files_inspected] == ["a.py"]
    assert [(each.path, each.read_before) for each in found.changed_files] == [("a.py", True)]
    assert [each.result for each in found.commands] == ["failed", "passed"]
    assert found.failures[0].resolved_by == "c2"
    assert [each.option for each in found.decisions] == ["widen the range"]
    assert [each.text for each in found.claims] == ["all green"]
    assert found.capture.limits == ("attribute-cut",)


def test_what_tool_spans_leave_out_is_found_in_the_messages() -> None:
    """Arguments in the model's request, results in the next input, by call id."""
    asked = [
        {
            "role": "assistant",
            "tool_calls": [{"id": "c1", "function": {"name": "bash", "arguments": '{"command": "make"}'}}],
        }
    ]
    answered = [{"role": "tool", "tool_call_id": "c1", "content": "exit code: 0"}]
    found = agent_run(
        span("chat", 1, 2, OUTPUT_MESSAGES=json.dumps(asked)),
        span("execute_tool", 3, 4, TOOL_NAME="bash", TOOL_CALL_ID="c1"),
        span("chat", 5, 6, INPUT_MESSAGES=json.dumps(answered)),
    )
    assert [(each.command, each.result) for each in found.commands] == [("make", "passed")]


def test_content_that_was_not_captured_is_a_limit() -> None:
    """A tool without arguments did something nobody told."""
    assert agent_run(span("execute_tool", 1, 2, TOOL_NAME="bash")).capture.limits == ("content-off",)


def test_a_refused_call_is_a_gate_and_changes_nothing() -> None:
    """Denied by policy: no file changed, the command denied."""
    found = agent_run(
        tool("edit_file", {"path": "a.py"}, None, ERROR_TYPE="denied"),
        tool("bash", {"command": "git push"}, None, ERROR_TYPE="denied"),
    )
    assert found.changed_files == ()
    assert [each.result for each in found.commands] == ["denied"]
    assert [each.outcome for each in found.gates] == ["deny", "deny"]


def test_an_edit_that_says_it_did_nothing_changed_nothing() -> None:
    """No match found: the file is as it was."""
    assert agent_run(tool("edit_file", {"path": "a.py"}, "No match found")).changed_files == ()


def test_events_of_the_old_conventions_tell_task_and_claim() -> None:
    """On the span, or as log records that point to it."""
    call = span(
        "chat", 1, 2, parent="", events=(
            SpanEvent(name=names.USER_MESSAGE, time_ns=S, attributes={"content": "Fix it"}),
            SpanEvent(name=names.CHOICE, time_ns=S, attributes={"message": "done"}),
        ),
    )  # fmt: skip
    assert agent_run(call).task.objective == "Fix it"
    assert agent_run(call).claims[0].text == "done"
    bare = span("chat", 1, 2)
    told = [
        Log(
            key="l1",
            time_ns=S,
            trace_id=TRACE,
            span_id=bare.span_id,
            event_name=names.USER_MESSAGE,
            body={"content": "Log it"},
        ),
        Log(
            key="l2",
            time_ns=S,
            trace_id=TRACE,
            span_id=bare.span_id,
            attributes={
                "event.name": names.INFERENCE_DETAILS,
                names.OUTPUT_MESSAGES: messages(("assistant", "logged")),
            },
        ),
    ]
    found = record(bare, *told)
    assert (found.task.objective, [claim.text for claim in found.claims]) == ("Log it", ["logged"])


def test_strands_tells_arguments_and_results_in_events() -> None:
    """On a tool span the old message events are arguments and result."""
    events = (
        SpanEvent(name=names.TOOL_MESSAGE, time_ns=S, attributes={"content": '{"command": "make"}'}),
        SpanEvent(name=names.CHOICE, time_ns=S, attributes={"message": '[{"text": "exit code: 2"}]'}),
    )
    found = agent_run(span("execute_tool", 1, 2, TOOL_NAME="shell", events=events))
    assert [(each.command, each.result) for each in found.commands] == [("make", "failed")]


def test_a_model_call_that_only_a_log_tells_counts() -> None:
    """Senders of logs alone still have model calls and tokens."""
    log = Log(
        key="l", time_ns=S, trace_id=TRACE, span_id="c" * 16, event_name=names.INFERENCE_DETAILS,
        body={names.INPUT_TOKENS: 7, names.INPUT_MESSAGES: [{"role": "user", "content": "Fix"}]},
    )  # fmt: skip
    found = record(log)
    assert (found.usage.model_calls, found.usage.input_tokens, found.task.objective) == (1, 7, "Fix")


def test_the_task_may_stand_on_the_agent_alone() -> None:
    """Where no model call tells it."""
    found = agent_run(attributes={names.PYDANTIC_MESSAGES: messages(("user", "From the agent"))})
    assert found.task.objective == "From the agent"


def test_an_mcp_call_counts_once() -> None:
    """The agent's span, the client's and the server's are one call; so are nested model spans."""
    outer = tool("read_file", {"path": "a"}, "x", 1)
    client = span(
        "",
        1,
        2,
        parent=outer.span_id,
        attributes={names.MCP_METHOD: names.MCP_TOOLS_CALL, names.TOOL_NAME: "read_file"},
    )
    first = span("chat", 3, 6, RESPONSE_ID="r1")
    again = span("chat", 4, 5, parent=first.span_id, RESPONSE_ID="r1")
    found = record(outer, client, first, again)
    assert [(each.name, each.calls) for each in found.tool_calls] == [("read_file", 1)]
    assert found.usage.model_calls == 1


# -- our own dialect --------------------------------------------------------------------------------------------------


def test_our_tool_around_a_frameworks_span_counts_once() -> None:
    """One call, one command: ours states what the other only lets conclude."""
    ours = own("execute_tool", 1, 5, TOOL_NAME="run", RUN_ID="run", events=(command(4, "make", "passed"),))
    theirs = tool("run", {"command": "make"}, {"exit_code": 0}, 2, parent=ours.span_id)
    found = record(run(), ours, theirs)
    assert [(each.name, each.calls) for each in found.tool_calls] == [("run", 1)]
    assert [each.command for each in found.commands] == ["make"]


def test_model_calls_and_evaluations_in_our_scope_are_understood() -> None:
    """A chat span of ours is a model call; a lone evaluation event a verification."""
    call = own("chat", 1, 2, RUN_ID="run", INPUT_TOKENS=3)
    told = event(names.EVALUATION_RESULT, EVALUATION_NAME="unit", EVALUATION_SCORE_LABEL="pass")
    found = record(run(told, event(names.EVALUATION_RESULT)), call)
    assert found.usage.model_calls == 1
    assert [(each.check, each.outcome, each.level) for each in found.verifications] == [("unit", "pass", "claimed")]


def test_events_without_what_they_are_about_say_nothing() -> None:
    """A budget, context, risk or message without its field is no fact."""
    empty = [
        event(name) for name in (names.BUDGET_EXCEEDED, names.CONTEXT_LOADED, names.RISK_NOTED, names.FINAL_MESSAGE)
    ]
    found = record(run(*empty, event("agent_otel.unheard_of")))
    assert (found.context_sources, found.open_risks, found.claims) == ((), (), ())


def test_a_file_that_was_created_edited_and_deleted_was_deleted() -> None:
    """What all edits come to, with the sum of their lines."""
    steps = [
        event(names.FILE_CHANGED, n, FILE_PATH="a.py", FILE_OPERATION=operation, FILE_LINES_ADDED=2)
        for n, operation in enumerate(["create", "edit", "delete"])
    ]
    created = record(run(*steps[:2])).changed_files[0]
    assert (created.operation, created.lines_added, created.edits, created.read_before) == ("create", 4, 2, None)
    assert record(run(*steps)).changed_files[0].operation == "delete"


CHECKS = ['{"name": "unit", "command": "pytest*"}', '{"name": "e2e"}']


def command(at: int, line: str, result: str) -> SpanEvent:
    """A command that the harness saw."""
    told = {"COMMAND_ID": f"id{at}", "COMMAND_LINE": line, "COMMAND_RESULT": result, "COMMAND_DURATION": 0.5}
    return event(names.COMMAND_RUN, at, COMMAND_OBSERVER="harness", **told)


def test_a_command_that_matches_a_required_check_is_a_run_of_it() -> None:
    """Also where nobody declared it; the last one counts, and what nothing ran is not run."""
    task = event(names.TASK_STARTED, TASK_OBJECTIVE="Fix", TASK_REQUIRED_CHECKS=CHECKS)
    found = record(run(task, command(1, "pytest -q", "failed"), command(3, "pytest -q", "passed")))
    told = {each.check: (each.outcome, each.required, each.derived, each.command_id) for each in found.verifications}
    assert told == {"unit": ("pass", True, True, "c2"), "e2e": ("not_run", True, False, None)}
    assert found.skipped_checks == tuple(each.id for each in found.verifications if each.check == "e2e")


def test_a_required_line_that_is_no_known_check_is_one_as_a_whole() -> None:
    """What a contract requires may be any program; its exit code is the check's."""
    task = event(names.TASK_STARTED, TASK_REQUIRED_CHECKS=['{"name": "site", "command": "./site*"}'])
    (check,) = record(run(task, command(1, "./site verify", "passed"))).verifications
    assert (check.check, check.outcome, check.kind, check.required) == ("site", "pass", None, True)


def test_a_check_whose_command_was_refused_did_not_run() -> None:
    """A denied or missing program proves that nothing ever ran."""
    task = event(names.TASK_STARTED, TASK_REQUIRED_CHECKS=CHECKS[:1])
    (check,) = record(run(task, command(1, "pytest", "denied"))).verifications
    assert (check.outcome, check.reason) == ("not_run", "command denied")


def test_one_exception_on_its_way_out_is_one_failure() -> None:
    """It fails every call around it; the innermost tells it."""
    outer = own(
        "execute_tool", 1, 5, TOOL_NAME="outer", RUN_ID="run", status=2, status_message="boom", ERROR_TYPE="ValueError"
    )
    inner = own(
        "execute_tool",
        2,
        4,
        TOOL_NAME="inner",
        RUN_ID="run",
        parent=outer.span_id,
        status=2,
        status_message="boom",
        ERROR_TYPE="ValueError",
    )
    found = record(run(), outer, inner)
    assert [failure.tool for failure in found.failures] == ["inner"]


def test_two_copies_of_a_span_are_settled_without_regard_to_order() -> None:
    """Ended beats open, then the later end; the further copy is counted."""
    ended = run()
    opened = Span(**{**{f: getattr(ended, f) for f in Span.__struct_fields__}, "end_ns": 0, "digest": b"x"})
    one, other = record(ended, opened), record(opened, ended)
    assert encode(one) == encode(other)
    assert (one.lifecycle, one.capture.duplicates) == ("settled", 1)
    log = Log(key="l", time_ns=S, trace_id=TRACE, attributes={names.RUN_ID: "run"}, digest=b"1")
    later = Log(key="l", time_ns=2 * S, trace_id=TRACE, attributes={names.RUN_ID: "run"}, digest=b"2")
    assert encode(record(ended, log, later)) == encode(record(later, ended, log))


def test_the_repository_may_be_told_by_the_resource() -> None:
    """Where the run itself did not say."""
    resource = {names.VCS_REPOSITORY_NAME: "app", names.VCS_REF_NAME: "main", names.VCS_REF_REVISION: "abc"}
    found = record(run(resource=resource, TASK_OBJECTIVE="Fix"))
    assert found.task.objective == "Fix"
    assert (found.base.repository, found.base.branch, found.base.commit) == ("app", "main", "abc")


def test_a_loaded_source_gives_the_digest_of_one_the_contract_names() -> None:
    """Each source stands once, with what is known of it."""
    task = event(names.TASK_STARTED, TASK_CONTEXT_SOURCES=["ADR-1", "ADR-2"])
    loaded = [event(names.CONTEXT_LOADED, 1, CONTEXT_NAME="ADR-1", CONTEXT_DIGEST=digest) for digest in ("d1", "d2")]
    found = record(run(task, *loaded))
    assert [(each.name, each.digest) for each in found.context_sources] == [("ADR-1", "d1"), ("ADR-2", None)]


# -- small things -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("./a//b/../c.py", "", "a/c.py"),
        ("/repo/a.py", "/repo", "a.py"),
        ("/repository/a.py", "/repo", "/repository/a.py"),
        ("file:///repo/a.py", "/repo", "a.py"),
        ("C:\\repo\\a.py", "", "C:/repo/a.py"),
        ("", "", ""),
    ],
)
def test_paths_are_written_in_one_way(path: str, root: str, expected: str) -> None:
    """Forward slashes, no dots, relative to the repository where it is known."""
    assert normalise(path, root) == expected


def test_the_root_is_the_folder_all_others_lie_in() -> None:
    """Where there is none, nothing is guessed."""
    assert common_root(["/r/a", "/r", "relative"]) == "/r"
    assert common_root(["/r", "/s"]) == ""
    assert common_root(["/"]) == ""
    assert common_root([]) == ""


def test_values_of_the_wrong_type_are_nothing() -> None:
    """Attributes come from strangers."""
    assert [values.whole(value) for value in (True, 3, 3.0, 3.5, "-4", "4.0", None)] == [
        None,
        3,
        3,
        None,
        -4,
        None,
        None,
    ]
    assert [values.number(value) for value in (True, 1, 2.5, float("inf"), "1")] == [None, 1.0, 2.5, None, None]
    assert [values.whole(value) for value in (2**63 - 1, 2**63, 1e308, float("nan"))] == [2**63 - 1, None, None, None]
    assert [values.number(value) for value in (10**30, 10**400, 1e308)] == [None, None, 1e308]
    assert values.count(-1) is None
    assert values.texts("a") == ("a",)
    assert values.texts(["a", 1, "b"]) == ("a", "b")
    assert values.texts(7) == ()
    assert values.flag("true") is None
    assert values.loads("{'a': (1, 2)}") == {"a": (1, 2)}
    assert values.loads("{not json") == "{not json"
    assert values.loads("{'a': '\\d'}") == "{'a': '\\d'}"
    assert values.loads("[" * 30_000) == "[" * 30_000
    assert values.loads("[1, 2") == "[1, 2"
    assert values.loads("{1}") == "{1}"
    assert values.loads(r'{"a": ["\ud800", "\ud83d\ude00"]}') == {"a": ["\ufffd", "\U0001f600"]}
    assert values.loads(r"{'\ud800': ('\ud83d\ude00', 1)}") == {"\ufffd": ("\U0001f600", 1)}
    assert values.mapping("[1]") == {}


# -- any order, repetition, mutation ----------------------------------------------------------------------------------

WHOLE = [
    run(
        event(names.TASK_STARTED, TASK_OBJECTIVE="Fix", TASK_REQUIRED_CHECKS=CHECKS),
        command(1, "pytest -q", "failed"),
        command(4, "pytest -q", "passed"),
        span_id="1" * 16,
    ),
    tool("read_file", {"path": "a.py"}, "text", 2, parent="1" * 16, span_id="2" * 16),
    tool("bash", {"command": "make"}, {"exit_code": 1}, 3, parent="1" * 16, span_id="3" * 16),
    span("chat", 5, 6, parent="1" * 16, span_id="4" * 16, INPUT_TOKENS=5, INPUT_MESSAGES=messages(("user", "Fix it"))),
    span("invoke_agent", 1, 7, trace_id="b" * 32, span_id="5" * 16, AGENT_NAME="other", CONVERSATION_ID="c"),
    Log(
        key="l", time_ns=3 * S, trace_id=TRACE, span_id="1" * 16, event_name=names.RUN_HEARTBEAT, scope=names.SCOPE,
        attributes={names.RUN_ID: "run"},
    ),
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.permutations(WHOLE), st.lists(st.sampled_from(WHOLE)))
def test_order_and_repetition_do_not_matter(order: list[Span | Log], again: list[Span | Log]) -> None:
    """The same set of items gives the same bytes (G2)."""
    expected = [encode(each) for each in records(*WHOLE)]
    assert [encode(each) for each in records(*order, *again)] == expected


def test_a_duration_that_cannot_be_starts_the_command_at_the_beginning_of_time() -> None:
    """A sender's nonsense moves one command, and breaks nothing."""
    odd = event(names.COMMAND_RUN, 5, COMMAND_LINE="make", COMMAND_RESULT="passed", COMMAND_DURATION=1e308)
    assert [(each.command, each.started) for each in record(run(odd)).commands] == [("make", None)]


def test_ids_that_are_no_text_are_no_ids() -> None:
    """Events and commands with a list for an id are read like those without one."""
    odd: Any = ["e1"]
    found = record(
        run(
            event(names.VERIFICATION_RAN, EVENT_ID=odd, VERIFICATION_CHECK="unit", VERIFICATION_OUTCOME="pass"),
            event(names.EVALUATION_RESULT, EVENT_ID=odd, EVALUATION_NAME="e2e", EVALUATION_SCORE_LABEL="fail"),
            event(names.COMMAND_RUN, EVENT_ID=odd, COMMAND_ID=odd, COMMAND_LINE="make", COMMAND_RESULT="passed"),
        )
    )
    assert sorted((each.check, each.outcome) for each in found.verifications if not each.derived) == [
        ("e2e", "fail"),
        ("unit", "pass"),
    ]
    assert [each.command for each in found.commands] == ["make"]


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
    st.just({}),
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_shape_of_attributes_breaks_compaction_or_makes_a_failure_pass(data: st.DataObject) -> None:
    """Removed, retyped, truncated: never a crash, never a failed command recorded as passed."""
    mutated = []
    for item in WHOLE:
        attributes = dict(item.attributes)
        for name in list(attributes):
            change = data.draw(st.sampled_from(["keep", "keep", "keep", "drop", "retype", "cut"]))
            if change == "drop":
                del attributes[name]
            elif change == "retype":
                attributes[name] = data.draw(ODD)
            elif change == "cut" and isinstance(attributes[name], str):
                attributes[name] = attributes[name][: data.draw(st.integers(0, len(attributes[name])))]
        fields = {f: getattr(item, f) for f in item.__struct_fields__}
        mutated.append(type(item)(**{**fields, "attributes": attributes}))
    for found in records(*mutated):
        encode(found)
        assert not any(each.result == "passed" and "make" in each.command for each in found.commands)


def test_a_stated_failure_is_that_of_the_last_failed_command_of_its_line() -> None:
    """Told without an id, it is one entry with the observed one; resolved when its check passes by another command."""
    told = event(
        names.FAILURE_SEEN, 3, FAILURE_COMMAND="pytest -x", FAILURE_ERROR="boom", FAILURE_SUSPECTED_CAUSE="typo"
    )
    checks = [
        event(
            names.VERIFICATION_RAN,
            at,
            VERIFICATION_CHECK="unit",
            VERIFICATION_OUTCOME=outcome,
            VERIFICATION_EVIDENCE=[f"id{at - 1}"],
        )
        for at, outcome in ((2, "fail"), (6, "pass"))
    ]
    steps = (command(1, "pytest -x", "failed"), checks[0], told, command(5, "pytest -q", "passed"))
    assert [(each.error, each.command_id, each.resolved_by) for each in record(run(*steps, checks[1])).failures] == [
        ("boom", "c1", "c2")
    ]
    assert [each.resolved_by for each in record(run(*steps)).failures] == [None]


def test_a_run_that_broke_tells_why_once() -> None:
    """The error of the run itself is a failure, unless a tool told the same; one without words is none."""
    broken = own(
        "invoke_agent",
        0,
        9,
        RUN_ID="run",
        RUN_OUTCOME="failed",
        status=2,
        status_message="boom",
        ERROR_TYPE="ValueError",
    )
    inner = own(
        "execute_tool", 2, 4, TOOL_NAME="inner", RUN_ID="run", status=2, status_message="boom", ERROR_TYPE="ValueError"
    )
    silent = own("invoke_agent", 0, 9, RUN_ID="run", RUN_OUTCOME="failed", status=2)
    assert [(each.error, each.tool) for each in record(broken).failures] == [("boom", None)]
    assert [(each.error, each.tool) for each in record(broken, inner).failures] == [("boom", "inner")]
    assert record(silent).failures == ()


def test_a_budget_stands_on_the_run_and_its_crossing_is_an_event() -> None:
    """Limit and use from the span, the crossing from the event."""
    spent = {names.budget_limit("steps"): 2, names.budget_consumed("steps"): 3}
    crossed = event(names.BUDGET_EXCEEDED, 5, BUDGET_NAME="steps", BUDGET_LIMIT=2.0, BUDGET_CONSUMED=3.0)
    budget = record(run(crossed, attributes=spent)).budgets["steps"]
    assert (budget.limit, budget.consumed, budget.exceeded) == (2.0, 3.0, True)


def test_a_call_in_a_call_of_the_same_command_counts_once() -> None:
    """Two tellings of one dialect: the outer one counts. Endless nesting is looked at for a while."""
    outer = tool("bash", {"command": "make"}, {"exit_code": 0}, 1)
    inner = tool("shell", {"command": "make"}, {"exit_code": 0}, 2, parent=outer.span_id)
    found = record(outer, inner)
    assert [each.command for each in found.commands] == ["make"]
    chain = [tool("bash", {"command": "step 0"}, {"exit_code": 0}, 0)]
    for number in range(1, 40):
        chain.append(tool("bash", {"command": f"step {number}"}, {"exit_code": 0}, number, parent=chain[-1].span_id))
    assert [(each.name, each.calls) for each in record(*chain).tool_calls] == [("bash", 1)]


def test_an_edit_told_by_a_framework_and_by_us_is_one_edit() -> None:
    """The tool of ours inside a framework's tool states the edit; the final diff says it in its own way."""
    finished = event(names.RUN_FINISHED, 8, CHANGED_FILES=['{"path": "a.py", "operation": "edit", "added": 3}'])
    whole = run(finished)
    outer = tool("edit_file", {"path": "a.py"}, "done", 2, parent=whole.span_id)
    edit = event(names.FILE_CHANGED, 3, FILE_PATH="./a.py", FILE_OPERATION="edit")
    inner = own("execute_tool", 2, 3, TOOL_NAME="edit_file", RUN_ID="run", parent=outer.span_id, events=(edit,))
    (changed,) = record(whole, outer, inner).changed_files
    assert (changed.path, changed.edits, changed.lines_added, changed.source) == ("a.py", 1, 3, ("git", "tool"))


def test_of_very_many_runs_below_a_run_the_first_are_asked() -> None:
    """What a run was told to do is looked for in the runs below it, and the search has an end."""
    lead = own("invoke_agent", RUN_ID="lead", AGENT_NAME="lead")
    told = event(names.TASK_STARTED, 1, RUN_ID="worker 0", TASK_OBJECTIVE="Fix it")
    workers = [
        own(
            "invoke_agent",
            1 + place,
            9999,
            parent=lead.span_id,
            RUN_ID=f"worker {place}",
            RUN_PARENT="lead",
            events=[told][place:],
        )
        for place in range(MOST_KIN)
    ]
    found = {each.run_id: each for each in records(lead, *workers)}
    assert len(found) == MOST_KIN + 1
    assert found["lead"].task.objective == "Fix it"


def test_a_message_of_which_nobody_asked_is_left_alone() -> None:
    """Only results of wanted call ids are taken from later inputs."""
    answered = [{"role": "tool", "tool_call_id": "other", "content": "exit code: 0"}]
    found = agent_run(
        span("execute_tool", 1, 2, TOOL_NAME="bash", TOOL_CALL_ID="c1", TOOL_CALL_ARGUMENTS='{"command": "make"}'),
        span("chat", 3, 4, INPUT_MESSAGES=json.dumps(answered)),
    )
    assert [each.result for each in found.commands] == ["unknown"]
