"""Groups do not depend on how items arrive."""

from __future__ import annotations

import hashlib
from contextlib import closing

from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.model.item import Item
from agent_otel.store.base import PutResult, Stats
from agent_otel.store.sqlite import SqliteStore

links = st.lists(st.sampled_from([f"link:{name}" for name in "abcdefgh"]), min_size=1, max_size=3, unique=True)


def _item(number, found):
    key = f"item-{number}"
    return Item(
        signal="span",
        key=key,
        digest=hashlib.blake2b(key.encode(), digest_size=16).digest(),
        links=tuple(found),
        time_ns=number,
        resource=b"r%d" % (number % 3),
        scope=b"",
        raw=key.encode(),
    )


item_sets = st.lists(links, max_size=10).map(lambda found: [_item(*pair) for pair in enumerate(found)])


def _components(items):
    """The groups, by the book: join until nothing joins any more."""
    groups = []
    for item in items:
        together, apart = [item], []
        for group in groups:
            shares = {link for each in group for link in each.links} & set(item.links)
            if shares:
                together += group
            else:
                apart.append(group)
        groups = [*apart, together]
    return {frozenset(group) for group in groups}


def _stored(store):
    return {frozenset(store.items(group).items) for group in store.due(now_ns=2**62)}


@settings(max_examples=150, deadline=None)
@given(st.data(), item_sets)
def test_order_repetition_and_partition_leave_the_same_groups(data, items):
    """However items are shuffled, repeated and cut into deliveries, the groups are those of their links."""
    deliveries = data.draw(
        st.permutations(items + data.draw(st.lists(st.sampled_from(items), max_size=5)) if items else [])
    )
    stored = duplicates = 0
    with closing(SqliteStore(None)) as store:
        while deliveries:
            size = data.draw(st.integers(1, len(deliveries)))
            result = store.put(deliveries[:size])
            stored, duplicates = stored + result.stored, duplicates + result.duplicates
            del deliveries[:size]
        assert _stored(store) == _components(items)
        assert stored == len(items) == store.stats().items
        assert duplicates == store.stats().duplicates


def test_thousands_of_groups_may_turn_out_to_be_one():
    """In one delivery, beside items that were there already and ones that come twice."""
    apart = [_item(number, [f"link:{number}"]) for number in range(2_000)]
    joining = [_item(2_000 + number, [f"link:{number}", f"link:{number + 1}"]) for number in range(1_999)]
    with closing(SqliteStore(None)) as store:
        store.put(apart)
        assert store.stats().groups == 2_000
        assert store.put_all([joining, joining, apart]) == [
            PutResult(1_999, 0),
            PutResult(0, 1_999),
            PutResult(0, 2_000),
        ]
        assert _stored(store) == {frozenset([*apart, *joining])}
        assert store.stats() == Stats(items=3_999, duplicates=3_999, expired=0, notes=0, groups=1, due=1, records={})


def test_an_item_in_which_more_links_are_found_later_is_one_item():
    """A newer program may see links that an older one did not, and be sent the item again."""
    item = _item(1, ["link:a"])
    with closing(SqliteStore(None)) as store:
        store.put([item, _item(2, ["link:a"])])
        store.put([replace(item, links=("link:b",))])
        store.put([_item(3, ["link:a", "link:b"])])
        (found,) = _stored(store)
        assert {each.key for each in found} == {"item-1", "item-2", "item-3"}
        stats = store.stats()
        assert (stats.items, stats.duplicates, stats.groups) == (3, 1, 1)
