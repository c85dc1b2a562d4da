"""Saves what groups were folded into, while other processors fold, merge and receive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from agent_otel.model.record import RunRecord, encode
from agent_otel.store.base import Folded, GroupId
from agent_otel.store.postgres import records as record_rows
from agent_otel.store.postgres.database import Moved, Session
from agent_otel.store.postgres.grouping import Grouping
from agent_otel.store.postgres.records import run_key
from agent_otel.store.schedule import LAST_NS

# Rows of records are locked in one order by all, and only after their groups.
_KNOWN: Final = """
    SELECT run, group_id, revision, lifecycle, exact FROM agent_otel.records
    WHERE group_id = ANY(%b::bigint[]) OR run = ANY(%b::bytea[]) ORDER BY run FOR UPDATE
"""
_REMOVE: Final = "DELETE FROM agent_otel.records WHERE run = ANY(%b::bytea[])"
_AT_ONCE: Final = "UPDATE agent_otel.groups SET dirty_since_ns = 0 WHERE id = %s"
_FOLDED: Final = """
    UPDATE agent_otel.groups SET folded = %s, look_again_ns = %s, dirty_since_ns = CASE WHEN sequence > %s THEN %s END,
        claimed_ns = NULL, claimed_until_ns = NULL, attempts = 0
    WHERE id = %s
"""


class _Known(msgspec.Struct):
    """A record that is there."""

    group: GroupId
    revision: int
    lifecycle: str
    exact: bytes


class Saving:
    """Saves folds within one transaction.

    Args:
        connection: with the transaction open.
        folds: what to save.
        also: groups to lock besides those of the folds.
        now_ns: the time it is.
    """

    def __init__(self, connection: Session, folds: Sequence[Folded], also: frozenset[GroupId], *, now_ns: int) -> None:
        self._connection = connection
        self._now_ns = now_ns
        self.grouping = Grouping(connection, now_ns=now_ns)
        self.grouping.lock({fold.group for fold in folds} | also)
        runs = {run_key(record.run_id) for fold in folds for record in fold.records}
        rows = connection.execute(_KNOWN, (list(self.grouping.locked), list(runs)), binary=True)
        self._records = {run: _Known(*row) for run, *row in rows}
        self.lifecycles: Counter[str] = Counter()
        """How many more records there are now of each lifecycle."""
        self._written: list[tuple[RunRecord, GroupId]] = []
        self._removed: list[bytes] = []
        self._done: list[tuple[int | None, ...]] = []

    def save(self, fold: Folded) -> bool:
        """See ``Store.save``; what is to be written waits for ``flush``.

        Raises:
            Moved: other groups have to be locked first.
        """
        group = self.grouping.locked.get(fold.group)
        if group is None or fold.sequence < group.folded:
            return False
        runs = {run_key(record.run_id): record for record in fold.records}
        others = frozenset(self._records[run].group for run in runs if run in self._records) - {fold.group}
        if others:
            self._merge(fold.group, others)
            return False
        for run in [run for run, known in self._records.items() if known.group == fold.group and run not in runs]:
            self.lifecycles[self._records.pop(run).lifecycle] -= 1
            self._removed.append(run)
        for run, record in runs.items():
            self._revise(run, record, fold.group)
        group.folded = fold.sequence
        # Senders may claim times so late that what follows from them does not fit.
        again_ns = None if fold.look_again_ns is None else min(fold.look_again_ns, LAST_NS)
        self._done.append((fold.sequence, again_ns, fold.sequence, self._now_ns, fold.group))
        return True

    def flush(self) -> None:
        """Writes what waits.

        Raises:
            Moved: one of the runs got a record of another group meanwhile.
        """
        if self._removed:
            self._connection.execute(_REMOVE, (self._removed,))
        written = sorted(self._written, key=lambda row: run_key(row[0].run_id))
        if not record_rows.write(self._connection, written, now_ns=self._now_ns):
            raise Moved
        if self._done:
            with self._connection.cursor() as cursor:
                cursor.executemany(_FOLDED, self._done)
        self._removed, self._written, self._done = [], [], []

    def _revise(self, run: bytes, record: RunRecord, group: GroupId) -> None:
        """Makes this the record of the run; one whose content is what it was keeps its revision."""
        known = self._records.get(run)
        revision = known.revision if known else 0
        if known and encode(msgspec.structs.replace(record, revision=revision)) == known.exact:
            return
        newer = msgspec.structs.replace(record, revision=revision + 1)
        self._records[run] = _Known(group, newer.revision, newer.lifecycle, encode(newer))
        self._written.append((newer, group))
        self.lifecycles[newer.lifecycle] += 1
        if known:
            self.lifecycles[known.lifecycle] -= 1

    def _merge(self, group: GroupId, others: frozenset[GroupId]) -> None:
        if not others <= self.grouping.locked.keys():
            raise Moved(others)
        self.flush()
        together = {group, *others}
        merged = self.grouping.merge(together)
        # At once: who folds now counts on finding the records when it is done.
        self._connection.execute(_AT_ONCE, (merged,))
        for known in self._records.values():
            if known.group in together:
                known.group = merged
