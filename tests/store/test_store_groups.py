"""Groups do not depend on how items arrive."""

from __future__ import annotations

import hashlib
from contextlib import closing

from hypothesis import given, settings, strategies as st

from agent_otel.model.item import Item
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
