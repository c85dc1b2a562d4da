"""Which groups are due and who has claimed them: what ``agent_otel.store.schedule`` does, for many processors at once.

Who claims passes over the groups that somebody else is just changing or claiming. Only where nothing else is due it
waits for one, so that a group which items come to all the time has its turn.
"""

from __future__ import annotations

from typing import Any, Final

from psycopg.sql import SQL, Composable

from agent_otel.store.base import Claim, GroupId, Pace
from agent_otel.store.postgres.database import Session
from agent_otel.store.schedule import LAST_NS, MOST_DOUBLINGS, NS, times

_GATHERING: Final = "%(per_item)s::numeric * least(items, %(most_paced)s)"
_SETTLED: Final = f"dirty_since_ns <= %(settled)s AND dirty_since_ns + {_GATHERING} <= %(settled)s"

_DUE: Final = (
    (SQL("dirty_since_ns"), SQL(_SETTLED)),
    # Marked long after now: the clock was set back. Folding too early does no harm.
    (SQL("dirty_since_ns"), SQL("dirty_since_ns > %(ahead)s")),
    (SQL("look_again_ns"), SQL("look_again_ns <= %(now)s")),
)
"""What makes a group due: since when, and the condition. Each is answered in order from an index of its own."""

_CANDIDATES: Final = SQL("""
    SELECT {since}, id, attempts FROM agent_otel.groups WHERE {condition}
    ORDER BY {since}, id LIMIT %(limit)s {locking}
""")
_FREE: Final = SQL(
    "(claimed_until_ns IS NULL OR claimed_until_ns <= %(now)s OR claimed_ns > %(ahead)s)"
    " AND (%(most_items)s::bigint IS NULL OR items <= %(most_items)s)"
)
_CLAIM: Final = """
    UPDATE agent_otel.groups SET claimed_ns = %s, claimed_until_ns = until_ns, attempts = attempts + 1
    FROM unnest(%s::bigint[], %s::bigint[]) AS taken (number, until_ns) WHERE id = number
"""
_WAKE: Final = f"""
    SELECT min(at_ns) FROM (
        SELECT min(greatest(dirty_since_ns + %(debounce)s + {_GATHERING}, claimed_until_ns)) AS at_ns
        FROM agent_otel.groups WHERE dirty_since_ns IS NOT NULL
        UNION ALL
        SELECT min(greatest(look_again_ns, claimed_until_ns)) FROM agent_otel.groups WHERE look_again_ns IS NOT NULL
    ) AS both_kinds
"""  # noqa: S608 - words of ours

Row = tuple[int, GroupId, int]
"""Since when a group waits, its id, and how often it was claimed in vain."""


def due(connection: Session, *, now_ns: int, pace: Pace) -> list[GroupId]:
    """See ``Store.due``."""
    values = {**times(now_ns, pace), "limit": None}
    return [group for _, group, _ in _candidates(connection, values, SQL("true"), SQL(""))]


def claim(connection: Session, asked: Claim, *, now_ns: int, pace: Pace) -> list[GroupId]:
    """See ``Store.claim``."""
    values = {**times(now_ns, pace), "limit": asked.limit, "most_items": asked.most_items}
    found = _candidates(connection, values, _FREE, SQL("FOR UPDATE SKIP LOCKED"))[: asked.limit]
    if not found:
        found = _candidates(connection, {**values, "limit": 1}, _FREE, SQL("FOR UPDATE"))[:1]
    in_vain = bool(found and found[0][2])
    taken = found[:1] if in_vain else [row for row in found if not row[2]]
    lease_ns = int(asked.lease_s * NS)
    until_ns = [min(now_ns + (lease_ns << min(attempts, MOST_DOUBLINGS)), LAST_NS) for _, _, attempts in taken]
    groups = [group for _, group, _ in taken]
    if groups:
        connection.execute(_CLAIM, (now_ns, groups, until_ns))
    return groups


def wake_at(connection: Session, *, pace: Pace) -> int | None:
    """See ``Store.wake_at``."""
    (at_ns,) = connection.execute(_WAKE, times(0, pace)).fetchone() or (None,)
    return None if at_ns is None else int(at_ns)


def _candidates(connection: Session, values: dict[str, Any], also: Composable, locking: Composable) -> list[Row]:
    """The groups that are due for any reason, the longest waiting first."""
    found: dict[GroupId, Row] = {}
    for since, is_due in _DUE:
        condition = SQL("{} AND {}").format(is_due, also)
        statement = _CANDIDATES.format(since=since, condition=condition, locking=locking)
        for row in connection.execute(statement, values):
            found.setdefault(row[1], row)
    return sorted(found.values())
