"""What every store promises (agent_otel.store.base), whichever it is."""

from __future__ import annotations

import pytest

from agent_otel.errors import StoreError
from agent_otel.model.record import ChangedFile, Check, Failure, Task, Verification
from agent_otel.store.base import Claim, Folded, Pace, PutResult, RecordQuery, cursor, item_cursor


def groups(store, clock):
    """The groups that are due, each as the set of its keys."""
    found = [store.items(group).items for group in store.due(now_ns=clock.now_ns)]
    return {frozenset(item.key for item in items) for items in found}


def fold(store, clock, *records, look_again_ns=None):
    """Saves these records as the fold of the only group that is due."""
    (group,) = store.due(now_ns=clock.now_ns)
    return save(store, store.items(group), *records, look_again_ns=look_again_ns)


def save(store, taken, *records, look_again_ns=None):
    """Saves these records as the fold of what was taken."""
    fold = Folded(group=taken.group, sequence=taken.sequence, records=records, look_again_ns=look_again_ns)
    (saved,) = store.save([fold])
    return saved


def test_items_come_back_as_they_were(store, clock, item):
    """Every field of an item is kept."""
    items = (item("a", "trace:1", "session.id:s"), item("log:b", "trace:1", says="repaired", resource=b"", time_ns=9))
    assert store.put(items) == PutResult(stored=2, duplicates=0)
    (group,) = store.due(now_ns=clock.now_ns)
    taken = store.items(group)
    assert taken.items == items
    assert (taken.group, taken.total) == (group, 2)


def test_putting_twice_equals_once(store, clock, item):
    """A delivery that is repeated, whole or within itself, changes nothing but the count of duplicates."""
    items = [item("a", "trace:1"), item("b", "trace:1")]
    store.put(items)
    fold(store, clock)
    assert store.put([*items, items[0]]) == PutResult(stored=0, duplicates=3)
    assert store.due(now_ns=clock.pass_s(1)) == []
    assert (store.stats().items, store.stats().duplicates) == (2, 3)


def test_what_a_processor_says_itself_is_counted_apart(store, item):
    """Whatever is delivered and noted, again and again: what is there is what was delivered and the notes."""
    for _ in range(2):
        store.put([item("a", "trace:1")])
        store.note([item("b", "trace:1"), item("c", "trace:2")])
    store.note([item("a", "trace:1")])
    stats = store.stats()
    assert (stats.items, stats.duplicates, stats.notes) == (3, 1, 2)
    assert len(store.due(now_ns=2**62)) == 2


def test_another_copy_of_a_span_is_kept_beside_it(store, clock, item):
    """Compaction settles which copy counts; the store keeps both."""
    store.put([item("a", "trace:1", says="open"), item("a", "trace:1", says="ended")])
    (group,) = store.due(now_ns=clock.now_ns)
    assert len(store.items(group).items) == 2


def test_batches_are_put_together(store, item):
    """Each batch has its own result, also where one repeats another."""
    results = store.put_all([[item("a")], [item("a"), item("b")], []])
    assert results == [PutResult(1, 0), PutResult(1, 1), PutResult(0, 0)]


def test_items_without_a_link_in_common_are_groups_apart(store, clock, item):
    """A group is what shares links, directly or through others."""
    store.put([item("a", "trace:1"), item("b", "trace:2", "session.id:s"), item("c", "trace:3", "session.id:s")])
    assert groups(store, clock) == {frozenset("a"), frozenset("bc")}


def test_an_item_that_joins_two_groups_merges_them(store, clock, item):
    """Everything of the smaller group goes over, its later items too."""
    store.put([item("a", "trace:1"), item("b", "trace:2"), item("c", "trace:2")])
    store.put([item("d", "trace:1", "trace:2")])
    store.put([item("e", "trace:1")])
    assert groups(store, clock) == {frozenset("abcde")}
    assert store.stats().groups == 1
    assert store.stats().items == 5


def test_a_chain_of_links_is_one_group_whatever_comes_first(store, clock, item):
    """Merges within one delivery follow each other."""
    store.put(
        [item("a", "1"), item("b", "2"), item("c", "3"), item("d", "1", "2"), item("e", "2", "3"), item("f", "4")]
    )
    assert groups(store, clock) == {frozenset("abcde"), frozenset("f")}


def test_a_group_is_due_a_while_after_its_first_new_item(store, clock, item):
    """However many follow: a long run is folded once in that time, and not once per batch."""
    store.put([item("a", "trace:1")])
    start_ns = clock.now_ns
    clock.pass_s(1.5)
    store.put([item("b", "trace:1")])
    assert store.due(now_ns=clock.now_ns, pace=Pace(debounce_s=2.0)) == []
    assert store.wake_at(pace=Pace(debounce_s=2.0)) == start_ns + 2_000_000_000
    assert len(store.due(now_ns=clock.pass_s(0.5), pace=Pace(debounce_s=2.0))) == 1


def test_what_waits_longest_is_due_first(store, clock, item):
    """Nobody waits for ever behind the busy ones."""
    store.put([item("a")])
    clock.pass_s(1)
    store.put([item("b")])
    clock.pass_s(1)
    store.put([item("a", says="more")])
    first, second = store.due(now_ns=clock.now_ns)
    assert (store.items(first).items[0].key, store.items(second).items[0].key) == ("a", "b")


def test_a_clock_that_is_set_back_delays_nothing_for_long(store, clock, item):
    """What was marked in a far future is due now."""
    store.put([item("a")])
    assert len(store.due(now_ns=clock.now_ns - 3_600_000_000_000, pace=Pace(debounce_s=2.0))) == 1


def test_the_end_of_time_is_a_time_like_others(store, clock, item, record):
    """Times at and beyond the last one that a database holds do no harm; senders claim all sorts of things."""
    end_ns = 2**63 - 1
    store.put([item("a", time_ns=end_ns)])
    (group,) = store.due(now_ns=end_ns)
    assert save(store, store.items(group), record("r"), look_again_ns=end_ns + 900_000_000_000)
    assert store.wake_at() == end_ns


def test_a_folded_group_is_not_due_until_items_come(store, clock, item, record):
    """Saving clears the mark; a new item sets it again."""
    store.put([item("a")])
    assert fold(store, clock, record("r"))
    assert store.due(now_ns=clock.pass_s(100)) == []
    assert store.wake_at() is None
    store.put([item("a", says="more")])
    assert len(store.due(now_ns=clock.now_ns)) == 1


def test_a_group_that_got_items_while_it_was_folded_stays_due(store, clock, item, record):
    """The record of what was read is kept, and the group looked at again."""
    store.put([item("a", "trace:1")])
    (group,) = store.due(now_ns=clock.now_ns)
    taken = store.items(group)
    store.put([item("b", "trace:1")])
    assert save(store, taken, record("r"))
    assert store.due(now_ns=clock.now_ns) == [group]
    assert store.record("r") is not None


def test_a_group_is_looked_at_again_when_asked(store, clock, item, record):
    """Time alone can change a record: an open run is abandoned in the end."""
    store.put([item("a")])
    later_ns = clock.now_ns + 900_000_000_000
    fold(store, clock, record("r", lifecycle="open"), look_again_ns=later_ns)
    assert store.due(now_ns=later_ns - 1) == []
    assert store.wake_at() == later_ns
    clock.now_ns = later_ns
    fold(store, clock, record("r", lifecycle="abandoned"))
    assert store.wake_at() is None
    found = store.record("r")
    assert (found.lifecycle, found.revision) == ("abandoned", 2)


def test_a_record_that_did_not_change_keeps_its_revision(store, clock, item, record):
    """Revisions count what is new to the reader."""
    for says in ("one", "two", "three"):
        store.put([item("a", says=says)])
        fold(store, clock, record("r", outcome="failed" if says == "three" else "ended"))
    assert store.record("r") == record("r", outcome="failed", revision=2)


def test_records_a_group_no_longer_yields_are_removed(store, clock, item, record):
    """What is listed is what the items say now."""
    store.put([item("a")])
    fold(store, clock, record("guessed"), record("kept"))
    store.put([item("a", says="more")])
    fold(store, clock, record("kept"))
    assert store.record("guessed") is None
    assert [found.run_id for found in store.records()] == ["kept"]


def test_records_of_merged_groups_are_settled_by_the_next_fold(store, clock, item, record):
    """Both stay readable until then, and the run that goes on keeps its revisions."""
    store.put([item("a", "trace:1"), item("b", "trace:2")])
    for group in store.due(now_ns=clock.now_ns):
        taken = store.items(group)
        save(store, taken, record(f"run-{taken.items[0].key}"))
    store.put([item("c", "trace:1", "trace:2")])
    assert {found.run_id for found in store.records()} == {"run-a", "run-b"}
    fold(store, clock, record("run-a", outcome="failed"))
    assert [(found.run_id, found.revision) for found in store.records()] == [("run-a", 2)]


def test_a_fold_of_a_group_that_was_merged_away_is_refused(store, clock, item, record):
    """Whoever was slower writes nothing."""
    store.put([item("a", "trace:1"), item("b", "trace:2"), item("c", "trace:2")])
    taken = {group: store.items(group) for group in store.due(now_ns=clock.now_ns)}
    store.put([item("d", "trace:1", "trace:2")])
    (left,) = store.due(now_ns=clock.now_ns)
    (gone,) = set(taken) - {left}
    assert not save(store, taken[gone], record("r"))
    assert store.records() == []
    assert store.items(gone).items == ()
    assert store.items(gone).total == 0


def test_a_fold_of_an_older_state_is_refused(store, clock, item, record):
    """Two processes may fold one group at once: the older view does not replace the newer."""
    store.put([item("a", "trace:1")])
    (group,) = store.due(now_ns=clock.now_ns)
    older = store.items(group)
    store.put([item("b", "trace:1")])
    assert save(store, store.items(group), record("r", outcome="failed"))
    assert not save(store, older, record("r"))
    assert store.record("r").outcome == "failed"
    assert store.due(now_ns=clock.now_ns) == []


def test_groups_that_yield_the_same_run_are_merged(store, clock, item, record):
    """A dialect knows keys of runs that no link shows; the next fold sees all their items together."""
    store.put([item("a", "trace:1"), item("b", "trace:2")])
    first, second = store.due(now_ns=clock.now_ns)
    assert save(store, store.items(first), record("conversation"))
    assert not save(store, store.items(second), record("conversation"))
    # At once, also for somebody who took the time before this happened.
    assert len(store.due(now_ns=1)) == 1
    assert groups(store, clock) == {frozenset("ab")}


def test_a_giant_group_is_read_in_part_and_says_so(store, clock, item):
    """The first items in time, and how many there are."""
    store.put([item(f"k{number}", "trace:1", time_ns=100 - number) for number in range(10)])
    (group,) = store.due(now_ns=clock.now_ns)
    taken = store.items(group, limit=3)
    assert [each.key for each in taken.items] == ["k9", "k8", "k7"]
    assert taken.total == 10


def keys(page):
    """The keys of some items."""
    return [each.key for each in page.items]


def test_a_giant_group_is_read_in_pages(store, clock, item):
    """Nothing is left out and nothing twice, also among items of one time; the total is that of the group."""
    made = [item(f"k{number}", "trace:1", time_ns=number // 4) for number in range(10)]
    in_order = sorted(made, key=lambda each: (each.time_ns, each.digest))
    store.put(made)
    (group,) = store.due(now_ns=clock.now_ns)
    seen, after = [], ""
    while (page := store.items(group, after=after, limit=3)).items:
        assert (page.total, len(page.items) <= 3) == (10, True)
        seen += page.items
        after = item_cursor(seen[-1])
    assert seen == in_order


def test_a_page_is_bounded_in_bytes(store, clock, item):
    """It ends with the item that reaches the bound, and has one at least."""
    store.put([item(f"k{number}", "trace:1", says="x" * 97, time_ns=number) for number in range(5)])
    (group,) = store.due(now_ns=clock.now_ns)
    assert keys(store.items(group, most_bytes=250)) == ["k0", "k1", "k2"]
    assert keys(store.items(group, most_bytes=1)) == ["k0"]
    assert keys(store.items(group, most_bytes=10_000)) == ["k0", "k1", "k2", "k3", "k4"]


def test_the_end_of_a_giant_group_can_be_read_alone(store, clock, item):
    """The latest items, in order, and only those after the ones that one has."""
    store.put([item(f"k{number}", "trace:1", says="x" * 97, time_ns=number) for number in range(6)])
    (group,) = store.due(now_ns=clock.now_ns)
    head = store.items(group, limit=4)
    after = item_cursor(head.items[-1])
    assert keys(store.items(group, limit=3, latest=True)) == ["k3", "k4", "k5"]
    assert keys(store.items(group, limit=3, after=after, latest=True)) == ["k4", "k5"]
    assert keys(store.items(group, most_bytes=150, latest=True)) == ["k4", "k5"]


def test_many_folds_are_saved_together(store, clock, item, record):
    """Each has its own answer, and one that is out of date does not hold up the others."""
    store.put([item("a"), item("b"), item("c")])
    groups = store.due(now_ns=clock.now_ns)
    folds = [Folded(group=group, sequence=1, records=[record(f"r{at}")]) for at, group in enumerate(groups)]
    store.save([folds[1]])
    store.put([item("b", says="more")])
    (changed,) = set(store.due(now_ns=clock.now_ns)) & {groups[1]}
    store.save([Folded(group=changed, sequence=store.items(changed).sequence, records=[record("newer")])])
    assert store.save(folds) == [True, False, True]
    assert [found.run_id for found in store.records()] == ["r2", "r0", "newer"]
    assert store.save([]) == []


def test_two_folds_of_one_run_saved_together_are_found_out(store, clock, item, record):
    """The first is kept, the second shows that the groups belong together."""
    store.put([item("a"), item("b")])
    folds = [Folded(group=group, sequence=1, records=[record("r")]) for group in store.due(now_ns=clock.now_ns)]
    assert store.save(folds) == [True, False]
    assert groups(store, clock) == {frozenset("ab")}


def test_records_of_a_group_are_listed(store, clock, item, record):
    """By run id, and of this group alone."""
    store.put([item("a"), item("b")])
    first, second = store.due(now_ns=clock.now_ns)
    save(store, store.items(first), record("z"), record("y"))
    save(store, store.items(second), record("x"))
    assert [found.run_id for found in store.records_of(first)] == ["y", "z"]
    assert store.records_of(12345) == []


def test_items_of_a_run_are_listed_page_by_page(store, clock, item, record):
    """The evidence behind a record, whatever order it came in."""
    made = [item(f"k{number}", "trace:1", time_ns=number // 2) for number in range(5)]
    store.put([*reversed(made), item("other")])
    for group in store.due(now_ns=clock.now_ns):
        taken = store.items(group)
        save(store, taken, record(f"run of {taken.total}"))
    seen, after = [], ""
    while page := store.run_items("run of 5", after=after, limit=2):
        seen += page
        after = item_cursor(page[-1])
    assert seen == sorted(made, key=lambda each: (each.time_ns, each.digest))
    assert store.run_items("run of 5", most_bytes=1) == seen[:1]
    assert store.run_items("nobody") == []


def test_each_revision_is_passed_on(store, clock, item, record):
    """What was not marked as emitted is listed until it is, the longest waiting first."""
    for key in "ab":
        store.put([item(key)])
        fold(store, clock, record(f"run-{key}"))
        clock.pass_s(1)
    assert [found.run_id for found in store.unemitted()] == ["run-a", "run-b"]
    assert [found.run_id for found in store.unemitted(limit=1)] == ["run-a"]
    store.mark_emitted(store.unemitted(limit=1))
    assert [found.run_id for found in store.unemitted()] == ["run-b"]
    store.put([item("a", says="nothing new")])
    fold(store, clock, record("run-a"))
    assert [found.run_id for found in store.unemitted()] == ["run-b"]
    store.put([item("a", says="something new")])
    fold(store, clock, record("run-a", outcome="failed"))
    assert [(found.run_id, found.revision) for found in store.unemitted()] == [("run-b", 1), ("run-a", 2)]


def test_a_revision_that_came_meanwhile_is_passed_on_too(store, clock, item, record):
    """Marking an older one, even twice or late, does not count for the newer."""
    store.put([item("a")])
    fold(store, clock, record("r"))
    older = store.unemitted()
    store.put([item("a", says="more")])
    fold(store, clock, record("r", outcome="failed"))
    store.mark_emitted(older)
    newer = store.unemitted()
    assert [found.revision for found in newer] == [2]
    store.mark_emitted(newer)
    store.mark_emitted(older)
    assert store.unemitted() == []
    store.mark_emitted([record("nobody")])
    store.mark_emitted([])


def test_what_is_not_there_is_nothing(store):
    """No exception for an unknown run or group, and an empty store has nothing due."""
    assert store.record("nobody") is None
    assert store.records() == []
    assert store.items(12345).items == ()
    assert store.due(now_ns=2**62) == []
    assert store.wake_at() is None
    assert store.put([]) == PutResult(0, 0)


LONG_PATH = "long/" * 2000 + "\x00"


def checked(check, verdict):
    """A verification, judged."""
    return Verification(id=f"v-{check}-{verdict}", check=check, outcome="unknown", verdict=verdict)


@pytest.fixture
def filled(store, clock, item, record):
    """A store of three runs."""
    store.put([item("a")])
    started = "2026-05-1{}T09:00:00.000Z"
    fold(
        store,
        clock,
        record(
            "r1",
            agent="fixer",
            repository="app",
            started=started.format(1),
            review_state="done",
            verifications=(checked("unit", "stale"), checked("unit", "proved")),
            changed_files=(ChangedFile(path="src/a.py", operation="move", old_path="src/old.py"),),
        ),
        record(
            "r2",
            agent="fixer",
            started=started.format(2),
            rules=("stale", "no-handoff"),
            review_state="failing",
            verifications=(checked("unit", "stale"), checked("types", "proved")),
            changed_files=(ChangedFile(path="src/a.py", operation="edit"),),
            failures=(Failure(id="f1", fingerprint="command:make:.:ab"),),
        ),
        record(
            "r3",
            agent="other",
            repository="app",
            started=started.format(3),
            lifecycle="open",
            rules=("stale",),
            task=Task(required_checks=(Check(name="unit"),)),
            changed_files=(ChangedFile(path=LONG_PATH, operation="create"),),
        ),
        record("r0"),
    )
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["r3", "r2", "r1", "r0"]),
        ({"agent": "fixer"}, ["r2", "r1"]),
        ({"agent": "fix"}, []),
        ({"state": "done"}, ["r1"]),
        ({"state": "open"}, ["r3"]),
        ({"repository": "app"}, ["r3", "r1"]),
        ({"since": "2026-05-12T09:00:00.000Z"}, ["r3", "r2"]),
        ({"until": "2026-05-12T09:00:00.000Z"}, ["r1", "r0"]),
        ({"finding": "stale"}, ["r3", "r2"]),
        ({"finding": "stale", "agent": "other"}, ["r3"]),
        ({"finding": "%"}, []),
        ({"check": "unit"}, ["r3", "r2", "r1"]),
        ({"check": "unit", "verdict": "proved"}, ["r1"]),
        ({"check": "unit", "verdict": "stale"}, ["r2"]),
        ({"check": "lint", "verdict": "proved"}, []),
        ({"verdict": "proved"}, ["r2", "r1"]),
        ({"verdict": "not_run"}, ["r3"]),
        ({"check": "unit", "finding": "stale"}, ["r3", "r2"]),
        ({"check": "unit", "agent": "fixer", "limit": 1}, ["r2"]),
        ({"check": "%"}, []),
        ({"file": "src/a.py"}, ["r2", "r1"]),
        ({"file": "src/old.py"}, ["r1"]),
        ({"file": "src/a.py", "check": "unit", "verdict": "stale"}, ["r2"]),
        ({"file": "src"}, []),
        ({"fingerprint": "command:make:.:ab"}, ["r2"]),
        ({"fingerprint": "command:make:.:ab", "check": "lint"}, []),
        ({"file": LONG_PATH}, ["r3"]),
        ({"file": LONG_PATH + "x"}, []),
        ({"agent": "' OR 1=1 --"}, []),
        ({"limit": 1}, ["r3"]),
    ],
)
def test_records_are_found_by_what_they_say(filled, query, found):
    """The latest run first; conditions are exact and hold together."""
    assert [record.run_id for record in filled.records(RecordQuery(**query))] == found


@pytest.mark.parametrize(
    ("earliest_first", "expected"), [(False, ["r3", "r2", "r1", "r0"]), (True, ["r0", "r1", "r2", "r3"])]
)
def test_a_list_is_continued_after_its_last_record(filled, earliest_first, expected):
    """Page by page, in either direction, nothing is left out and nothing twice, the run without a start included."""
    seen, after = [], ""
    while page := filled.records(RecordQuery(limit=1, after=after, earliest_first=earliest_first)):
        seen += [record.run_id for record in page]
        after = cursor(page[-1])
    assert seen == expected


def test_statistics_count_what_is_there(filled, item):
    """Items, duplicates, groups, what is due, records by lifecycle."""
    filled.put([item("a"), item("b"), item("c")])
    filled.put([item("d", "trace:b", "trace:c")])
    stats = filled.stats()
    assert (stats.items, stats.duplicates, stats.expired, stats.groups, stats.due) == (4, 1, 0, 2, 1)
    assert stats.records == {"settled": 3, "open": 1}


def test_a_closed_store_refuses(store, item):
    """Closing twice is closing once; using it then is an error of ours."""
    store.close()
    store.close()
    for use in (
        lambda: store.put([item("a")]),
        lambda: store.due(now_ns=1),
        lambda: store.claim(Claim(), now_ns=1),
        store.wake_at,
        lambda: store.items(1),
        lambda: store.save([]),
        lambda: store.record("r"),
        store.records,
        lambda: store.records_of(1),
        lambda: store.run_items("r"),
        store.unemitted,
        lambda: store.mark_emitted([]),
        store.refold,
        lambda: store.expire(before_ns=1),
        store.stats,
    ):
        with pytest.raises(StoreError):
            use()
