"""Rows of run records: the document twice, as it is and as PostgreSQL can search it, and columns to find it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Final, get_args

import msgspec
from psycopg.sql import SQL, Composed, Identifier

from agent_otel.model.record import Lifecycle, RunRecord, encode
from agent_otel.store.base import GroupId, RecordQuery
from agent_otel.store.postgres.database import Session
from agent_otel.store.postgres.texts import digest, optional, stored, stored_json
from agent_otel.store.terms import asked, terms


def run_key(run_id: str) -> bytes:
    """Stands for a run id, which may be as long as it likes."""
    return digest(run_id.encode())


def _time(text: str | None) -> datetime | None:
    """The time that a record states; None where no calendar has it."""
    try:
        found = None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=timezone.utc)


_COLUMNS: Final[Mapping[str, Callable[[RunRecord], Any]]] = {
    "run": lambda record: run_key(record.run_id),
    "run_id": lambda record: stored(record.run_id),
    "revision": lambda record: record.revision,
    "start_text": lambda record: stored(record.started or ""),
    "started": lambda record: _time(record.started),
    "ended": lambda record: _time(record.ended),
    "duration_s": lambda record: record.duration_s,
    "lifecycle": lambda record: record.lifecycle,
    "outcome": lambda record: record.outcome,
    "agent": lambda record: optional(record.agent.name),
    "service": lambda record: optional(record.agent.service),
    "repository": lambda record: optional(record.base.repository),
    "branch": lambda record: optional(record.base.branch),
    "parent_run": lambda record: optional(record.parent_run),
    "review_state": lambda record: record.review_state,
    "final_status": lambda record: optional(record.final_status),
    "findings": lambda record: sorted({stored(finding.rule) for finding in record.findings}),
    "verdicts": lambda record: sorted({check.verdict for check in record.verifications if check.verdict}),
    "terms": lambda record: sorted(map(stored, terms(record))),
}
"""Column to what it says of a record; the documents come beside them."""

_NAMES: Final = ("group_id", "waiting_since_ns", *_COLUMNS, "document", "exact")
_UPDATED: Final = tuple(name for name in _NAMES if name not in {"run", "group_id", "waiting_since_ns"})

_UPSERT: Final = SQL("""
    INSERT INTO agent_otel.records ({names}) VALUES ({values})
    ON CONFLICT (run) DO UPDATE SET {updates},
        waiting_since_ns = coalesce(records.waiting_since_ns, excluded.waiting_since_ns)
    WHERE records.group_id = excluded.group_id
""").format(
    names=SQL(", ").join(map(Identifier, _NAMES)),
    values=SQL(", ").join(SQL("%s::jsonb") if name == "document" else SQL("%b") for name in _NAMES),
    updates=SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in _UPDATED),
)

_CONDITIONS: Final = {
    "agent": SQL("left(agent, 100) = left(%(agent)s, 100) AND agent = %(agent)s"),
    "review_state": SQL("review_state = %(state)s"),
    "lifecycle": SQL("lifecycle = %(state)s"),
    "repository": SQL("left(repository, 100) = left(%(repository)s, 100) AND repository = %(repository)s"),
    "since": SQL("start_text >= %(since)s"),
    "until": SQL("start_text < %(until)s"),
    "finding": SQL("findings @> ARRAY[%(finding)s]"),
    "terms": SQL("terms @> %(terms)s"),
    "after": SQL("(start_text, run_id) {later} (%(after_started)s, %(after_run)s)"),
}
"""What is asked about to the condition it stands for."""

_LIFECYCLES: Final = frozenset(get_args(Lifecycle))

_SELECT: Final = SQL("""
    SELECT exact FROM agent_otel.records {where} ORDER BY start_text {order}, run_id {order} LIMIT %(limit)s
""")
_LATER: Final = {
    False: {"later": SQL("<"), "order": SQL("DESC")},
    True: {"later": SQL(">"), "order": SQL("ASC")},
}
"""What "later in the list" means, by whether the earliest comes first."""

_EMITTED: Final = """
    UPDATE agent_otel.records SET emitted = greatest(emitted, passed.revision),
        waiting_since_ns = CASE WHEN records.revision > passed.revision THEN waiting_since_ns END
    FROM unnest(%b::bytea[], %b::bigint[]) AS passed (run, revision)
    WHERE records.run = passed.run
"""
_LOCK: Final = "SELECT 1 FROM agent_otel.records WHERE run = ANY(%b) ORDER BY run FOR UPDATE"


def selection(query: RecordQuery) -> tuple[Composed, dict[str, Any]]:
    """The statement that gives the documents the query asks for, in its order, and its values."""
    way = _LATER[query.earliest_first]
    after_started, _, after_run = query.after.partition(" ")
    given = {**msgspec.structs.asdict(query), "after_started": after_started, "after_run": after_run}
    given["terms"] = asked(query)
    given["lifecycle" if query.state in _LIFECYCLES else "review_state"] = query.state
    conditions = [condition.format(**way) for name, condition in _CONDITIONS.items() if given.get(name)]
    where = SQL("WHERE {}").format(SQL(" AND ").join(conditions)) if conditions else SQL("")
    values = {name: stored(value) if isinstance(value, str) else value for name, value in given.items()}
    values["terms"] = list(map(stored, given["terms"]))
    return _SELECT.format(where=where, order=way["order"]), values


def write(connection: Session, rows: Sequence[tuple[RunRecord, GroupId]], *, now_ns: int) -> bool:
    """Writes records of groups; False where one of the runs has a record of another group by now."""
    if not rows:
        return True
    with connection.cursor() as cursor:
        cursor.executemany(_UPSERT, [_row(record, group, now_ns) for record, group in rows])
        return cursor.rowcount == len(rows)


def mark_emitted(connection: Session, records: Sequence[RunRecord]) -> None:
    """See ``Store.mark_emitted``."""
    latest: dict[bytes, int] = {}
    for record in records:
        run = run_key(record.run_id)
        latest[run] = max(record.revision, latest.get(run, 0))
    if latest:
        connection.execute(_LOCK, (list(latest),))
        connection.execute(_EMITTED, (list(latest), list(latest.values())))


def _row(record: RunRecord, group: GroupId, now_ns: int) -> tuple[Any, ...]:
    exact = encode(record)
    return (group, now_ns, *(column(record) for column in _COLUMNS.values()), stored_json(exact).decode(), exact)
