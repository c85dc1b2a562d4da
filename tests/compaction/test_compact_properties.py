"""Compaction of groups nobody would make by hand: whatever a sender writes under whichever of our names."""

from __future__ import annotations

import functools
import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_otel.compaction.compact import compact
from agent_otel.compaction.copies import settle
from agent_otel.compaction.dialects.agent_otel.statements import EVENTS
from agent_otel.model import names
from agent_otel.model.item import Log, Span, SpanEvent
from agent_otel.model.record import RunRecord, encode
from agent_otel.model.versions import decode
from agent_otel.review.judge import judge

S = 1_000_000_000
THOROUGH = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

KEYS = sorted(
    {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str) and "." in value}
    | {make(budget) for budget in names.BUDGETS for make in (names.budget_limit, names.budget_consumed)}
    | {"id", "content", "message", "tool_arguments", "final_result", "event_name", "event.name"}
)
"""Every name that any dialect may read."""

WORDS = st.sampled_from(
    ["", " ", "a.py", "src/b.py", "/", "..", "pytest -q", "passed", "failed", "pass", "ended", "e1", "c1", "r1",
     "\x00", "Decision: wait", "exit code: 1", "*** Add File: x\n", '{"path":', "[1, 2", "('a', 1)", "1e999", "9" * 400]
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.sampled_from([0, -1, 2**63 - 1, -(2**63), 1e308, float("inf"), float("nan")]),
)
INNER_KEYS = st.sampled_from(
    ["path", "command", "role", "parts", "content", "type", "id", "name", "exit_code", "kwargs", "operation", "added",
     "option", "reason", "text", "tool_calls", "function", "arguments", "steps", "wall_time", "toolUse", "toolResult"]
)  # fmt: skip
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | WORDS | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER_KEYS, inner, max_size=3),
    max_leaves=8,
)


def _tuples(value: Any) -> Any:
    """The value as the decoder gives it: arrays are tuples."""
    if isinstance(value, list):
        return tuple(map(_tuples, value))
    return {key: _tuples(inner) for key, inner in value.items()} if isinstance(value, dict) else value


WIRE = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(INNER_KEYS | st.just(""), inner, max_size=3),
    max_leaves=6,
)
"""What an attribute can be."""

VALUES = st.one_of(
    WORDS, WIRE, NESTED.map(json.dumps), NESTED.map(repr), st.lists(NESTED.map(json.dumps), max_size=2).map(tuple)
)
IDS = st.sampled_from(["1" * 16, "2" * 16, "3" * 16, "4" * 16])
TRACES = st.sampled_from(["a" * 32, "b" * 32])
TIMES = st.integers(0, 9).map(lambda second: second * S) | st.sampled_from([2**64 - 1, 2**63])
SCOPES = st.sampled_from([names.SCOPE, names.SCOPE, "pydantic-ai", ""])
EVENT_NAMES = st.sampled_from(
    [
        *sorted(EVENTS),
        *names.SAID_BY_OTHERS,
        names.USER_MESSAGE,
        names.CHOICE,
        names.TOOL_MESSAGE,
        names.INFERENCE_DETAILS,
        "exception",
    ]
)
OPERATIONS = st.sampled_from(
    [names.INVOKE_AGENT, names.INVOKE_WORKFLOW, names.EXECUTE_TOOL, names.CHAT, names.CREATE_AGENT, "other"]
)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        names.OPERATION_NAME: OPERATIONS,
        names.RUN_ID: st.sampled_from(["r1", "r2"]),
        names.RUN_PARENT: st.sampled_from(["r1", "r2", "r3"]),
        names.EVENT_ID: st.sampled_from(["e1", "e2"]),
        names.COMMAND_ID: st.sampled_from(["c1", "c2"]),
        names.AGENT_NAME: st.sampled_from(["a", "b"]),
        names.CONVERSATION_ID: st.just("s"),
        names.TOOL_NAME: st.sampled_from(["read_file", "edit_file", "bash", "apply_patch"]),
    },
)
ATTRIBUTES = st.builds(
    lambda likely, odd: {**likely, **odd}, LIKELY, st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)
)
SPAN_EVENTS = st.builds(
    SpanEvent, name=EVENT_NAMES, time_ns=TIMES, attributes=ATTRIBUTES, dropped_attributes=st.integers(0, 2)
)
DIGESTS = st.sampled_from([b"", b"1", b"2"])
SPANS = st.builds(
    Span,
    trace_id=TRACES,
    span_id=IDS,
    parent_id=st.just("") | IDS | st.just("9" * 16),
    name=WORDS,
    start_ns=TIMES,
    end_ns=TIMES,
    attributes=ATTRIBUTES,
    events=st.lists(SPAN_EVENTS, max_size=3).map(tuple),
    status=st.integers(0, 3),
    status_message=WORDS,
    resource=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=1),
    scope=SCOPES,
    digest=DIGESTS,
)
LOGS = st.builds(
    Log,
    key=IDS,
    time_ns=TIMES,
    trace_id=st.just("") | TRACES,
    span_id=st.just("") | IDS,
    event_name=EVENT_NAMES,
    body=WIRE,
    attributes=ATTRIBUTES,
    scope=SCOPES,
    digest=DIGESTS,
)
GROUPS = st.lists(SPANS | LOGS, max_size=8)


def records(items: list[Span | Log]) -> list[RunRecord]:
    """The judged records of a group, long after."""
    return [judge(record) for record in compact(items, now_ns=10**6 * S)]


# -- one name at a time -----------------------------------------------------------------------------------------------

DEEP: Any = functools.reduce(lambda inner, _: [inner], range(200), [])
INNER_ODD = (None, True, -1, 10**30, 10**400, 1e308, "", "\ud800", "\x00", [], [[]], [None, {}], {}, {"a": {}}, DEEP)
"""What may stand in a document: JSON knows integers of any length and halves of surrogate pairs."""

INNER_NAMES = (
    "path", "operation", "added", "removed", "old_path", "option", "reason", "name", "command", "steps", "wall_time",
    "role", "parts", "content", "type", "id", "text", "tool_calls", "function", "arguments", "toolUse", "toolResult",
    "exit_code", "status", "stdout", "error", "kwargs", "args", "files", "cwd", "viewrange", "is_error", "success",
)  # fmt: skip
_LIKE_ANY: Any = {"path": "a.py", "command": "make", "role": "user", "name": "x", "option": "y"}
DOCUMENTS = tuple(
    json.dumps(document)
    for odd in INNER_ODD
    for document in (dict.fromkeys(INNER_NAMES, odd), {**dict.fromkeys(INNER_NAMES, odd), **_LIKE_ANY})
)
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63 - 1, -(2**63), 0.5, 1e308, -1e308, float("inf"), float("nan"), "", " ", "\x00", "x",
    "9" * 400, "-1", "1e999", "x" * 20_000, b"", b"\xff", (), ("a",), (None, 1, ("b",), {}), {}, {"": {}, "role": 7},
    *DOCUMENTS, DOCUMENTS, f"[{','.join(DOCUMENTS)}]", *map(repr, INNER_ODD),
)  # fmt: skip
TRACE = "a" * 32
USUAL: dict[str, Any] = dict.fromkeys(KEYS, "x") | {
    names.RUN_ID: "r",
    names.RUN_OUTCOME: "ended",
    names.COMMAND_RESULT: "failed",
    names.COMMAND_DURATION: 1.5,
    names.PROCESS_EXIT_CODE: 1,
    names.VERIFICATION_OUTCOME: "pass",
    names.VERIFICATION_EVIDENCE: ("x",),
    names.CHANGED_FILES: ('{"path": "a.py", "added": 1}',),
    names.DECISION_ALTERNATIVES: ('{"option": "b", "reason": "c"}',),
    names.TASK_REQUIRED_CHECKS: ('{"name": "x", "command": "x*"}',),
    names.TASK_BUDGETS: '{"steps": 4, "wall_time": 1.5}',
    names.TOOL_CALL_ARGUMENTS: '{"command": "make", "path": "a.py"}',
}
"""Every name at once, as a sender would write it."""


def _group(attributes: dict[str, Any], trace: str = TRACE) -> list[Span | Log]:
    """Every kind of span, event and log record, of this SDK and of others, all with the same attributes."""
    others = [names.USER_MESSAGE, names.CHOICE, names.TOOL_MESSAGE, names.INFERENCE_DETAILS, names.EVALUATION_RESULT]
    told = {
        names.SCOPE: [_event(kind, place, attributes) for place, kind in enumerate(EVENTS, start=1)],
        "other": [_event(kind, place, attributes) for place, kind in enumerate([*others, names.COMMAND_RUN], start=1)],
    }
    kinds = itertools.product(told, (names.INVOKE_AGENT, names.EXECUTE_TOOL, names.CHAT))
    spans = [
        Span(
            trace_id=trace, span_id=f"{place:016x}", parent_id=f"{1:016x}" if place > 1 else "", start_ns=S * place,
            end_ns=S * 99, scope=scope, attributes={names.OPERATION_NAME: operation, **attributes},
            events=tuple(told[scope]) if operation == names.EXECUTE_TOOL else (),
        )
        for place, (scope, operation) in enumerate(kinds, start=1)
    ]  # fmt: skip
    logs = [
        Log(
            key=f"{trace}{scope}{event.name}", time_ns=event.time_ns, trace_id=trace, span_id="5" * 16, scope=scope,
            event_name=event.name, attributes=event.attributes, body=attributes,
        )
        for scope, events in told.items()
        for event in events
    ]  # fmt: skip
    return [*spans, *logs]


def _event(kind: str, at: int, attributes: dict[str, Any]) -> SpanEvent:
    return SpanEvent(name=kind, time_ns=S * at, attributes={names.EVENT_ID: kind, **attributes})


@pytest.mark.parametrize("name", KEYS)
def test_a_name_may_hold_anything(name: str) -> None:
    """Whatever stands under one of our names, in spans, events and log records: a document, and always the same."""
    usual = {key: value for key, value in USUAL.items() if key not in (names.OPERATION_NAME, names.EVENT_ID)}
    groups = [_group({**usual, name: odd}, f"{place:032x}") for place, odd in enumerate(ODD_VALUES, start=1)]
    for items in groups:
        assert all(map(encode, records(items)))
    some = [item for items in groups[::7] for item in items]
    expected = list(map(encode, records(some)))
    assert list(map(encode, records([*reversed(some), *some[::2]]))) == expected


# -- anything at all --------------------------------------------------------------------------------------------------


@THOROUGH
@given(GROUPS, st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_set_of_items_alone_decides(items: list[Span | Log], chance: Any, more: int) -> None:
    """Never an error; and shuffled, with repetitions, the same items give the same bytes."""
    expected = [encode(record) for record in records(items)]
    mixed = [*items, *chance.choices(items, k=more)] if items else []
    chance.shuffle(mixed)
    assert [encode(record) for record in records(mixed)] == expected


@THOROUGH
@given(GROUPS)
def test_every_record_is_a_valid_document_that_reads_back(items: list[Span | Log]) -> None:
    """What is written has the types it says, and survives reading and writing."""
    found = records(items)
    assert len({record.run_id for record in found}) == len(found)
    for record in found:
        assert msgspec.convert(msgspec.to_builtins(record), RunRecord) == record
        assert encode(decode(encode(record))) == encode(record)


@THOROUGH
@given(GROUPS)
def test_references_lead_somewhere(items: list[Span | Log]) -> None:
    """Commands have ids of their own, and what other entries point to exists."""
    for record in records(items):
        commands = [each.id for each in record.commands]
        checks = [each.id for each in record.verifications]
        assert len(set(commands)) == len(commands)
        assert {each.command_id for each in (*record.failures, *record.verifications)} <= {None, *commands}
        assert {each.resolved_by for each in record.failures} <= {None, *commands, *checks}
        assert set(record.skipped_checks) <= set(checks)


@THOROUGH
@given(GROUPS)
def test_every_item_counts_in_one_run(items: list[Span | Log]) -> None:
    """However the items are attributed, each is counted once; what others say of a run is none of its own."""
    if found := records(items):
        own, _ = settle(items).parted(*names.SAID_BY_OTHERS)
        assert sum(record.capture.spans for record in found) == len({i.ref for i in items if isinstance(i, Span)})
        assert sum(record.capture.logs for record in found) == len(own.logs)
