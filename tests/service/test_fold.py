"""Folding groups of a store: bounded, beside what has expired, and whatever becomes of a neighbour."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from agent_otel.compaction.policy import Policy
from agent_otel.errors import StoreError
from agent_otel.model import names
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import statement
from agent_otel.service import fold as folding
from agent_otel.service.fold import fold_claimed, fold_due
from agent_otel.service.reading import Bounds
from agent_otel.store.sqlite import SqliteStore

POLICY = Policy()
HOUR_NS = 3_600_000_000_000
START_NS = 1_779_095_523_000_000_000
NOW_NS = START_NS + HOUR_NS


def span(run, number, *, ended=True, session=""):
    """A span of a run; number 0 is the root, which ends last."""
    attributes = {names.OPERATION_NAME: "execute_tool", names.TOOL_NAME: "read", names.RUN_ID: f"run-{run}"}
    if number == 0:
        attributes |= {names.OPERATION_NAME: "invoke_agent", names.AGENT_NAME: "fixer", names.RUN_OUTCOME: "ended"}
    if session:
        attributes[names.SESSION_ID] = session
    start_ns = START_NS + (run * 1_000 + number) * 1_000_000
    return Span(
        trace_id=run.to_bytes(16, "big"),
        span_id=(number + 1).to_bytes(8, "big"),
        parent_span_id=(1).to_bytes(8, "big") if number else b"",
        name="invoke_agent fixer" if number == 0 else "execute_tool read",
        start_time_unix_nano=start_ns,
        end_time_unix_nano=(start_ns + (900_000_000 if number == 0 else 500_000)) if ended else 0,
        attributes=[KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in attributes.items()],
    )


def items(*spans):
    """These spans as items, received over the wire."""
    body = TracesData(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])]).SerializeToString()
    return items_from_protobuf(body, "span").items


class Clock:
    """The time the store sees."""

    now_ns = NOW_NS

    def __call__(self):
        """The time."""
        return self.now_ns


@pytest.fixture
def clock():
    """A time that goes when told to."""
    return Clock()


@pytest.fixture
def store(clock):
    """An empty store."""
    opened = SqliteStore(None, clock=clock)
    yield opened
    opened.close()


def expire(store, clock):
    """Lets all items get too old."""
    clock.now_ns += 30 * 24 * HOUR_NS
    assert store.expire(before_ns=clock.now_ns)


def fold(store, clock, **bounds):
    """Folds what is due, and tells what became of it."""
    return fold_claimed(
        store, store.due(now_ns=clock.now_ns), now_ns=clock.now_ns, policy=POLICY, bounds=Bounds(**bounds)
    )


def test_many_groups_are_folded_and_saved_together(store, clock):
    """What became of them is counted."""
    store.put(items(*(span(run, number) for run in (1, 2) for number in range(3))))
    outcome = fold(store, clock)
    assert (outcome.saved, outcome.out_of_date, outcome.items, outcome.records) == (2, 0, 6, 2)
    assert [record.run_id for record in store.records()] == ["run-2", "run-1"]
    assert store.record("run-1").capture.complete


def test_a_group_that_changed_meanwhile_is_out_of_date(store, clock):
    """Nothing is written for it, and the next fold has it."""
    store.put(items(span(1, 0), span(2, 0)))
    groups = store.due(now_ns=clock.now_ns)
    store.put(items(span(1, 1, session="s"), span(2, 1, session="s")))
    assert fold_claimed(store, groups, now_ns=clock.now_ns, policy=POLICY).out_of_date == 1
    assert fold_due(store, now_ns=clock.now_ns, policy=POLICY) == 0
    assert len(store.records()) == 2


def test_a_group_that_cannot_be_folded_does_not_hold_up_its_neighbours(store, clock, monkeypatch):
    """A mistake in a dialect costs the runs of one group, is told, and the group stays due."""
    store.put(items(span(1, 0), span(2, 0)))
    first, _ = store.due(now_ns=clock.now_ns)
    compact = folding.compact

    def failing(signals, **options):
        if signals[0].trace_id.endswith("1"):
            message = "a mistake"
            raise ValueError(message)
        return compact(signals, **options)

    monkeypatch.setattr(folding, "compact", failing)
    outcome = fold(store, clock)
    assert (outcome.saved, {group: str(exc) for group, exc in outcome.failed.items()}) == (1, {first: "a mistake"})
    assert store.due(now_ns=clock.now_ns) == [first]
    store.put(items(span(3, 0)))
    with pytest.raises(ValueError, match="a mistake"):
        fold_due(store, now_ns=clock.now_ns, policy=POLICY)
    assert [record.run_id for record in store.records()] == ["run-3", "run-2"]


def test_a_store_that_refuses_is_an_error(store, clock):
    """That is no matter of one group."""
    store.put(items(span(1, 0)))
    groups = store.due(now_ns=clock.now_ns)
    store.close()
    with pytest.raises(StoreError):
        fold_claimed(store, groups, now_ns=clock.now_ns, policy=POLICY)


def test_a_giant_run_is_cut_and_says_so(store, clock):
    """Its root, which ends last, is seen; the record is the same whatever order its items came in."""
    made = items(*(span(1, number) for number in range(200)))
    documents = []
    for seed in range(3):
        other = SqliteStore(None, clock=clock)
        shuffled = random.Random(seed).sample(made, len(made))
        for start in range(0, len(shuffled), 7):
            other.put(shuffled[start : start + 7])
        assert fold(other, clock, items=80).items == 80
        documents.append(other.record("run-1"))
        other.close()
    assert documents[0] == documents[1] == documents[2]
    capture = documents[0].capture
    assert (capture.spans, capture.truncated, capture.complete, capture.root_seen) == (80, True, False, True)
    assert documents[0].lifecycle == "settled"
    assert "the record was cut" in str(documents[0].findings)


def test_a_group_is_cut_at_its_bytes_too(store, clock):
    """Few items may be large."""
    store.put(items(*(span(1, number) for number in range(200))))
    assert 20 < fold(store, clock, bytes=40_000).items < 100
    capture = store.record("run-1").capture
    assert (capture.truncated, capture.root_seen) == (True, True)


def test_many_small_values_count_for_what_they_take_in_memory(store, clock):
    """However few bytes they came in: objects are larger than that."""
    deep = KeyValue(key="deep")
    deep.value.array_value.values.extend(AnyValue(kvlist_value={"values": [KeyValue(key="k")]}) for _ in range(100))
    event = Span.Event(attributes=[KeyValue(key=f"{number}") for number in range(100)])
    for run, extra in enumerate(
        (
            {"attributes": [deep]},
            {"events": [event]},
            {"attributes": [KeyValue(key=f"{number}") for number in range(150)]},
        ),
        start=1,
    ):
        spans = [span(run, number) for number in range(400)]
        for each in spans:
            each.MergeFrom(Span(**extra))
        store.put(items(*spans))
        assert 1 < fold(store, clock, bytes=400_000).items < 200


@pytest.mark.parametrize("count", [79, 80, 81])
def test_a_group_within_its_bounds_is_whole(store, clock, count):
    """To the item."""
    store.put(items(*(span(1, number) for number in range(count))))
    assert fold(store, clock, items=80).items == min(count, 80)
    assert store.record("run-1").capture.truncated == (count > 80)


def test_runs_that_got_out_of_sight_keep_their_records(store, clock):
    """A session that goes on for ever does not lose its history to its length."""
    for run in range(1, 5):
        store.put(items(*(span(run, number, session="s") for number in range(20))))
        fold(store, clock, items=40)
    found = {record.run_id: (record.capture.spans, record.capture.truncated) for record in store.records()}
    assert found == {"run-1": (20, True), "run-2": (15, True), "run-3": (5, True), "run-4": (5, True)}


def test_what_comes_late_does_not_make_a_record_poorer(store, clock):
    """Its items have expired: the record stays, says that something came late, and no other run appears."""
    store.put(items(*(span(1, number) for number in range(5))))
    fold(store, clock)
    before = store.record("run-1")
    expire(store, clock)
    store.put(items(span(1, 7), span(1, 8)))
    fold(store, clock)
    (found,) = store.records()
    assert (found.revision, found.capture.late, found.capture.complete) == (2, 2, False)
    assert (found.capture.spans, found.tool_calls) == (before.capture.spans, before.tool_calls)
    store.put(items(span(1, 7)))
    store.refold()
    fold(store, clock)
    assert store.records() == [found]


def test_what_others_say_of_a_run_counts_when_its_items_have_expired(store, clock):
    """As ever: once, bounded, and nothing else of the record is another."""
    store.put(items(*(span(1, number) for number in range(5))))
    fold(store, clock)
    before = store.record("run-1")
    expire(store, clock)
    miss = {names.NEAR_MISS_CAUGHT_BY: "ada", names.NEAR_MISS_WHAT: "x" * 100_000}
    for name, said in ((names.NEAR_MISS, miss), (names.REDO, {names.RUN_REDO_OF: "run-0"}), (names.NEAR_MISS, miss)):
        store.put(
            items_from_protobuf(statement(name, {names.RUN_ID: "run-1", **said}, time_ns=clock.now_ns), "log").items
        )
        fold(store, clock)
    found = store.record("run-1")
    (caught,) = found.near_misses
    assert (caught.caught_by, len(caught.what) < 100_000, found.redo_of) == ("ada", True, ("run-0",))
    assert found.capture.truncated  # a text was cut, and a finding says so
    same = {"revision": before.revision, "capture": before.capture, "findings": before.findings}
    assert replace(found, near_misses=(), redo_of=(), **same) == before


def test_a_session_that_goes_on_has_new_runs(store, clock):
    """The record of the old run stays as it is, to the revision, and the new one changes as others do."""
    store.put(items(*(span(1, number, session="s") for number in range(5))))
    fold(store, clock)
    before = store.record("run-1")
    expire(store, clock)
    for number in (1, 2, 0):
        store.put(items(span(2, number, session="s")))
        fold(store, clock)
    assert store.record("run-1") == before
    found = store.record("run-2")
    assert (found.revision, found.capture.spans, found.capture.late) == (3, 3, 0)


def test_a_run_that_was_open_when_its_items_expired_is_abandoned(store, clock):
    """Nothing came for longer than any silence."""
    store.put(items(span(1, 1)))
    fold(store, Clock())
    clock.now_ns = START_NS
    store.put(items(span(1, 2)))
    fold(store, clock)
    assert store.record("run-1").lifecycle == "open"
    expire(store, clock)
    assert fold(store, clock).saved == 1
    assert store.record("run-1").lifecycle == "abandoned"
    assert store.wake_at() is None


def test_everything_due_is_folded_with_progress(store, clock):
    """However many groups, a bunch at a time."""
    store.put(items(*(span(run, 0) for run in range(1, 101))))
    told = []
    assert fold_due(store, now_ns=clock.now_ns, policy=POLICY, folded=told.append) == 100
    assert sum(told) == 100
    assert len(told) > 1
