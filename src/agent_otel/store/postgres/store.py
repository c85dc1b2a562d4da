"""The shared store: a PostgreSQL database, used by any number of threads, processes and machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from psycopg.sql import Composed

from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord
from agent_otel.model.versions import decode
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
from agent_otel.store.items import Part
from agent_otel.store.postgres import counters, expiry, reading, records as record_rows, schedule
from agent_otel.store.postgres.database import Attempt, Database, Session
from agent_otel.store.postgres.grouping import Grouping
from agent_otel.store.postgres.items import Writing
from agent_otel.store.postgres.records import run_key
from agent_otel.store.postgres.saving import Saving

_RECORD: Final = "SELECT exact FROM agent_otel.records WHERE run = %b"
_RECORDS_OF: Final = "SELECT exact FROM agent_otel.records WHERE group_id = %s ORDER BY run_id"
_UNEMITTED: Final = """
    SELECT exact FROM agent_otel.records WHERE waiting_since_ns IS NOT NULL ORDER BY waiting_since_ns, run_id LIMIT %s
"""


class PostgresStore:
    """A ``Store`` in a PostgreSQL database, version 13 or newer.

    Args:
        url: ``postgresql://user:password@host:port/database``, as libpq reads it.
        clock: gives the time in ns.
        wait_s: how long to wait for a connection.

    Raises:
        SettingsError: this is no URL of a PostgreSQL database.
        StoreError: the database cannot be reached, is not ours, or was written by a newer program.
    """

    def __init__(self, url: str, *, clock: Callable[[], int] = time.time_ns, wait_s: float = 5.0) -> None:
        self._clock = clock
        self._database = Database(url, wait_s=wait_s)

    def __repr__(self) -> str:
        return f"PostgresStore({self._database.name!r})"

    def put(self, items: Sequence[Item]) -> PutResult:
        """See ``Store.put``."""
        return self.put_all([items])[0]

    def put_all(self, batches: Sequence[Sequence[Item]]) -> list[PutResult]:
        """See ``Store.put_all``."""
        return self._database.write(lambda attempt: self._put_all(attempt, batches))

    def note(self, items: Sequence[Item]) -> None:
        """See ``Store.note``."""
        self._database.write(lambda attempt: self._put_all(attempt, [items], delivered=False))

    def due(self, *, now_ns: int, pace: Pace = AT_ONCE) -> list[GroupId]:
        """See ``Store.due``."""
        with self._database.session() as connection:
            return schedule.due(connection, now_ns=now_ns, pace=pace)

    def claim(self, claim: Claim, *, now_ns: int, pace: Pace = AT_ONCE) -> list[GroupId]:
        """See ``Store.claim``."""
        return self._database.write(lambda attempt: schedule.claim(attempt.session, claim, now_ns=now_ns, pace=pace))

    def wake_at(self, *, pace: Pace = AT_ONCE) -> int | None:
        """See ``Store.wake_at``."""
        with self._database.session() as connection:
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
        part = Part(after=after, limit=limit, most_bytes=most_bytes, latest=latest)
        return reading.select(self._database, group, part)

    def save(self, folds: Sequence[Folded]) -> list[bool]:
        """See ``Store.save``."""
        return self._database.write(lambda attempt: self._save(attempt, folds))

    def record(self, run_id: str) -> RunRecord | None:
        """See ``Store.record``."""
        found = self._decoded(_RECORD, (run_key(run_id),))
        return found[0] if found else None

    def records(self, query: RecordQuery = EVERYTHING) -> list[RunRecord]:
        """See ``Store.records``."""
        return self._decoded(*record_rows.selection(query))

    def records_of(self, group: GroupId) -> list[RunRecord]:
        """See ``Store.records_of``."""
        return self._decoded(_RECORDS_OF, (group,))

    def run_items(
        self, run_id: str, *, after: str = "", limit: int = 1000, most_bytes: int | None = None
    ) -> list[Item]:
        """See ``Store.run_items``."""
        return reading.select_run(self._database, run_id, Part(after=after, limit=limit, most_bytes=most_bytes))

    def unemitted(self, *, limit: int = 100) -> list[RunRecord]:
        """See ``Store.unemitted``."""
        return self._decoded(_UNEMITTED, (limit,))

    def mark_emitted(self, records: Sequence[RunRecord]) -> None:
        """See ``Store.mark_emitted``."""
        self._database.write(lambda attempt: record_rows.mark_emitted(attempt.session, records))

    def refold(self, *, since: str = "") -> int:
        """See ``Store.refold``."""
        return self._database.write(lambda attempt: expiry.refold(attempt.session, since=since, now_ns=self._clock()))

    def expire(self, *, before_ns: int, limit: int = 10_000) -> int:
        """See ``Store.expire``."""
        return self._database.write(lambda attempt: self._expire(attempt.session, before_ns, limit))

    def stats(self) -> Stats:
        """See ``Store.stats``."""
        with self._database.session() as connection:
            return counters.read(connection)

    def close(self) -> None:
        """See ``Store.close``."""
        self._database.close()

    def _put_all(
        self, attempt: Attempt, batches: Sequence[Sequence[Item]], *, delivered: bool = True
    ) -> list[PutResult]:
        grouping = Grouping(attempt.session, now_ns=self._clock())
        places = grouping.of(item.links for batch in batches for item in batch)
        writing = Writing(attempt.session, places)
        results = writing.put(batches, trusting=attempt.first)
        grouping.touch(writing.added)
        stored = sum(result.stored for result in results)
        repeated = sum(result.duplicates for result in results)
        counters.count(
            attempt.session,
            items=stored,
            duplicates=repeated if delivered else 0,
            notes=0 if delivered else stored,
            groups=grouping.grown,
        )
        return results

    def _save(self, attempt: Attempt, folds: Sequence[Folded]) -> list[bool]:
        saving = Saving(attempt.session, folds, attempt.groups, now_ns=self._clock())
        results = [saving.save(fold) for fold in folds]
        saving.flush()
        counters.count(attempt.session, groups=saving.grouping.grown, **saving.lifecycles)
        return results

    def _expire(self, connection: Session, before_ns: int, limit: int) -> int:
        removed = expiry.expire(connection, before_ns=before_ns, limit=limit)
        counters.count(connection, items=-removed, expired=removed)
        return removed

    def _decoded(self, statement: str | Composed, values: Sequence[Any] | dict[str, Any]) -> list[RunRecord]:
        with self._database.session() as connection:
            documents = connection.execute(statement, values, binary=True).fetchall()
        return [decode(document) for (document,) in documents]
