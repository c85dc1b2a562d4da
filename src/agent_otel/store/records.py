"""Rows of run records: the document, and columns to find it by."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from agent_otel.model.record import RunRecord, encode
from agent_otel.store.base import GroupId, RecordQuery

_UPSERT: Final = """
    INSERT INTO records
    (run_id, group_id, revision, waiting_since_ns, started, agent, review_state, lifecycle, repository, findings,
    document)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_id) DO UPDATE SET
        revision = excluded.revision, started = excluded.started, agent = excluded.agent,
        waiting_since_ns = coalesce(waiting_since_ns, excluded.waiting_since_ns),
        review_state = excluded.review_state, lifecycle = excluded.lifecycle, repository = excluded.repository,
        findings = excluded.findings, document = excluded.document
"""

_EMITTED: Final = """
    UPDATE records SET emitted = max(emitted, :revision),
        waiting_since_ns = CASE WHEN revision > :revision THEN waiting_since_ns END
    WHERE run_id = :run_id
"""

_CONDITIONS: Final = {
    "agent": "agent = :agent",
    "state": "(review_state = :state OR lifecycle = :state)",
    "repository": "repository = :repository",
    "since": "started >= :since",
    "until": "started < :until",
    "finding": "EXISTS (SELECT 1 FROM json_each(findings) WHERE value = :finding)",
    "after": "(started, run_id) {later} (:after_started, :after_run)",
}
"""Field of a query to the condition it stands for when it is not empty."""


def other_groups(connection: sqlite3.Connection, records: Sequence[RunRecord], group: GroupId) -> set[GroupId]:
    """The other groups that hold a record of one of these runs."""
    rows = (
        connection.execute("SELECT group_id FROM records WHERE run_id = ?", (record.run_id,)).fetchone()
        for record in records
    )
    return {row[0] for row in rows if row is not None} - {group}


def replace(connection: sqlite3.Connection, records: Sequence[RunRecord], group: GroupId, *, now_ns: int) -> None:
    """Makes these the records of the group; one whose content is what it was keeps its revision."""
    known = {
        run_id: (revision, document)
        for run_id, revision, document in connection.execute(
            "SELECT run_id, revision, document FROM records WHERE group_id = ?", (group,)
        )
    }
    for record in records:
        revision, document = known.pop(record.run_id, (0, b""))
        if encode(msgspec.structs.replace(record, revision=revision)) != document:
            connection.execute(_UPSERT, _row(msgspec.structs.replace(record, revision=revision + 1), group, now_ns))
    connection.executemany("DELETE FROM records WHERE run_id = ?", [(run_id,) for run_id in known])


def selection(query: RecordQuery) -> tuple[str, dict[str, object]]:
    """The statement that gives the documents the query asks for, in its order, and its values."""
    asked = [condition for name, condition in _CONDITIONS.items() if getattr(query, name)]
    where = f"WHERE {' AND '.join(asked)}" if asked else ""
    later, order = (">", "ASC") if query.earliest_first else ("<", "DESC")
    statement = f"SELECT document FROM records {where} ORDER BY started {order}, run_id {order} LIMIT :limit"  # noqa: S608 - conditions of ours
    after_started, _, after_run = query.after.partition(" ")
    values = {**msgspec.structs.asdict(query), "after_started": after_started, "after_run": after_run}
    return statement.format(later=later), values


def mark_emitted(connection: sqlite3.Connection, records: Sequence[RunRecord]) -> None:
    """See ``Store.mark_emitted``."""
    connection.executemany(_EMITTED, [{"run_id": record.run_id, "revision": record.revision} for record in records])


def _row(record: RunRecord, group: GroupId, now_ns: int) -> tuple[object, ...]:
    return (
        record.run_id,
        group,
        record.revision,
        now_ns,
        record.started or "",
        record.agent.name,
        record.review_state,
        record.lifecycle,
        record.base.repository,
        msgspec.json.encode(sorted({finding.rule for finding in record.findings})).decode(),
        encode(record),
    )
