"""Who folds what: claims, leases, and how long a group gathers items first."""

from __future__ import annotations

import pytest

from agent_otel.store.base import Claim, Folded, Pace

LEASE_S = 60.0


def claim(store, clock, **asked):
    """Takes due groups, each as the keys of its items."""
    found = store.claim(Claim(**{"lease_s": LEASE_S, **asked}), now_ns=clock.now_ns)
    return ["".join(sorted(item.key for item in store.items(group).items)) for group in found]


def save(store, clock, key, *records):
    """Saves these records as the fold of the due group that has the item."""
    for group in store.due(now_ns=clock.now_ns):
        taken = store.items(group)
        if key in [item.key for item in taken.items]:
            return store.save([Folded(group=group, sequence=taken.sequence, records=records)]) == [True]
    return None


def test_a_claimed_group_is_given_to_nobody_else(store, clock, item):
    """Each group goes to one, the longest waiting first, and no more than were asked for."""
    for key in "abc":
        store.put([item(key)])
        clock.pass_s(1)
    assert claim(store, clock, limit=2) == ["a", "b"]
    assert claim(store, clock, limit=2) == ["c"]
    assert claim(store, clock) == []
    assert len(store.due(now_ns=clock.now_ns)) == 3


def test_a_lease_ends(store, clock, item):
    """What a dead process had is taken by another one."""
    store.put([item("a")])
    assert claim(store, clock) == ["a"]
    clock.pass_s(LEASE_S - 1)
    assert claim(store, clock) == []
    clock.pass_s(1)
    assert claim(store, clock) == ["a"]


def test_saving_lets_go(store, clock, item, record):
    """A group that gets items again can be claimed at once, whatever the lease was."""
    store.put([item("a")])
    claim(store, clock)
    assert save(store, clock, "a", record("r"))
    assert claim(store, clock) == []
    store.put([item("a", says="more")])
    assert claim(store, clock) == ["aa"]


def test_items_that_come_do_not_end_a_claim(store, clock, item, record):
    """Whoever folds goes on; the group is due again when it is saved."""
    store.put([item("a", "trace:1")])
    (group,) = store.claim(Claim(), now_ns=clock.now_ns)
    taken = store.items(group)
    store.put([item("b", "trace:1")])
    assert claim(store, clock) == []
    assert store.save([Folded(group=group, sequence=taken.sequence, records=[record("r")])]) == [True]
    assert claim(store, clock) == ["ab"]


def test_a_merged_group_is_claimed_anew(store, clock, item, record):
    """Whoever had a part of it is out of date, and nobody waits for their lease."""
    store.put([item("a", "trace:1"), item("b", "trace:2")])
    taken = [store.items(group) for group in store.claim(Claim(), now_ns=clock.now_ns)]
    store.put([item("c", "trace:1", "trace:2")])
    assert claim(store, clock) == ["abc"]
    folds = [Folded(group=each.group, sequence=each.sequence, records=[record("r")]) for each in taken]
    assert store.save(folds) == [False, False]
    assert store.records() == []


def test_a_group_that_is_claimed_in_vain_comes_later_each_time(store, clock, item):
    """What may have killed those who had it does not come back at once."""
    store.put([item("a")])
    for lease_s in (60, 120, 240, 480, 960, 1920, 3840, 3840):
        assert claim(store, clock) == ["a"]
        clock.pass_s(lease_s - 1)
        assert claim(store, clock) == []
        clock.pass_s(1)


def test_a_group_that_is_saved_is_trusted_again(store, clock, item, record):
    """Its lease is as long as anybody's."""
    store.put([item("a")])
    claim(store, clock)
    clock.pass_s(LEASE_S)
    claim(store, clock)
    save(store, clock, "a", record("r"))
    store.put([item("a", says="more")])
    assert claim(store, clock) == ["aa"]
    clock.pass_s(LEASE_S)
    assert claim(store, clock) == ["aa"]


def test_a_group_that_was_claimed_in_vain_is_given_out_alone(store, clock, item, record):
    """So it takes no neighbours down with it, and they are told apart from it."""
    store.put([item("a"), item("b")])
    assert claim(store, clock) == ["a", "b"]
    store.put([item("c"), item("d")])
    clock.pass_s(LEASE_S)
    assert claim(store, clock) == ["a"]
    assert claim(store, clock) == ["b"]
    assert claim(store, clock) == ["c", "d"]
    assert save(store, clock, "b", record("r"))


def test_large_groups_are_left_to_others(store, clock, item):
    """One who takes small groups only is never busy with a giant."""
    store.put([item("a", "trace:1"), item("b", "trace:1"), item("c", "trace:1")])
    store.put([item("d", "trace:2"), item("e", "trace:2")])
    assert claim(store, clock, most_items=2) == ["de"]
    assert claim(store, clock) == ["abc"]


def test_a_group_that_is_to_be_looked_at_again_can_be_claimed(store, clock, item, record):
    """Time makes it due, and it is one group however many reasons there are."""
    store.put([item("a")])
    (group,) = store.due(now_ns=clock.now_ns)
    again_ns = clock.now_ns + 900_000_000_000
    store.save([Folded(group=group, sequence=store.items(group).sequence, records=[], look_again_ns=again_ns)])
    assert claim(store, clock) == []
    clock.pass_s(900)
    store.put([item("a", says="more")])
    assert claim(store, clock) == ["aa"]


def test_a_claim_from_the_future_does_not_count(store, clock, item):
    """The clock was set back since: nobody waits for that time to come again."""
    store.put([item("a")])
    clock.pass_s(86_400)
    assert claim(store, clock) == ["a"]
    clock.pass_s(-86_300)
    assert claim(store, clock) == ["a"]


def test_a_larger_group_gathers_items_longer(store, clock, item, record):
    """Folding a giant run again and again takes a bounded share of time."""
    pace = Pace(debounce_s=1.0, per_item_s=2.0)
    store.put([item("a", "trace:1"), item("b", "trace:1"), item("c", "trace:1"), item("d", "trace:2")])
    start_ns = clock.now_ns
    assert store.due(now_ns=clock.pass_s(2.9), pace=pace) == []
    assert store.wake_at(pace=pace) == start_ns + 3_000_000_000
    (small,) = store.claim(Claim(), now_ns=clock.pass_s(0.1), pace=pace)
    assert [each.key for each in store.items(small).items] == ["d"]
    assert store.due(now_ns=clock.now_ns, pace=pace) == [small]
    assert store.wake_at(pace=pace) == start_ns + 7_000_000_000
    (large,) = store.claim(Claim(), now_ns=clock.pass_s(4), pace=pace)
    assert store.items(large).total == 3


def test_a_giant_gathers_items_no_longer_than_its_fold_takes(store, clock, item):
    """A fold reads so many items at most, so the rest of them make nobody wait."""
    pace = Pace(debounce_s=1.0, per_item_s=2.0, most_items=2)
    store.put([item(key, "trace:1") for key in "abcd"])
    assert store.wake_at(pace=pace) == clock.now_ns + 5_000_000_000
    assert store.due(now_ns=clock.pass_s(4.9), pace=pace) == []
    (giant,) = store.claim(Claim(), now_ns=clock.pass_s(0.1), pace=pace)
    assert store.items(giant).total == 4


def test_nothing_that_is_claimed_wakes_anybody_before_its_lease_ends(store, clock, item, record):
    """Who sleeps until then finds something to do."""
    store.put([item("a")])
    claim(store, clock)
    assert store.wake_at() == clock.now_ns + int(LEASE_S * 1e9)
    clock.pass_s(1)
    store.put([item("b")])
    assert store.wake_at() == clock.now_ns


@pytest.mark.parametrize("again_s", [5, 900])
def test_the_first_of_all_reasons_wakes(store, clock, item, record, again_s):
    """New items, or a look again."""
    store.put([item("a")])
    taken = store.items(store.due(now_ns=clock.now_ns)[0])
    again_ns = clock.now_ns + again_s * 1_000_000_000
    store.save([Folded(group=taken.group, sequence=taken.sequence, records=[], look_again_ns=again_ns)])
    store.put([item("b")])
    assert store.wake_at(pace=Pace(debounce_s=60)) == min(again_ns, clock.now_ns + 60_000_000_000)
