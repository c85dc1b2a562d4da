"""The embedded store: one SQLite file, shared by threads and processes, in the standard library's driver."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord
from agent_otel.model.versions import decode
from agent_otel.store import records as record_rows
from agent_otel.store.base import GroupId, GroupItems, PutResult, RecordQuery, Stats
from agent_otel.store.connection import Connection
from agent_otel.store.grouping import Grouping

_INSERT_ITEM = """
    INSERT INTO items (group_id, signal, key, digest, links, time_ns, resource, scope, repaired, raw)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key, digest) DO NOTHING
"""
_SELECT_ITEMS = """
    SELECT signal, key, items.digest, links, time_ns, resources.content, scopes.content, raw, repaired
    FROM items
    JOIN contents AS resources ON resources.digest = resource
    JOIN contents AS scopes ON scopes.digest = scope
    WHERE group_id = ? ORDER BY time_ns, key, items.digest LIMIT ?
"""
_EVERYTHING = RecordQuery()
_NS = 1_000_000_000
_CLOCK_SET_BACK_NS = 60 * _NS
_LAST_NS = (1 << 63) - 1
_LINKS = msgspec.json.Decoder(tuple[str, ...])


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
        with self._database.transaction() as connection:
            grouping = Grouping(connection, (item for batch in batches for item in batch))
            contents = _Contents(connection)
            results = [_put(connection, batch, grouping, contents) for batch in batches]
            grouping.touch(self._clock())
            duplicates = sum(result.duplicates for result in results)
            connection.execute("UPDATE counters SET value = value + ? WHERE name = 'duplicates'", (duplicates,))
        return results

    def due(self, *, now_ns: int, debounce_s: float = 0.0) -> list[GroupId]:
        """See ``Store.due``."""
        with self._database.transaction(write=False) as connection:
            # Marked long after now: the clock was set back. Folding too early does no harm.
            rows = connection.execute(
                "SELECT id FROM groups WHERE dirty_since_ns <= ? OR dirty_since_ns > ? OR look_again_ns <= ?"
                " ORDER BY coalesce(dirty_since_ns, look_again_ns), id",
                (now_ns - int(debounce_s * _NS), min(now_ns + _CLOCK_SET_BACK_NS, _LAST_NS), now_ns),
            )
            return [group for (group,) in rows]

    def wake_at(self, *, debounce_s: float = 0.0) -> int | None:
        """See ``Store.wake_at``."""
        with self._database.transaction(write=False) as connection:
            (dirty,) = connection.execute("SELECT min(dirty_since_ns) FROM groups").fetchone()
            (again,) = connection.execute("SELECT min(look_again_ns) FROM groups").fetchone()
        times = [] if dirty is None else [dirty + int(debounce_s * _NS)]
        return min([*times, *([] if again is None else [again])], default=None)

    def items(self, group: GroupId, *, limit: int | None = None) -> GroupItems:
        """See ``Store.items``."""
        with self._database.transaction(write=False) as connection:
            row = connection.execute("SELECT sequence, items FROM groups WHERE id = ?", (group,)).fetchone()
            sequence, total = row or (0, 0)
            rows = connection.execute(_SELECT_ITEMS, (group, -1 if limit is None else limit)).fetchall()
        return GroupItems(group=group, items=tuple(_item(row) for row in rows), sequence=sequence, total=total)

    def save(self, folded: GroupItems, records: Sequence[RunRecord], *, look_again_ns: int | None = None) -> bool:
        """See ``Store.save``."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT sequence, folded FROM groups WHERE id = ?", (folded.group,)).fetchone()
            if row is None or folded.sequence < row[1]:
                return False
            others = record_rows.other_groups(connection, records, folded.group)
            if others:
                grouping = Grouping(connection, ())
                merged = grouping.merge({folded.group, *others})
                grouping.touch(self._clock())
                # At once: who folds now counts on finding the records when it is done.
                connection.execute("UPDATE groups SET dirty_since_ns = 0 WHERE id = ?", (merged,))
                return False
            record_rows.replace(connection, records, folded.group)
            # Senders may claim times so late that what follows from them does not fit.
            again_ns = None if look_again_ns is None else min(look_again_ns, _LAST_NS)
            connection.execute(
                "UPDATE groups SET folded = ?, look_again_ns = ?, dirty_since_ns = CASE WHEN sequence > ? THEN ? END"
                " WHERE id = ?",
                (folded.sequence, again_ns, folded.sequence, self._clock(), folded.group),
            )
            return True

    def record(self, run_id: str) -> RunRecord | None:
        """See ``Store.record``."""
        with self._database.transaction(write=False) as connection:
            row = connection.execute("SELECT document FROM records WHERE run_id = ?", (run_id,)).fetchone()
        return None if row is None else decode(row[0])

    def records(self, query: RecordQuery = _EVERYTHING) -> list[RunRecord]:
        """See ``Store.records``."""
        with self._database.transaction(write=False) as connection:
            documents = record_rows.select(connection, query)
        return [decode(document) for document in documents]

    def stats(self) -> Stats:
        """See ``Store.stats``."""
        with self._database.transaction(write=False) as connection:
            groups, items, due = connection.execute(
                "SELECT count(*), coalesce(sum(items), 0), count(dirty_since_ns) FROM groups"
            ).fetchone()
            (duplicates,) = connection.execute("SELECT value FROM counters WHERE name = 'duplicates'").fetchone()
            records = dict(connection.execute("SELECT lifecycle, count(*) FROM records GROUP BY lifecycle"))
        return Stats(items=items, duplicates=duplicates, groups=groups, due=due, records=records)

    def close(self) -> None:
        """See ``Store.close``."""
        self._database.close()


class _Contents:
    """Keeps resources and scopes, each once, under their digest."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[bytes, bytes] = {}

    def keep(self, content: bytes) -> bytes:
        """The digest under which the content is kept."""
        digest = self._known.get(content)
        if digest is None:
            digest = self._known[content] = hashlib.blake2b(content, digest_size=16).digest()
            self._connection.execute("INSERT INTO contents VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, content))
        return digest


def _put(connection: sqlite3.Connection, items: Iterable[Item], grouping: Grouping, contents: _Contents) -> PutResult:
    stored = duplicates = 0
    for item in items:
        group = grouping.group_of(item.links)
        row = (
            group,
            item.signal,
            item.key,
            item.digest,
            msgspec.json.encode(item.links).decode(),
            item.time_ns,
            contents.keep(item.resource),
            contents.keep(item.scope),
            item.repaired,
            item.raw,
        )
        if connection.execute(_INSERT_ITEM, row).rowcount:
            grouping.added[group] += 1
            stored += 1
        else:
            duplicates += 1
    return PutResult(stored, duplicates)


def _item(row: tuple[str, str, bytes, str, int, bytes, bytes, bytes, int]) -> Item:
    signal, key, digest, links, time_ns, resource, scope, raw, repaired = row
    return Item(
        signal="span" if signal == "span" else "log",
        key=key,
        digest=digest,
        links=_LINKS.decode(links),
        time_ns=time_ns,
        resource=resource,
        scope=scope,
        raw=raw,
        repaired=bool(repaired),
    )
