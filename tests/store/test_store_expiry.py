"""What is removed by age and what stays, and folding history again."""

from __future__ import annotations

import pytest

from agent_otel.store.base import Folded


@pytest.fixture
def fold_all(store, clock, item, record):
    """Folds whatever is due into a record of each group, named after its first item; gives the groups."""

    def fold():
        groups = store.due(now_ns=clock.now_ns)
        for group in groups:
            taken = store.items(group)
            found = record(f"run-{taken.items[0].key}", started="2026-05-11T09:00:00.000Z")
            assert store.save([Folded(group=group, sequence=taken.sequence, records=[found])]) == [True]
        return groups

    return fold


def test_items_go_and_records_stay(store, clock, item, fold_all):
    """Raw telemetry has an age limit; what it was folded into has none."""
    store.put([item("a", "trace:1"), item("b", "trace:1"), item("c")])
    fold_all()
    before = store.records()
    assert store.expire(before_ns=clock.pass_s(1)) == 3
    assert store.expire(before_ns=clock.now_ns) == 0
    assert store.records() == before
    assert store.run_items("run-a") == []
    stats = store.stats()
    assert (stats.items, stats.expired, stats.groups, stats.due) == (0, 3, 2, 0)


def test_what_is_new_or_waits_is_not_removed(store, clock, item, fold_all):
    """A group is kept whole for as long as anything comes to it, and until it was folded."""
    store.put([item("old", "trace:1"), item("goes on", "trace:2")])
    fold_all()
    limit_ns = clock.pass_s(10)
    store.put([item("goes on", "trace:2", says="more")])
    store.put([item("never folded", "trace:3")])
    fold_all()
    store.put([item("waits", "trace:4")])
    assert store.expire(before_ns=limit_ns) == 1
    assert store.expire(before_ns=clock.pass_s(10)) == 3
    assert store.stats().items == 1


def test_only_so_many_are_removed_at_a_time(store, clock, item, fold_all):
    """Nobody waits long for a giant to be removed; it is sealed from the first one on."""
    store.put([item(f"{number}", "trace:1", time_ns=number) for number in range(5)])
    (group,) = fold_all()
    assert [store.expire(before_ns=clock.pass_s(1), limit=2) for _ in range(2)] == [2, 2]
    left = store.items(group)
    assert [each.key for each in left.items] == ["4"]
    assert (left.total, left.expired, left.sealed) == (1, 4, ("run-0",))
    assert [store.expire(before_ns=clock.now_ns, limit=2) for _ in range(2)] == [1, 0]


def test_what_comes_late_finds_its_group(store, clock, item, record, fold_all):
    """The records of what expired are named, so that a fold leaves them as they are; later runs are not sealed."""
    store.put([item("a", "trace:1", "session.id:s")])
    (group,) = fold_all()
    store.expire(before_ns=clock.pass_s(1))
    store.put([item("late", "trace:1"), item("new", "trace:2", "session.id:s")])
    assert store.due(now_ns=clock.now_ns) == [group]
    taken = store.items(group)
    assert sorted(each.key for each in taken.items) == ["late", "new"]
    assert (taken.total, taken.expired, taken.sealed) == (2, 1, ("run-a",))
    kept = store.records_of(group)
    assert store.save([Folded(group=group, sequence=taken.sequence, records=[*kept, record("run-new")])]) == [True]
    assert store.items(group).sealed == ("run-a",)
    assert store.record("run-a").revision == 1


def test_groups_that_merge_keep_what_is_sealed(store, clock, item, fold_all):
    """An old run and a new one may turn out to belong together."""
    store.put([item("old", "trace:1")])
    fold_all()
    store.expire(before_ns=clock.pass_s(1))
    store.put([item("new", "trace:2"), item("newer", "trace:2", says="x")])
    fold_all()
    store.put([item("joins", "trace:1", "trace:2")])
    (group,) = store.due(now_ns=clock.now_ns)
    taken = store.items(group)
    assert (taken.total, taken.expired, taken.sealed) == (3, 1, ("run-old",))


def test_an_expired_item_that_comes_again_is_an_item_that_comes_late(store, clock, item, fold_all):
    """Nobody remembers it; its record is there to be told."""
    store.put([item("a")])
    fold_all()
    store.expire(before_ns=clock.pass_s(1))
    assert store.put([item("a")]).stored == 1
    assert store.expire(before_ns=clock.pass_s(1)) == 0
    (group,) = store.due(now_ns=clock.now_ns)
    taken = store.items(group)
    store.save([Folded(group=group, sequence=taken.sequence, records=store.records_of(group))])
    assert store.expire(before_ns=clock.pass_s(1)) == 1
    assert store.stats().expired == 2


def test_resources_that_are_shared_outlive_those_who_go(store, clock, item, fold_all):
    """What is kept once for many items is there as long as one of them is."""
    store.put([item("a")])
    fold_all()
    limit_ns = clock.pass_s(1)
    store.put([item("b"), item("c", resource=b"another")])
    (first, second) = fold_all()
    store.expire(before_ns=limit_ns)
    assert [store.items(group).items[0].resource for group in (first, second)] == [b"resource", b"another"]
    assert store.expire(before_ns=clock.pass_s(1)) == 2
    store.put([item("d")])
    (group,) = store.due(now_ns=clock.now_ns)
    assert store.items(group).items == (item("d"),)


def test_history_is_folded_again_when_asked(store, clock, item, fold_all):
    """All of it, but for groups without items."""
    store.put([item("a")])
    fold_all()
    store.expire(before_ns=clock.pass_s(1))
    store.put([item("b"), item("c")])
    groups = fold_all()
    assert store.due(now_ns=clock.now_ns) == []
    assert store.refold() == 2
    assert store.due(now_ns=clock.now_ns) == groups
    fold_all()
    assert store.due(now_ns=clock.now_ns) == []


def test_history_since_a_time_is_folded_again(store, clock, item, record):
    """Groups of which a record started then or later."""
    store.put([item("a"), item("b")])
    for day, group in enumerate(store.due(now_ns=clock.now_ns), start=1):
        started = f"2026-05-1{day}T09:00:00.000Z"
        store.save([Folded(group=group, sequence=1, records=[record(f"r{day}", started=started)])])
    assert store.refold(since="2026-05-13") == 0
    assert store.refold(since="2026-05-12T09:00:00.000Z") == 1
    (group,) = store.due(now_ns=clock.now_ns)
    assert [each.run_id for each in store.records_of(group)] == ["r2"]
    assert store.refold(since="2026-05-11") == 2


def test_folding_again_is_not_lost_on_a_fold_that_is_under_way(store, clock, item, record):
    """Who has read the items before the upgrade does not count as having folded them after it."""
    store.put([item("a")])
    (group,) = store.due(now_ns=clock.now_ns)
    taken = store.items(group)
    store.refold()
    assert store.save([Folded(group=group, sequence=taken.sequence, records=[record("r")])]) == [True]
    assert store.due(now_ns=clock.now_ns) == [group]
