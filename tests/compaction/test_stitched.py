"""Plain model clients' calls become runs: by their histories, whatever else is going on."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from agent_otel.compaction.compact import compact
from agent_otel.model import limits, names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
TASK = [{"role": "system", "content": "You help."}, {"role": "user", "content": "Fix the parser."}]
SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"


def call(number: int, given: Sequence[Any], answer: Any, *, at: float, **rest: Any) -> Span:
    """A model call, a trace of its own that takes half a second."""
    attributes = {
        names.OPERATION_NAME: names.CHAT,
        names.REQUEST_MODEL: "m",
        names.INPUT_MESSAGES: json.dumps(list(given)),
        **({names.OUTPUT_MESSAGES: json.dumps([answer])} if answer is not None else {}),
        **rest.pop("attributes", {}),
    }
    return Span(
        trace_id=rest.pop("trace_id", f"{number:032x}"),
        span_id=f"{number:016x}",
        start_ns=int(at * S),
        end_ns=int((at + 0.5) * S),
        scope="litellm",
        attributes=attributes,
        **rest,
    )


def asks(command: str, call_id: str = "", said: str = "Next.") -> dict[str, Any]:
    """An answer that asks for a command."""
    asked = {"id": call_id, "function": {"name": "bash", "arguments": json.dumps({"command": command})}}
    return {"role": "assistant", "content": said, "tool_calls": [asked]}


def gives(call_id: str, code: int, output: str = "") -> dict[str, Any]:
    """The result of a command."""
    content = json.dumps({"returncode": code, "output": output})
    return {"role": "tool", "content": content, **({"tool_call_id": call_id} if call_id else {})}


def session(number: int, *, at: float, commands: Sequence[tuple[str, int]]) -> list[Span]:
    """A whole run: each command asked for and given back, then submitted; a call every second."""
    history, spans = list(TASK), []
    for step, (command, code) in enumerate(commands):
        call_id = f"{number}-{step}"
        spans.append(call(number * 100 + step, history, asks(command, call_id), at=at + step))
        history += [asks(command, call_id), gives(call_id, code)]
    spans.append(call(number * 100 + 99, history, asks(SUBMIT, f"{number}-s", "Done."), at=at + len(commands)))
    return spans


def records(spans: Sequence[Span]) -> list[RunRecord]:
    """The records, in order of their beginnings."""
    return compact(spans, now_ns=10**6 * S)


def one(spans: Sequence[Span]) -> RunRecord:
    """The one record."""
    (record,) = records(spans)
    return record


def ran(record: RunRecord) -> list[tuple[str, str]]:
    """The commands and what became of them."""
    return [(command.command, command.result) for command in record.commands]


STEPS = [("pytest -q", 1), ("sed -i s/a/b/ parser.py", 0), ("pytest -q", 0)]
RAN = [*zip([command for command, _ in STEPS], ["failed", "passed", "passed"], strict=True), (SUBMIT, "unknown")]


def test_calls_that_go_on_with_each_other_are_one_run() -> None:
    """With task, commands, results, an end and last words; what the last call asked for is not known to have run."""
    record = one(session(1, at=1, commands=STEPS))
    assert record.run_id == f"trace-{100:032x}"
    assert ran(record) == RAN
    assert record.task is not None
    assert record.task.objective == "Fix the parser."
    assert [file.path for file in record.changed_files] == ["parser.py"]
    assert (record.lifecycle, record.outcome) == ("settled", "ended")
    assert [claim.text for claim in record.claims] == ["Done."]
    assert record.usage.model_calls == 4
    assert record.agent.dialect == "litellm"


@pytest.mark.parametrize("seed", range(4))
def test_runs_with_one_task_at_one_time_stay_apart(seed: int) -> None:
    """Three begin alike, and alike is what they do; whatever the order in which their spans come."""
    spans = [span for number in (1, 2, 3) for span in session(number, at=number * 0.1, commands=STEPS)]
    random.Random(seed).shuffle(spans)
    found = records(spans)
    assert [ran(record) for record in found] == [RAN] * 3
    assert [record.run_id for record in found] == [f"trace-{number * 100:032x}" for number in (1, 2, 3)]


def test_runs_with_one_task_after_each_other_stay_apart() -> None:
    """The same question once more is another conversation."""
    spans = [span for number in (1, 2) for span in session(number, at=number * 10, commands=STEPS)]
    assert [len(record.commands) for record in records(spans)] == [4, 4]


def test_answers_tell_whose_turn_it_was() -> None:
    """Of calls with one history, the one whose words are repeated is gone on with."""
    spans = [
        call(1, TASK, asks("a", "1", "Left."), at=1),
        call(2, TASK, asks("b", "2", "Right."), at=1),
        call(3, [*TASK, asks("b", "2", "Right."), gives("2", 0)], {"role": "assistant", "content": "Fine."}, at=3),
    ]
    by_name = {record.run_id: ran(record) for record in records(spans)}
    assert by_name == {f"trace-{1:032x}": [("a", "unknown")], f"trace-{2:032x}": [("b", "passed")]}


def test_retries_are_of_the_run() -> None:
    """Seven failures, then an answer: model calls that failed, and no failed tool."""
    storm = [call(number, TASK, None, at=number, status=2, status_message="overloaded") for number in range(1, 8)]
    record = one([*storm, *(call(8, TASK, {"role": "assistant", "content": "Fine."}, at=9),)])
    assert (record.usage.model_calls, record.usage.failed_model_calls) == (8, 7)
    assert record.outcome == "ended"
    assert one(storm).outcome == "failed"


def test_what_is_not_over_has_no_end() -> None:
    """A command was asked for, and nothing is known of what followed."""
    record = one(session(1, at=1, commands=STEPS)[:2])
    assert (record.lifecycle, record.outcome) == ("abandoned", "unknown")
    assert limits.TAIL_LOST in record.capture.limits
    assert ran(record)[-1] == ("sed -i s/a/b/ parser.py", "unknown")
    assert record.changed_files == ()


@pytest.mark.parametrize(("reason", "lifecycle"), [('["tool_calls"]', "abandoned"), ('["stop"]', "settled")])
def test_an_answer_without_its_requests_says_why_it_stopped(reason: str, lifecycle: str) -> None:
    """Where the calls of tools are not recorded."""
    said = {"role": "assistant", "content": "Next."}
    assert one([call(1, TASK, said, at=1, attributes={names.FINISH_REASONS: reason})]).lifecycle == lifecycle


def test_a_call_that_goes_on_has_no_end() -> None:
    """It says nothing of what comes after it."""
    span = call(1, TASK, None, at=1)
    (record,) = compact(
        [Span(**{**{name: getattr(span, name) for name in span.__struct_fields__}, "end_ns": 0})], now_ns=S
    )
    assert record.lifecycle == "open"
    assert record.capture.limits == ()


def test_calls_that_are_lost_leave_their_commands() -> None:
    """The history of a later call has them."""
    record = one([span for at, span in enumerate(session(1, at=1, commands=STEPS)) if at != 1])
    assert ran(record) == RAN


def test_a_history_that_was_cut_short_is_known_by_its_calls() -> None:
    """What was told already is not told again."""
    spans = session(1, at=1, commands=STEPS)
    summary = {"role": "user", "content": "So far: tests fail."}
    rest = [summary, asks("sed -i s/a/b/ parser.py", "1-1"), gives("1-1", 0), asks("pytest -q", "1-2"), gives("1-2", 0)]
    record = one([*spans[:3], call(199, rest, asks(SUBMIT, "1-s"), at=4)])
    assert ran(record) == RAN


def test_a_history_that_belongs_nowhere_tells_nothing_twice() -> None:
    """It was going on while the run did what it tells of; with ids or without, only what is new is told."""
    spans = session(1, at=1, commands=STEPS)
    apart = call(199, [*spans_history(), asks("ls", "x"), gives("x", 0)], asks(SUBMIT, "1-s"), at=2.2)
    found = records([*spans[:3], apart])
    assert sorted(command for record in found for command in ran(record)) == sorted(
        [*RAN[:2], ("pytest -q", "unknown"), ("ls", "passed"), RAN[3]]
    )
    history = [*TASK, fenced("make test"), given_back("<returncode>0</returncode>")]
    calls = [call(1, TASK, fenced("make test"), at=1), call(2, history, fenced(SUBMIT), at=2)]
    found = records([*calls, call(3, [TASK[1], *history[2:]], fenced("ls"), at=2.2)])
    assert sorted(command for record in found for command in ran(record)) == [
        (SUBMIT, "unknown"),
        ("ls", "unknown"),
        ("make test", "passed"),
    ]


def spans_history() -> list[dict[str, Any]]:
    """What the third call of the first run was given, but for its task."""
    return [asks("pytest -q", "1-0"), gives("1-0", 1), asks("sed -i s/a/b/ parser.py", "1-1"), gives("1-1", 0)]


def test_a_call_without_its_history_is_known_by_what_it_asked_for() -> None:
    """An attribute limit may have dropped the history."""
    spans = session(1, at=1, commands=STEPS)
    bare = {key: value for key, value in spans[0].attributes.items() if key != names.INPUT_MESSAGES}
    record = one([replace(spans[0], attributes=bare), *spans[1:]])
    assert ran(record) == RAN


def test_results_without_ids_are_those_of_the_requests_before() -> None:
    """In their order; a request without any is one of which nothing is known."""
    both = {"role": "assistant", "tool_calls": [*asks("a")["tool_calls"], *asks("b")["tool_calls"]]}
    history = [*TASK, both, gives("", 0), gives("", 1), asks("c"), {"role": "user", "content": "Go on."}]
    record = one([call(1, history, {"role": "assistant", "content": "Fine."}, at=1)])
    assert ran(record) == [("a", "passed"), ("b", "failed"), ("c", "unknown")]


def test_a_message_of_a_tool_that_is_no_result_is_one() -> None:
    """In parts of text, as OpenInference and others have it."""
    told = {"role": "tool", "parts": [{"type": "text", "content": '{"returncode": 1}'}]}
    record = one([call(1, [*TASK, asks("a"), told], {"role": "assistant", "content": "Fine."}, at=1)])
    assert ran(record) == [("a", "failed")]


def fenced(command: str) -> dict[str, Any]:
    """An answer of an agent without tools."""
    return {"role": "assistant", "content": f"THOUGHT: so. Decision: this way.\n\n```bash\n{command}\n```"}


def given_back(said: str) -> dict[str, Any]:
    """What such an agent is told."""
    return {"role": "user", "content": said}


RETURNED = [
    ("<returncode>1</returncode>\n<output>\n1 failed\n</output>", "failed"),
    ("<returncode>0</returncode>", "passed"),
    ('{"returncode": 0, "output": "fine"}', "passed"),
    ('{"returncode": -1, "output": "", "exception_info": "Command \'x\' timed out after 30 seconds"}', "timed_out"),
    ("The last command <command>x</command> timed out and has been killed.\nThe output was:", "timed_out"),
]


@pytest.mark.parametrize(("said", "result"), RETURNED)
def test_commands_in_code_blocks_count_where_results_come_back(said: str, result: str) -> None:
    """The block is what was run, and the words around it are not the last ones."""
    history = [*TASK, fenced("make test"), given_back(said)]
    record = one([call(1, TASK, fenced("make test"), at=1), call(2, history, fenced(SUBMIT), at=2)])
    assert ran(record) == [("make test", result), (SUBMIT, "unknown")]
    assert [claim.text for claim in record.claims] == ["THOUGHT: so. Decision: this way."]
    assert [decision.option for decision in record.decisions][:1] == ["this way."]


@pytest.mark.parametrize(
    "answer",
    [
        fenced("a")["content"] + fenced("b")["content"],
        "```python\nx\n```",
        fenced("make test")["content"],
    ],
    ids=["two blocks", "another language", "nothing came back"],
)
def test_code_blocks_are_no_commands_elsewhere(answer: str) -> None:
    """An assistant may well show a command to a person."""
    said = {"role": "assistant", "content": answer}
    spans = [
        call(1, TASK, said, at=1),
        call(2, [*TASK, said, given_back("Thanks.")], {"role": "assistant", "content": "Fine."}, at=2),
    ]
    assert one(spans).commands == ()


def test_a_history_that_an_attribute_limit_went_through_joins_calls() -> None:
    """They cannot be told apart, and are not at one time."""
    cut = {names.INPUT_MESSAGES: json.dumps(TASK)[:60]}
    spans = [call(number, [], asks("ls"), at=number, attributes=cut) for number in (1, 2)]
    assert [len(record.capture.traces) for record in records(spans)] in ([2], [1, 1])


@pytest.mark.parametrize(
    "mark",
    [
        {names.OPERATION_NAME: names.EXECUTE_TOOL},
        {names.OI_KIND: "TOOL"},
        {names.TRACELOOP_KIND: "tool"},
        {names.LMNR_TYPE: "TOOL"},
        {names.MCP_METHOD: "tools/call"},
    ],
    ids=str,
)
def test_where_others_tell_of_tools_histories_tell_nothing(mark: dict[str, Any]) -> None:
    """It would be told twice."""
    spans = session(1, at=1, commands=STEPS)
    trace = spans[0].trace_id
    inside = call(1, [*TASK, asks("ls", "x"), gives("x", 0)], {"role": "assistant"}, at=9, trace_id=trace)
    tool = Span(trace_id=trace, span_id="f" * 16, start_ns=9 * S, end_ns=9 * S, attributes=mark)
    assert not [command for record in records([inside, tool]) for command in record.commands]


def test_in_a_trace_of_somebody_else_there_are_commands_and_no_turns() -> None:
    """A span of the user's own around the calls bounds nothing that we know of."""
    trace = "e" * 32
    spans = [
        Span(
            **{
                **{name: getattr(each, name) for name in each.__struct_fields__},
                "trace_id": trace,
                "parent_id": "d" * 16,
            }
        )
        for each in session(1, at=1, commands=STEPS)
    ]
    root = Span(trace_id=trace, span_id="d" * 16, name="bench", start_ns=S, end_ns=99 * S)
    record = one([root, *spans])
    assert record.run_id == f"trace-{trace}"
    assert ran(record) == RAN


def test_an_agent_without_tools_may_end_in_words() -> None:
    """An answer without a block asks for nothing."""
    history = [*TASK, fenced("make test"), given_back("<returncode>0</returncode>")]
    said = {"role": "assistant", "content": "All is well."}
    record = one([call(1, TASK, fenced("make test"), at=1), call(2, history, said, at=2)])
    assert ran(record) == [("make test", "passed")]
    assert [claim.text for claim in record.claims] == ["All is well."]
    assert record.outcome == "ended"


def event(name: str, body: dict[str, Any], *, at: float, ref: bool = True) -> Log:
    """A log event of the old conventions, of a call whose span never came."""
    ids = {"trace_id": "a" * 32, "span_id": "b" * 16} if ref else {}
    return Log(key=f"{name}-{at}", time_ns=int(at * S), event_name=name, body=body, **ids)


def test_old_events_without_spans_are_calls_too() -> None:
    """The answer's record stands for the call; one that points nowhere is none."""
    asked = asks("make test", "1")
    record = one_of(
        event(names.USER_MESSAGE, {"content": "Fix the parser."}, at=1),
        event(names.ASSISTANT_MESSAGE, {key: asked[key] for key in ("content", "tool_calls")}, at=1.1),
        event(names.TOOL_MESSAGE, {"id": "1", "content": '{"returncode": 1}'}, at=1.2),
        event(names.CHOICE, {"message": {"role": "assistant", "content": "It fails."}}, at=2),
        event(names.CHOICE, {"message": {"role": "assistant", "content": "Who?"}}, at=3, ref=False),
    )
    assert record.usage.model_calls == 1
    assert ran(record) == [("make test", "failed")]
    assert [claim.text for claim in record.claims] == ["It fails."]


def one_of(*items: Log) -> RunRecord:
    """The record of the trace; what points nowhere is a record of its own at most."""
    return next(record for record in compact(items, now_ns=10**6 * S) if record.run_id == f"trace-{'a' * 32}")
