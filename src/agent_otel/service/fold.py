"""Folds the groups of a store that are due: items, decoded, compacted, judged, saved as the next revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from msgspec.structs import replace

from agent_otel.compaction.bounds import bounded
from agent_otel.compaction.compact import brought_later, compact
from agent_otel.compaction.policy import Policy
from agent_otel.errors import StoreError
from agent_otel.model.item import Item, Signals
from agent_otel.model.record import RunRecord
from agent_otel.otlp.views import views
from agent_otel.review.judge import judge
from agent_otel.service.dialects import for_a_fold
from agent_otel.service.evidence import left_by, met
from agent_otel.service.kept import beside_cut, beside_sealed
from agent_otel.service.reading import BOUNDS, Bounds, Reading
from agent_otel.store.base import AT_ONCE, Folded, GroupId, Pace, RecordQuery, Store
from agent_otel.store.sqlite import SqliteStore

END_OF_TIME_NS: Final = 1 << 62
"""A time by which everything has happened: whatever has no end by then never will."""

_GROUPS_AT_ONCE: Final = 64


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of groups that were to be folded.

    ``saved`` were. ``out_of_date`` were changed by somebody else meanwhile, and are due again. ``failed`` could not be
    folded: a mistake in this program; they stay due.
    """

    saved: int
    out_of_date: int
    items: int
    records: int
    failed: Mapping[GroupId, Exception]


def fold(items: Iterable[Item], *, now_ns: int, policy: Policy) -> list[RunRecord]:
    """The judged records of the runs in one group of items, as the dialects here read them.

    Pure; order and repetition do not matter.

    Args:
        items: the items of the group.
        now_ns: the time it is.
        policy: how to compact.
    """
    return _fold(views(items), now_ns=now_ns, policy=policy)


def fold_group(
    store: Store, group: GroupId, *, now_ns: int, policy: Policy, bounds: Bounds = BOUNDS
) -> tuple[Folded, int]:
    """What is to be saved of a group, and how many items it was folded from."""
    reading = Reading(store, group, bounds)
    first = reading.first
    records = _fold(reading.signals, now_ns=now_ns, policy=policy)
    if reading.cut:
        records = beside_cut([_cut(record) for record in records], store.records_of(group))
    if first.sealed:
        others = brought_later(reading.signals)
        sealed = [
            bounded(others.to(record), policy) for record in store.records_of(group) if record.run_id in first.sealed
        ]
        records = beside_sealed(records, sealed)
    # Before the records are saved: whoever is killed in between folds the group again.
    if meeting := [*met(reading.signals), *left_by(records, known=store.record)]:
        store.note(meeting)
    look_again_ns = _look_again(records, reading.last_ns, now_ns=now_ns, policy=policy)
    folded = Folded(group=group, sequence=first.sequence, records=records, look_again_ns=look_again_ns)
    return folded, len(reading.signals)


def fold_claimed(
    store: Store, groups: Sequence[GroupId], *, now_ns: int, policy: Policy, bounds: Bounds = BOUNDS
) -> Outcome:
    """Folds some groups and saves their records in one transaction.

    Args:
        store: where the groups are.
        groups: which.
        now_ns: the time it is.
        policy: how to compact.
        bounds: how much of a group is folded.

    Raises:
        StoreError: the database refused; nothing was saved.
    """
    folds: list[Folded] = []
    failed: dict[GroupId, Exception] = {}
    items = 0
    for group in groups:
        with _noted(failed, group):
            folded, count = fold_group(store, group, now_ns=now_ns, policy=policy, bounds=bounds)
            folds.append(folded)
            items += count
    saved = sum(store.save(folds))
    records = sum(len(each.records) for each in folds)
    return Outcome(saved=saved, out_of_date=len(folds) - saved, items=items, records=records, failed=failed)


@contextmanager
def _noted(failed: dict[GroupId, Exception], group: GroupId) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except Exception as exc:  # noqa: BLE001 - a mistake in a dialect must not keep the neighbours from their records
        failed[group] = exc


def fold_due(
    store: Store,
    *,
    now_ns: int,
    policy: Policy,
    pace: Pace = AT_ONCE,
    folded: Callable[[int], object] = lambda _: None,
) -> int:
    """Folds every group that is due, whoever may have claimed it.

    Args:
        store: where the groups are.
        now_ns: the time it is.
        policy: how to compact.
        pace: how long a group may gather items before it is folded.
        folded: called with how many groups were folded, for progress.

    Returns:
        How many groups were folded.

    Raises:
        StoreError: the database refused.
    """
    count = 0
    failed: dict[GroupId, Exception] = {}
    # A fold can find that two groups belong together, and make both due again: merged groups are fewer, so it ends.
    while due := [group for group in store.due(now_ns=now_ns, pace=pace) if group not in failed]:
        for start in range(0, len(due), _GROUPS_AT_ONCE):
            outcome = fold_claimed(store, due[start : start + _GROUPS_AT_ONCE], now_ns=now_ns, policy=policy)
            count += outcome.saved
            failed.update(outcome.failed)
            folded(outcome.saved)
    for exc in failed.values():
        raise exc
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


def _fold(signals: Iterable[Signals], *, now_ns: int, policy: Policy) -> list[RunRecord]:
    return [judge(record) for record in compact(signals, now_ns=now_ns, policy=policy, dialects=for_a_fold())]


def _cut(record: RunRecord) -> RunRecord:
    return judge(replace(record, capture=replace(record.capture, truncated=True, complete=False)))


def _look_again(records: Iterable[RunRecord], last_ns: int, *, now_ns: int, policy: Policy) -> int | None:
    """When an open run will count as abandoned, if nothing more comes; None where no run is open."""
    if not any(record.lifecycle == "open" for record in records):
        return None
    # Dialects may know of later signs of life than the items' own times: never look again at once.
    return max(last_ns + int(policy.abandoned_after_s * 1e9), now_ns + 1_000_000_000)
