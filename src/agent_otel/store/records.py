"""Rows of run records: the document, and columns to find it by."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final, get_args

import msgspec

from agent_otel.model.record import Lifecycle, RunRecord, encode
from agent_otel.store.base import GroupId, RecordQuery
from agent_otel.store.terms import asked, terms

_UPSERT: Final = """
    INSERT INTO records
    (run_id, group_id, revision, waiting_since_ns, started, agent, review_state, lifecycle, repository, document)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_id) DO UPDATE SET
        revision = excluded.revision, started = excluded.started, agent = excluded.agent,
        waiting_since_ns = coalesce(waiting_since_ns, excluded.waiting_since_ns),
        review_state = excluded.review_state, lifecycle = excluded.lifecycle, repository = excluded.repository,
        document = excluded.document
"""

_EMITTED: Final = """
    UPDATE records SET emitted = max(emitted, :revision),
        waiting_since_ns = CASE WHEN revision > :revision THEN waiting_since_ns END
    WHERE run_id = :run_id
"""

_CONDITIONS: Final = {
    "agent": "agent = :agent",
    "review_state": "review_state = :state",
    "lifecycle": "lifecycle = :state",
    "repository": "repository = :repository",
    "finding": "rule = :finding",
    "since": "{table}.started >= :since",
    "until": "{table}.started < :until",
    "after": "({table}.started, {table}.run_id) {later} (:after_started, :after_run)",
}
"""What is asked about to the condition it stands for."""

_LIFECYCLES: Final = frozenset(get_args(Lifecycle))
_SOURCES: Final = {
    "records": "records",
    # In this order: the findings of a rule lie in the order of the list, and most rules are found in few records.
    "findings": "findings CROSS JOIN records ON records.run_id = findings.run_id",
    "terms": "terms CROSS JOIN records ON records.run_id = terms.run_id",
}
_HAS_TERM: Final = """
    EXISTS (SELECT 1 FROM terms AS other WHERE other.term = :term_{number}
        AND other.started = records.started AND other.run_id = records.run_id)
"""


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
            _keep(connection, msgspec.structs.replace(record, revision=revision + 1), group, now_ns)
    gone = [(run_id,) for run_id in known]
    connection.executemany("DELETE FROM records WHERE run_id = ?", gone)
    connection.executemany("DELETE FROM findings WHERE run_id = ?", gone)
    connection.executemany("DELETE FROM terms WHERE run_id = ?", gone)


def selection(query: RecordQuery) -> tuple[str, dict[str, object]]:
    """The statement that gives the documents the query asks for, in its order, and its values."""
    after_started, _, after_run = query.after.partition(" ")
    values = {**msgspec.structs.asdict(query), "after_started": after_started, "after_run": after_run}
    values["lifecycle" if query.state in _LIFECYCLES else "review_state"] = query.state
    wanted = asked(query)
    values |= {f"term_{number}": term for number, term in enumerate(wanted)}
    table = "findings" if query.finding else "terms" if wanted else "records"
    conditions = [condition for name, condition in _CONDITIONS.items() if values.get(name)]
    conditions += [_HAS_TERM.format(number=number) for number in range(len(wanted))]
    conditions += ["terms.term = :term_0"] if table == "terms" else []
    where = " AND ".join(conditions)
    later, order = (">", "ASC") if query.earliest_first else ("<", "DESC")
    statement = (
        f"SELECT document FROM {_SOURCES[table]} WHERE {where or 'true'}"  # noqa: S608 - conditions of ours
        f" ORDER BY {{table}}.started {order}, {{table}}.run_id {order} LIMIT :limit"
    )
    return statement.format(table=table, later=later), values


def mark_emitted(connection: sqlite3.Connection, records: Sequence[RunRecord]) -> None:
    """See ``Store.mark_emitted``."""
    connection.executemany(_EMITTED, [{"run_id": record.run_id, "revision": record.revision} for record in records])


def _keep(connection: sqlite3.Connection, record: RunRecord, group: GroupId, now_ns: int) -> None:
    started = record.started or ""
    row = (
        record.run_id,
        group,
        record.revision,
        now_ns,
        started,
        record.agent.name,
        record.review_state,
        record.lifecycle,
        record.base.repository,
        encode(record),
    )
    connection.execute(_UPSERT, row)
    connection.execute("DELETE FROM findings WHERE run_id = ?", (record.run_id,))
    rules = {finding.rule for finding in record.findings}
    connection.executemany("INSERT INTO findings VALUES (?, ?, ?)", [(rule, started, record.run_id) for rule in rules])
    connection.execute("DELETE FROM terms WHERE run_id = ?", (record.run_id,))
    found = [(term, started, record.run_id) for term in terms(record)]
    connection.executemany("INSERT INTO terms VALUES (?, ?, ?)", found)
