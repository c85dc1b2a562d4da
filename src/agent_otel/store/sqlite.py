"""The embedded store: one SQLite file, shared by threads and processes, in the standard library's driver."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord
from agent_otel.model.versions import decode
from agent_otel.store import items as item_rows, records as record_rows, schedule
from agent_otel.store.base import (
    AT_ONCE,
    EVERYTHING,
    Claim,
    Folded,
    GroupId,
    GroupItems,
    Pace,
    PutResult,
    RecordQuery,
    Stats,
)
from agent_otel.store.connection import Connection
from agent_otel.store.grouping import Grouping
from agent_otel.store.items import Part

_FOLDED = """
    UPDATE groups SET folded = ?, look_again_ns = ?, dirty_since_ns = CASE WHEN sequence > ? THEN ? END,
        claimed_ns = NULL, claimed_until_ns = NULL, attempts = 0
    WHERE id = ?
"""
_REFOLD = """
    UPDATE groups SET sequence = sequence + 1, dirty_since_ns = coalesce(dirty_since_ns, ?), attempts = 0
    WHERE items > 0 AND (? = '' OR id IN (SELECT group_id FROM records WHERE started >= ?))
"""
_EXPIRING = """
    SELECT id FROM groups WHERE items > 0 AND newest_ns < ? AND dirty_since_ns IS NULL ORDER BY newest_ns LIMIT 1
"""


class SqliteStore:
    """A ``Store`` in one SQLite file; ``None`` keeps it in memory, for this object alone.

    Safe for threads, and for processes on one machine. A forked child opens the file anew.

    Args:
        path: the file; made with its folders where missing, readable by its owner alone.
        clock: gives the time in ns.
        busy_s: how long to wait for another process that is writing.

    Raises:
        StoreError: the file cannot be used, is not ours, or was written by a newer program.
    """

    def __init__(self, path: Path | None, *, clock: Callable[[], int] = time.time_ns, busy_s: float = 30.0) -> None:
        self._clock = clock
        self._database = Connection(path, busy_s=busy_s)
        self.path = self._database.path

    def put(self, items: Sequence[Item]) -> PutResult:
        """See ``Store.put``."""
        return self.put_all([items])[0]

    def put_all(self, batches: Sequence[Sequence[Item]]) -> list[PutResult]:
        """See ``Store.put_all``."""
        return self._put_all(batches)

    def note(self, items: Sequence[Item]) -> None:
        """See ``Store.note``."""
        self._put_all([items], delivered=False)

    def due(self, *, now_ns: int, pace: Pace = AT_ONCE) -> list[GroupId]:
        """See ``Store.due``."""
        with self._database.transaction(write=False) as connection:
            return schedule.due(connection, now_ns=now_ns, pace=pace)

    def claim(self, claim: Claim, *, now_ns: int, pace: Pace = AT_ONCE) -> list[GroupId]:
        """See ``Store.claim``."""
        with self._database.transaction() as connection:
            return schedule.claim(connection, claim, now_ns=now_ns, pace=pace)

    def wake_at(self, *, pace: Pace = AT_ONCE) -> int | None:
        """See ``Store.wake_at``."""
        with self._database.transaction(write=False) as connection:
            return schedule.wake_at(connection, pace=pace)

    def items(
        self,
        group: GroupId,
        *,
        after: str = "",
        limit: int | None = None,
        most_bytes: int | None = None,
        latest: bool = False,
    ) -> GroupItems:
        """See ``Store.items``."""
        with self._database.transaction(write=False) as connection:
            row = connection.execute("SELECT sequence, items, expired FROM groups WHERE id = ?", (group,)).fetchone()
            sequence, total, expired = row or (0, 0, 0)
            part = Part(after=after, limit=limit, most_bytes=most_bytes, latest=latest)
            return GroupItems(
                group=group,
                items=tuple(item_rows.select(connection, group, part)),
                sequence=sequence,
                total=total,
                expired=expired,
                sealed=tuple(item_rows.sealed(connection, group)) if expired else (),
            )

    def save(self, folds: Sequence[Folded]) -> list[bool]:
        """See ``Store.save``."""
        with self._database.transaction() as connection:
            return [self._save(connection, fold) for fold in folds]

    def record(self, run_id: str) -> RunRecord | None:
        """See ``Store.record``."""
        found = self._decoded("SELECT document FROM records WHERE run_id = ?", (run_id,))
        return found[0] if found else None

    def records(self, query: RecordQuery = EVERYTHING) -> list[RunRecord]:
        """See ``Store.records``."""
        return self._decoded(*record_rows.selection(query))

    def records_of(self, group: GroupId) -> list[RunRecord]:
        """See ``Store.records_of``."""
        return self._decoded("SELECT document FROM records WHERE group_id = ? ORDER BY run_id", (group,))

    def run_items(
        self, run_id: str, *, after: str = "", limit: int = 1000, most_bytes: int | None = None
    ) -> list[Item]:
        """See ``Store.run_items``."""
        with self._database.transaction(write=False) as connection:
            row = connection.execute("SELECT group_id FROM records WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                return []
            return item_rows.select(connection, row[0], Part(after=after, limit=limit, most_bytes=most_bytes))

    def unemitted(self, *, limit: int = 100) -> list[RunRecord]:
        """See ``Store.unemitted``."""
        return self._decoded(
            "SELECT document FROM records WHERE waiting_since_ns IS NOT NULL ORDER BY waiting_since_ns, run_id LIMIT ?",
            (limit,),
        )

    def mark_emitted(self, records: Sequence[RunRecord]) -> None:
        """See ``Store.mark_emitted``."""
        with self._database.transaction() as connection:
            record_rows.mark_emitted(connection, records)

    def refold(self, *, since: str = "") -> int:
        """See ``Store.refold``."""
        with self._database.transaction() as connection:
            return connection.execute(_REFOLD, (self._clock(), since, since)).rowcount

    def expire(self, *, before_ns: int, limit: int = 10_000) -> int:
        """See ``Store.expire``."""
        removed = 0
        with self._database.transaction() as connection:
            while removed < limit and (row := connection.execute(_EXPIRING, (before_ns,)).fetchone()):
                count = item_rows.expire(connection, *row, limit=limit - removed)
                connection.execute(
                    "UPDATE groups SET items = items - ?, expired = expired + ? WHERE id = ?", (count, count, *row)
                )
                connection.execute("UPDATE records SET sealed = 1 WHERE group_id = ?", row)
                removed += count
            _count(connection, items=-removed, expired=removed)
        return removed

    def stats(self) -> Stats:
        """See ``Store.stats``."""
        with self._database.transaction(write=False) as connection:
            counters = dict(connection.execute("SELECT name, value FROM counters"))
            (due,) = connection.execute("SELECT count(*) FROM groups WHERE dirty_since_ns IS NOT NULL").fetchone()
            records = dict(connection.execute("SELECT lifecycle, records FROM lifecycles WHERE records > 0"))
        return Stats(due=due, records=records, **counters)

    def close(self) -> None:
        """See ``Store.close``."""
        self._database.close()

    def _put_all(self, batches: Sequence[Sequence[Item]], *, delivered: bool = True) -> list[PutResult]:
        with self._database.transaction() as connection:
            grouping = Grouping(connection, now_ns=self._clock())
            groups = grouping.of(item.links for batch in batches for item in batch)
            results, added = item_rows.put(connection, batches, groups)
            grouping.touch(added)
            stored = sum(result.stored for result in results)
            repeated = sum(result.duplicates for result in results)
            _count(
                connection,
                items=stored - grouping.twins,
                duplicates=grouping.twins + (repeated if delivered else 0),
                notes=0 if delivered else stored,
                groups=grouping.grown,
            )
        return results

    def _save(self, connection: sqlite3.Connection, fold: Folded) -> bool:
        row = connection.execute("SELECT folded FROM groups WHERE id = ?", (fold.group,)).fetchone()
        if row is None or fold.sequence < row[0]:
            return False
        now_ns = self._clock()
        others = record_rows.other_groups(connection, fold.records, fold.group)
        if others:
            grouping = Grouping(connection, now_ns=now_ns)
            merged = grouping.merge({fold.group, *others})
            # At once: who folds now counts on finding the records when it is done.
            connection.execute("UPDATE groups SET dirty_since_ns = 0 WHERE id = ?", (merged,))
            _count(connection, groups=grouping.grown, items=-grouping.twins, duplicates=grouping.twins)
            return False
        record_rows.replace(connection, fold.records, fold.group, now_ns=now_ns)
        # Senders may claim times so late that what follows from them does not fit.
        again_ns = None if fold.look_again_ns is None else min(fold.look_again_ns, schedule.LAST_NS)
        connection.execute(_FOLDED, (fold.sequence, again_ns, fold.sequence, now_ns, fold.group))
        return True

    def _decoded(self, statement: str, values: Sequence[object] | Mapping[str, object]) -> list[RunRecord]:
        with self._database.transaction(write=False) as connection:
            documents: Iterable[tuple[bytes]] = connection.execute(statement, values).fetchall()
        return [decode(document) for (document,) in documents]


def _count(connection: sqlite3.Connection, **changes: int) -> None:
    connection.executemany(
        "UPDATE counters SET value = value + ? WHERE name = ?",
        [(change, name) for name, change in changes.items() if change],
    )
