"""Removes items by age, and folds history again."""

from __future__ import annotations

from typing import Final

from agent_otel.store.base import GroupId
from agent_otel.store.postgres.database import Session

_EXPIRING: Final = """
    SELECT id, items FROM agent_otel.groups
    WHERE NOT empty AND begun_ns < %(before)s AND newest_ns < %(before)s AND dirty_since_ns IS NULL AND items > 0
    ORDER BY begun_ns, id LIMIT 200 FOR UPDATE SKIP LOCKED
"""
_DELETE_ALL: Final = """
    DELETE FROM agent_otel.items USING agent_otel.links WHERE link_id = links.id AND group_id = ANY(%s)
"""
_DELETE_FIRST: Final = """
    DELETE FROM agent_otel.items USING (
        SELECT time_ns, digest FROM agent_otel.links JOIN agent_otel.items ON link_id = links.id
        WHERE group_id = %s ORDER BY time_ns, digest LIMIT %s
    ) AS first WHERE items.time_ns = first.time_ns AND items.digest = first.digest
"""
_DELETE_ORIGINS: Final = """
    DELETE FROM agent_otel.origins USING agent_otel.links WHERE link_id = links.id AND group_id = ANY(%s)
"""
_EMPTIED: Final = """
    UPDATE agent_otel.groups SET expired = expired + items, items = 0, empty = true WHERE id = ANY(%s)
"""
_SHORTENED: Final = "UPDATE agent_otel.groups SET expired = expired + %s, items = items - %s WHERE id = %s"
_SEAL: Final = "UPDATE agent_otel.records SET sealed = true WHERE group_id = ANY(%s) AND NOT sealed"
_REFOLD: Final = """
    UPDATE agent_otel.groups SET sequence = sequence + 1, dirty_since_ns = coalesce(dirty_since_ns, %(now)s),
        attempts = 0
    WHERE id IN (
        SELECT id FROM agent_otel.groups
        WHERE items > 0 AND (
            %(since)s = '' OR id IN (SELECT group_id FROM agent_otel.records WHERE start_text >= %(since)s)
        )
        ORDER BY id FOR UPDATE
    )
"""


def expire(connection: Session, *, before_ns: int, limit: int) -> int:
    """Removes at most so many items of groups that are old enough; how many. Groups in use are left alone."""
    removed = 0
    whole: list[GroupId] = []
    for group, items in connection.execute(_EXPIRING, {"before": before_ns}).fetchall():
        if items <= limit - removed:
            whole.append(group)
            removed += items
        elif not removed:
            return _shorten(connection, group, limit)
    if whole:
        for statement in (_DELETE_ALL, _DELETE_ORIGINS, _EMPTIED, _SEAL):
            connection.execute(statement, (whole,))
    return removed


def _shorten(connection: Session, group: GroupId, limit: int) -> int:
    """Removes the first items of a giant."""
    connection.execute(_DELETE_FIRST, (group, limit))
    connection.execute(_SHORTENED, (limit, limit, group))
    connection.execute(_SEAL, ([group],))
    return limit


def refold(connection: Session, *, since: str, now_ns: int) -> int:
    """Makes groups due that have items, in the order in which everybody locks them."""
    return connection.execute(_REFOLD, {"since": since, "now": now_ns}).rowcount
