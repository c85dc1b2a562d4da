"""Folds the groups of a store that are due: items, decoded, compacted, judged, saved as the next revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from agent_otel.compaction.compact import compact
from agent_otel.compaction.policy import Policy
from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord
from agent_otel.otlp.views import views
from agent_otel.review.judge import judge
from agent_otel.store.base import GroupId, RecordQuery, Store
from agent_otel.store.sqlite import SqliteStore

END_OF_TIME_NS: Final = 1 << 62
"""A time by which everything has happened: whatever has no end by then never will."""

MAX_ITEMS: Final = 200_000
"""Items of one group that are folded; a larger group is folded from its first ones, and its records say so."""


def fold(items: Iterable[Item], *, now_ns: int, policy: Policy, truncated: bool = False) -> list[RunRecord]:
    """The judged records of the runs in one group of items. Pure; order and repetition do not matter.

    Args:
        items: the items of the group.
        now_ns: the time it is.
        policy: how to compact.
        truncated: whether these are not all of them, which the records then say.
    """
    records = compact(views(items), now_ns=now_ns, policy=policy)
    return [judge(_cut(record) if truncated else record) for record in records]


def fold_group(store: Store, group: GroupId, *, now_ns: int, policy: Policy) -> bool:
    """Folds one group and saves its records; False where somebody else was faster and the group is due again."""
    taken = store.items(group, limit=MAX_ITEMS)
    records = fold(taken.items, now_ns=now_ns, policy=policy, truncated=taken.total > len(taken.items))
    return store.save(taken, records, look_again_ns=_look_again(taken.items, records, now_ns=now_ns, policy=policy))


def fold_due(
    store: Store,
    *,
    now_ns: int,
    policy: Policy,
    debounce_s: float = 0.0,
    folded: Callable[[], object] = lambda: None,
) -> int:
    """Folds every group that is due.

    Args:
        store: where the groups are.
        now_ns: the time it is.
        policy: how to compact.
        debounce_s: how long a group may gather items before it is folded.
        folded: called after each group, for progress.

    Returns:
        How many groups were folded.
    """
    count = 0
    # A fold can find that two groups belong together, and make both due again: merged groups are fewer, so it ends.
    while due := store.due(now_ns=now_ns, debounce_s=debounce_s):
        for group in due:
            count += fold_group(store, group, now_ns=now_ns, policy=policy)
            folded()
    return count


def fold_groups(items: Sequence[Item], *, policy: Policy) -> list[RunRecord]:
    """The judged records of all runs in ``items``, which are all there is: a run without an end is abandoned.

    Whatever today's date, the same items give the same records. The latest run comes first.
    """
    store = SqliteStore(None)
    try:
        store.put(items)
        fold_due(store, now_ns=END_OF_TIME_NS, policy=policy)
        return store.records(RecordQuery(limit=max(len(items), 1)))
    finally:
        store.close()


def _cut(record: RunRecord) -> RunRecord:
    capture = msgspec.structs.replace(record.capture, truncated=True, complete=False)
    return msgspec.structs.replace(record, capture=capture)


def _look_again(items: tuple[Item, ...], records: list[RunRecord], *, now_ns: int, policy: Policy) -> int | None:
    """When an open run will count as abandoned, if nothing more comes; None where no run is open."""
    if not any(record.lifecycle == "open" for record in records):
        return None
    # Dialects may know of later signs of life than the items' own times: never look again at once.
    return max(max(item.time_ns for item in items) + int(policy.abandoned_after_s * 1e9), now_ns + 1_000_000_000)
