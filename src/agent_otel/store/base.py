"""What a store promises. SQLite and PostgreSQL keep it; another database joins by keeping it too (one suite for all).

Items that share a link, directly or through others, form a *group*. A group is *due* when items came since it was last
folded, or when a record of it must be looked at again because time alone changes it. Two deliveries with the same
digest are the same item, and have the same links.
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


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a group gathers items before it is folded, from the first new one on.

    ``debounce_s``, however many follow: so a run that goes on is folded once in that time, and not once per batch; and
    ``per_item_s`` for each item the group holds: so folding a giant run again and again takes a bounded share of time.
    ``most_items`` is how many of them a fold reads, and so the most that count: a giant does not wait for what costs
    nothing.
    """

    debounce_s: float = 0.0
    per_item_s: float = 0.0
    most_items: int = 1 << 31


AT_ONCE = Pace()
"""Nothing is waited for."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Which due groups to take for oneself: at most ``limit``, for ``lease_s``.

    A claimed group is given to nobody else until it is saved or the lease ends. A group whose lease ended without a
    save may be what killed whoever had it: it is given out alone, and for twice as long each time (up to 64 times), so
    that it neither takes others down with it nor comes back at once. ``most_items`` leaves larger groups to others.
    """

    limit: int = 64
    lease_s: float = 60.0
    most_items: int | None = None


class GroupItems(msgspec.Struct, frozen=True, kw_only=True):
    """Items of a group as it was at ``sequence``; ``total`` exceeds them where the caller set a limit.

    ``expired``: so many items of the group were removed by age. ``sealed`` are the runs whose records were folded from
    those, by run id: they cannot be folded again, and stay as they are but for a note that something came late.
    """

    group: GroupId
    items: tuple[Item, ...]
    sequence: int
    total: int
    expired: int = 0
    sealed: tuple[str, ...] = ()


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """The records that a group's items, as they were at ``sequence``, were folded into."""

    group: GroupId
    sequence: int
    records: Sequence[RunRecord]
    look_again_ns: int | None = None


class RecordQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which records to list; what is left empty is not asked about.

    ``state`` is a review state or a lifecycle. ``since`` and ``until`` are RFC 3339 times as records have them, the
    first included, the second not. ``finding`` is the rule of a finding. ``check`` names a check, ``verdict`` is what a
    check is worth: given both, that check. ``file`` is the path of a changed file. ``fingerprint`` is
    that of a failure or finding. ``after`` continues a list:
    ``cursor`` of its last record. The latest run comes first, or the earliest.
    """

    agent: str = ""
    state: str = ""
    repository: str = ""
    since: str = ""
    until: str = ""
    finding: str = ""
    check: str = ""
    verdict: str = ""
    file: str = ""
    fingerprint: str = ""
    after: str = ""
    earliest_first: bool = False
    limit: int = 50


EVERYTHING = RecordQuery()
"""Nothing is asked about."""


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds; ``due`` counts the groups that items came to since they were folded.

    ``duplicates`` counts the deliveries that were there already, ever, and ``expired`` the items that were removed.
    ``notes`` counts the items that came by ``note`` and not by delivery, ever: ``items`` and ``expired`` together are
    what was delivered and these.
    """

    items: int
    duplicates: int
    notes: int
    expired: int
    groups: int
    due: int
    records: Mapping[str, int]


class Store(Protocol):
    """Where items and records are kept. Every method may raise ``StoreError``, and then has changed nothing.

    Safe for threads and for processes. Times that are asked about are arguments; the store has a clock of its own for
    the time at which items come.
    """

    def put(self, items: Sequence[Item]) -> PutResult:
        """Keeps the items, durably once it returns, and marks their groups due; twice equals once."""

    def put_all(self, batches: Sequence[Sequence[Item]]) -> list[PutResult]:
        """Does ``put`` for each batch, in one transaction: all are kept or none."""

    def note(self, items: Sequence[Item]) -> None:
        """Does ``put`` with what a processor itself says: what is new counts as a note, and repetition not at all."""

    def due(self, *, now_ns: int, pace: Pace = AT_ONCE) -> list[GroupId]:
        """Lists the groups to fold now, whoever may have claimed them, the longest waiting first; empty where none is.

        What was marked as due more than a minute after ``now_ns`` is due as well: the clock was set back.
        """

    def claim(self, claim: Claim, *, now_ns: int, pace: Pace = AT_ONCE) -> list[GroupId]:
        """Takes due groups that nobody else has, the longest waiting first; empty where there is none."""

    def wake_at(self, *, pace: Pace = AT_ONCE) -> int | None:
        """Tells when (in ns) there will be something to claim, given that nothing comes; None where there never is."""

    def items(
        self,
        group: GroupId,
        *,
        after: str = "",
        limit: int | None = None,
        most_bytes: int | None = None,
        latest: bool = False,
    ) -> GroupItems:
        """Gives items of a group, the earliest first; none where there is no such group (it was merged away).

        Whatever order they came in, they are in the order of time and digest. ``after`` is the ``item_cursor`` of the
        last item one has. At most ``limit``, and no more once their ``raw`` comes to ``most_bytes`` (but at least one),
        so that what is given fits into memory: the first ones, or the ``latest``.
        """

    def save(self, folds: Sequence[Folded]) -> list[bool]:
        """Keeps the records that groups were folded into, and counts the groups as done, all in one transaction.

        Claims are let go of. A record whose content is new gets the next revision; the group's other records are
        removed. A group stays due where items came meanwhile. ``look_again_ns`` makes it due then, come what may.

        False, and nothing written for it, where a fold is out of date: the group was merged with another, or folded
        later by somebody else, or one of the runs has a record of another group. In the last case the groups are then
        merged and due at once: a dialect knows keys of runs that no link shows.
        """

    def record(self, run_id: str) -> RunRecord | None:
        """Gives the record of a run; None where there is none."""

    def records(self, query: RecordQuery = EVERYTHING) -> list[RunRecord]:
        """Lists records in the order of start and run id, the latest first by default; empty where none matches."""

    def records_of(self, group: GroupId) -> list[RunRecord]:
        """Lists the records of a group by run id; empty where it has none."""

    def run_items(
        self, run_id: str, *, after: str = "", limit: int = 1000, most_bytes: int | None = None
    ) -> list[Item]:
        """Lists the items that the run's record was folded from, in the order of ``item_cursor``, and after one.

        They may belong to several runs of one group. Empty where there is no such run, or the items have expired.
        ``most_bytes`` is that of ``items``.
        """

    def unemitted(self, *, limit: int = 100) -> list[RunRecord]:
        """Lists records whose revision was not marked as emitted yet, the longest waiting first."""

    def mark_emitted(self, records: Sequence[RunRecord]) -> None:
        """Notes that these revisions were passed on; a newer one of the same run stays unemitted."""

    def refold(self, *, since: str = "") -> int:
        """Makes all groups due that have items (and a record that started ``since``, if given); tells how many."""

    def expire(self, *, before_ns: int, limit: int = 10_000) -> int:
        """Removes items of groups that nothing came to since ``before_ns`` and that nothing waits in; tells how many.

        Their records are kept, and sealed. At most ``limit`` items at a time, so that nobody waits for it: 0 means that
        there are no more.
        """

    def stats(self) -> Stats:
        """Counts what is there."""

    def close(self) -> None:
        """Lets go of the database; further calls raise ``StoreError``. Twice equals once."""


def cursor(record: RunRecord) -> str:
    """Where a list of records continues after this one."""
    return f"{record.started or ''} {record.run_id}"


def item_cursor(item: Item) -> str:
    """Where a list of items continues after this one."""
    return f"{item.time_ns} {item.digest.hex()}"


def item_position(after: str) -> tuple[int, bytes]:
    """The time and digest that the next item of a list comes after; before all of them where there is no cursor.

    Raises:
        ValueError: this is no ``item_cursor``.
    """
    if not after:
        return -1, b""
    time_ns, _, digest = after.partition(" ")
    return int(time_ns), bytes.fromhex(digest)
