"""Which groups are due and who has claimed them: reads and marks rows of groups, and knows nothing of items."""

from __future__ import annotations

import sqlite3
from typing import Final

from agent_otel.store.base import Claim, GroupId, Pace

NS: Final = 1_000_000_000
LAST_NS: Final = (1 << 63) - 1
"""The last time a column holds; senders claim all sorts of times."""

_CLOCK_SET_BACK_NS: Final = 60 * NS
MOST_DOUBLINGS: Final = 6

_GATHERING: Final = ":per_item * min(items, :most_paced)"

_DUE: Final = (
    ("dirty_since_ns", f"dirty_since_ns <= :settled AND dirty_since_ns + {_GATHERING} <= :settled"),
    # Marked long after now: the clock was set back. Folding too early does no harm.
    ("dirty_since_ns", "dirty_since_ns > :ahead"),
    ("look_again_ns", "look_again_ns <= :now"),
)
"""What makes a group due: since when, and the condition. Each is answered in order from an index of its own."""

_FREE: Final = "(claimed_until_ns IS NULL OR claimed_until_ns <= :now OR claimed_ns > :ahead)"
_SMALL: Final = "items <= :most_items"

_CLAIM: Final = """
    UPDATE groups SET claimed_ns = ?, claimed_until_ns = ?, attempts = attempts + 1 WHERE id = ?
"""
_WAITING: Final = f"""
    SELECT dirty_since_ns, dirty_since_ns + :debounce + {_GATHERING}, coalesce(claimed_until_ns, 0)
    FROM groups WHERE dirty_since_ns IS NOT NULL ORDER BY dirty_since_ns
"""  # noqa: S608 - words of ours
_AGAIN: Final = """
    SELECT look_again_ns, look_again_ns, coalesce(claimed_until_ns, 0)
    FROM groups WHERE look_again_ns IS NOT NULL ORDER BY look_again_ns
"""


def due(connection: sqlite3.Connection, *, now_ns: int, pace: Pace) -> list[GroupId]:
    """See ``Store.due``."""
    return [group for _, group, _ in _candidates(connection, "", -1, times(now_ns, pace))]


def claim(connection: sqlite3.Connection, asked: Claim, *, now_ns: int, pace: Pace) -> list[GroupId]:
    """See ``Store.claim``."""
    condition = _FREE if asked.most_items is None else f"{_FREE} AND {_SMALL}"
    values = {**times(now_ns, pace), "most_items": asked.most_items}
    found = _candidates(connection, condition, asked.limit, values)
    in_vain = bool(found and found[0][2])
    taken = found[:1] if in_vain else [row for row in found if not row[2]]
    lease_ns = int(asked.lease_s * NS)
    connection.executemany(
        _CLAIM,
        [
            (now_ns, min(now_ns + (lease_ns << min(attempts, MOST_DOUBLINGS)), LAST_NS), group)
            for _, group, attempts in taken
        ],
    )
    return [group for _, group, _ in taken]


def wake_at(connection: sqlite3.Connection, *, pace: Pace) -> int | None:
    """See ``Store.wake_at``."""
    found: int | None = None
    for statement in (_WAITING, _AGAIN):
        for since_ns, due_ns, free_ns in connection.execute(statement, times(0, pace)):
            if found is not None and since_ns >= found:
                break  # so are all that follow
            ready_ns = max(due_ns, free_ns)
            found = ready_ns if found is None else min(found, ready_ns)
    return found


def times(now_ns: int, pace: Pace) -> dict[str, int | None]:
    """The times that decide what is due, by the names they have in statements."""
    debounce_ns = int(pace.debounce_s * NS)
    return {
        "now": now_ns,
        "debounce": debounce_ns,
        "settled": now_ns - debounce_ns,
        "ahead": min(now_ns + _CLOCK_SET_BACK_NS, LAST_NS),
        "per_item": int(pace.per_item_s * NS),
        "most_paced": pace.most_items,
    }


def _candidates(
    connection: sqlite3.Connection, condition: str, limit: int, values: dict[str, int | None]
) -> list[tuple[int, GroupId, int]]:
    """When each began to wait, its id and how often it was claimed in vain; the longest waiting first."""
    also = f"AND {condition}" if condition else ""
    found: dict[GroupId, tuple[int, GroupId, int]] = {}
    for since, is_due in _DUE:
        rows = connection.execute(
            f"SELECT {since}, id, attempts FROM groups WHERE {is_due} {also} ORDER BY {since}, id LIMIT :limit",  # noqa: S608 - conditions of ours
            {**values, "limit": limit},
        )
        for row in rows:
            found.setdefault(row[1], row)
    return sorted(found.values())[: limit if limit >= 0 else None]
