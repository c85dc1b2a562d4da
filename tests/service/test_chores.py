"""What is done again and again beside receiving and folding."""

from __future__ import annotations

import threading

import agent_spans
import pytest

from agent_otel.compaction.policy import Policy
from agent_otel.errors import StoreError
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.service.fold import fold_due
from agent_otel.service.periodic import Periodic
from agent_otel.service.retention import Retention
from agent_otel.store.sqlite import SqliteStore

DAY_NS = 86_400 * 10**9


def test_a_chore_goes_on_while_there_is_more_and_after_it_failed():
    """What fails is told and tried again; what has more to do does not wait."""
    failures, enough = [], threading.Event()
    outcomes = iter([True, StoreError("locked"), True, False, True])
    done = []

    def step():
        outcome = next(outcomes, None)
        if outcome is None:
            enough.set()
            return False
        done.append(outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    chore = Periodic("chore", step, interval_s=0.01, failed=failures.append)
    chore.start()
    assert enough.wait(10)
    chore.stop(10)
    assert len(done) == 5
    assert [str(each) for each in failures] == ["locked"]


def test_a_chore_that_never_began_can_be_stopped():
    """Stopping is always possible."""
    Periodic("chore", lambda: False, interval_s=1, failed=print).stop(1)


def test_a_chore_in_hand_is_not_waited_for_longer_than_allowed():
    """Stopping takes no longer than it may."""
    release, begun = threading.Event(), threading.Event()

    def step():
        begun.set()
        return release.wait(30)

    chore = Periodic("chore", step, interval_s=1, failed=print)
    chore.start()
    assert begun.wait(10)
    chore.stop(0.01)
    release.set()
    chore.stop(10)


@pytest.mark.parametrize(("days_later", "left"), [(29.9, 3_000), (30.1, 0)])
def test_items_are_removed_by_age_and_records_stay(tmp_path, days_later, left):
    """After 30 days without anything new, in steps."""
    now_ns = agent_spans.START_NS + 10**13
    store = SqliteStore(tmp_path / "runs.db", clock=lambda: now_ns)
    for body in agent_spans.requests(runs=300, spans=10, size=150):
        store.put(items_from_protobuf(body, "span").items)
    fold_due(store, now_ns=now_ns, policy=Policy())
    retention = Retention(store, days=30, clock=lambda: now_ns + int(days_later * DAY_NS))
    steps = 1
    while retention.step():
        steps += 1
    stats = store.stats()
    assert (stats.items, stats.expired, sum(stats.records.values())) == (left, 3_000 - left, 300)
    assert steps == (1 if left else 2)
    store.close()
