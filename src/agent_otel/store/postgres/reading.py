"""Items of a group, in order and in parts that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from agent_otel.model.item import Item
from agent_otel.store.base import GroupId, GroupItems, item_position
from agent_otel.store.components import Links
from agent_otel.store.items import Part
from agent_otel.store.postgres.database import Database, Session
from agent_otel.store.postgres.records import run_key
from agent_otel.store.postgres.texts import read
from agent_otel.store.schedule import LAST_NS

# Each link is read in order from the index, no further than asked: a page of a giant group costs no more than another.
# Of many links only those are read that begin first, so many as there are items on a page, and none further than where
# the last of these begins: with that the page is full. What items share is looked up for those of the page alone.
# Ties are cut by the outer limit. To ask for the exact order inside lets the planner sort a million items for a page,
# where it believes that links have few, or does not know the limit, as in statements that it keeps.
# The group and a page are one statement, since most groups are one page, and each statement is a way to and fro.
_WITHIN: Final = """
    FROM agent_otel.items WHERE link_id = near.id AND time_ns >= {start} AND (time_ns, digest) > (%(time)s, %(digest)s)
        AND time_ns <= {end} AND (time_ns, digest) < (%(until)s, %(until_digest)s) ORDER BY time_ns {order}
"""
_PAGE_OF: Final = """
    WITH one AS MATERIALIZED (
        SELECT id, sequence, items, expired, ARRAY(
            SELECT run_id FROM agent_otel.records WHERE group_id = groups.id AND sealed ORDER BY run_id
        ) AS sealed
        FROM agent_otel.groups WHERE id = %(group)s
    ), heads AS MATERIALIZED (
        SELECT near.id, head.time_ns FROM agent_otel.links AS near
        CROSS JOIN LATERAL (SELECT time_ns {whole} LIMIT 1) AS head
        WHERE group_id = %(group)s ORDER BY head.time_ns {order} FETCH FIRST (%(limit)s) ROWS WITH TIES
    ), last AS MATERIALIZED (
        SELECT CASE WHEN count(*) >= %(limit)s THEN {furthest}(time_ns) ELSE {bound} END AS time_ns FROM heads
    )
    SELECT sequence, items, expired, sealed, time_ns, found.digest, resource, scope, is_log, repaired, key, links, raw
    FROM one LEFT JOIN LATERAL (
        SELECT page.* FROM heads AS near CROSS JOIN LATERAL (
            SELECT time_ns, digest, origin_id, is_log, repaired, key, links, raw {part}
            FETCH FIRST (%(limit)s) ROWS WITH TIES
        ) AS page ORDER BY time_ns {order}, digest {order} LIMIT %(limit)s
    ) AS found ON true LEFT JOIN agent_otel.origins ON origins.id = origin_id
    ORDER BY time_ns {order}, found.digest {order}
"""
_START, _END, _LAST = "%(time)s", "%(until)s", "(SELECT time_ns FROM last)"


def _page_of(*, order: str, furthest: str, bound: str, start: str, end: str) -> str:
    return _PAGE_OF.format(
        order=order,
        furthest=furthest,
        bound=bound,
        whole=_WITHIN.format(start=_START, end=_END, order=order),
        part=_WITHIN.format(start=start, end=end, order=order),
    )


_FIRST: Final = _page_of(order="ASC", furthest="max", bound=_END, start=_START, end=_LAST)
_LATEST: Final = _page_of(order="DESC", furthest="min", bound=_START, start=_LAST, end=_END)
_GROUP_OF: Final = "SELECT group_id FROM agent_otel.records WHERE run = %b"

_PAGE: Final = 200
"""Items that are fetched together where the bytes of all are bounded."""

_BEYOND: Final = b"\xff" * 65
"""Comes after every digest."""

_LINKS: Final = msgspec.json.Decoder(Links)


def select(database: Database, group: GroupId, part: Part) -> GroupItems:
    """The group, and this part of its items in their order."""
    with database.session() as connection:
        reader = _Reader(connection, group, part)
        if reader.turn():
            return reader.result()
    # What does not fit into one statement is read again from its beginning, as it is at one moment.
    with database.snapshot() as connection:
        return _whole(connection, group, part)


def select_run(database: Database, run_id: str, part: Part) -> list[Item]:
    """This part of the items of the group that has the run."""
    with database.snapshot() as connection:
        row = connection.execute(_GROUP_OF, (run_key(run_id),)).fetchone()
        return list(_whole(connection, row[0], part).items) if row else []


def _whole(connection: Session, group: GroupId, part: Part) -> GroupItems:
    reader = _Reader(connection, group, part)
    while not reader.turn():
        pass
    return reader.result()


class _Reader:
    """Reads page by page, so that it can stop where there are bytes enough."""

    def __init__(self, connection: Session, group: GroupId, part: Part) -> None:
        self._connection = connection
        self._group = group
        self._part = part
        self._left = part.limit
        self._room = part.most_bytes
        self._items: list[Item] = []
        self._shared: dict[Any, Any] = {}
        self._about: tuple[int, int, int, list[str]] = (0, 0, 0, [])
        time_ns, digest = item_position(part.after)
        self._bounds: dict[str, Any] = {"group": group, "time": time_ns, "digest": digest}
        self._bounds |= {"until": LAST_NS, "until_digest": _BEYOND}

    def turn(self) -> bool:
        """Reads a page; True where it was the last."""
        limit = self._left
        if self._room is not None:
            limit = _PAGE if limit is None else min(limit, _PAGE)
        rows = self._connection.execute(
            _LATEST if self._part.latest else _FIRST, {**self._bounds, "limit": limit}, binary=True
        ).fetchall()
        found = rows if rows and rows[0][4] is not None else []
        if rows:
            self._about = rows[0][:4]
        for item in self._read(found):
            self._items.append(item)
            if self._room is not None:
                self._room -= len(item.raw)
                if self._room <= 0:
                    return True
        if self._left is not None:
            self._left -= len(found)
        if limit is None or len(found) < limit or self._left == 0:
            return True
        names = ("until", "until_digest") if self._part.latest else ("time", "digest")
        self._bounds |= dict(zip(names, found[-1][4:6], strict=True))
        return False

    def result(self) -> GroupItems:
        """What was read."""
        sequence, total, expired, sealed = self._about
        items = reversed(self._items) if self._part.latest else self._items
        return GroupItems(
            group=self._group,
            items=tuple(items),
            sequence=sequence,
            total=total,
            expired=expired,
            sealed=tuple(read(run_id) for run_id in sealed),
        )

    def _read(self, rows: list[Any]) -> Iterator[Item]:
        """The items of some rows; what they have in common is in memory once."""
        once = self._shared
        for _, _, _, _, time_ns, digest, resource, scope, is_log, repaired, key, links, raw in rows:
            if links not in once:
                once[links] = _LINKS.decode(links)
            yield Item(
                signal="log" if is_log else "span",
                key=read(key),
                digest=digest,
                links=once[links],
                time_ns=time_ns,
                resource=once.setdefault(resource, resource),
                scope=once.setdefault(scope, scope),
                raw=raw,
                repaired=repaired,
            )
