"""What a store promises. SQLite keeps it today; another database joins by keeping it too (one test suite for all).

Items that share a link, directly or through others, form a *group*. A group is *due* when items came since it was last
folded, or when a record of it must be looked at again because time alone changes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord

GroupId = int
"""Names a group while it lives: one that is merged into another is gone, and its id is never given again."""


class PutResult(msgspec.Struct, frozen=True):
    """How many items were new, and how many were there already."""

    stored: int
    duplicates: int


class GroupItems(msgspec.Struct, frozen=True, kw_only=True):
    """The items of a group as they were at ``sequence``; ``total`` exceeds them where the caller set a limit."""

    group: GroupId
    items: tuple[Item, ...]
    sequence: int
    total: int


class RecordQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which records to list; what is left empty is not asked about.

    ``state`` is a review state or a lifecycle. ``since`` and ``until`` are RFC 3339 times as records have them, the
    first included, the second not. ``finding`` is the rule of a finding. ``before`` continues a list: ``cursor`` of its
    last record.
    """

    agent: str = ""
    state: str = ""
    repository: str = ""
    since: str = ""
    until: str = ""
    finding: str = ""
    before: str = ""
    limit: int = 50


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds. ``duplicates`` counts deliveries that were there already, ever."""

    items: int
    duplicates: int
    groups: int
    due: int
    records: Mapping[str, int]


class Store(Protocol):
    """Where items and records are kept. Every method may raise ``StoreError``, and then has changed nothing."""

    def put(self, items: Sequence[Item]) -> PutResult:
        """Keeps the items, durably once it returns, and marks their groups due; twice equals once."""

    def put_all(self, batches: Sequence[Sequence[Item]]) -> list[PutResult]:
        """Does ``put`` for each batch, in one transaction: all are kept or none."""

    def due(self, *, now_ns: int, debounce_s: float = 0.0) -> list[GroupId]:
        """Lists the groups to fold now, the longest due first.

        A group that new items came to is due ``debounce_s`` after the first of them, however many follow: so a run that
        goes on is folded once in that time, and not once per batch. Empty where nothing is due.
        """

    def wake_at(self, *, debounce_s: float = 0.0) -> int | None:
        """Tells when (in ns) the next group will be due, given that nothing comes; None where none ever will."""

    def items(self, group: GroupId, *, limit: int | None = None) -> GroupItems:
        """Gives the items of a group, the earliest first; none where there is no such group (it was merged away)."""

    def save(self, folded: GroupItems, records: Sequence[RunRecord], *, look_again_ns: int | None = None) -> bool:
        """Keeps the records that these items were folded into, and counts the group as done.

        A record whose content is new gets the next revision; the group's other records are removed. The group stays due
        where items came meanwhile. ``look_again_ns`` makes it due then, come what may.

        False, and no record written, where the fold is out of date: the group was merged away, or folded later by
        somebody else, or one of the runs has a record of another group. The groups are then merged and due: a dialect
        knows keys of runs that no link shows.
        """

    def record(self, run_id: str) -> RunRecord | None:
        """Gives the record of a run; None where there is none."""

    def records(self, query: RecordQuery = ...) -> list[RunRecord]:
        """Lists records, the latest run first; empty where none matches."""

    def stats(self) -> Stats:
        """Counts what is there."""

    def close(self) -> None:
        """Lets go of the database; further calls raise ``StoreError``. Twice equals once."""


def cursor(record: RunRecord) -> str:
    """Where a list continues after this record."""
    return f"{record.started or ''} {record.run_id}"
