"""Items of a group, in order and in parts that fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from agent_otel.model.item import Item
from agent_otel.store.base import GroupId, item_position
from agent_otel.store.components import Links
from agent_otel.store.items import Part
from agent_otel.store.postgres.database import Session
from agent_otel.store.postgres.texts import read
from agent_otel.store.schedule import LAST_NS

# Each link is read in order from the index, no further than asked: a page of a giant group costs no more than another.
_FIRST: Final = """
    SELECT found.* FROM agent_otel.links CROSS JOIN LATERAL (
        SELECT time_ns, digest, origin_id, is_log, repaired, key, links, raw FROM agent_otel.items
        WHERE link_id = links.id AND time_ns >= %(time)s AND (time_ns, digest) > (%(time)s, %(digest)s)
        ORDER BY time_ns, digest LIMIT %(limit)s
    ) AS found WHERE group_id = %(group)s ORDER BY time_ns, digest LIMIT %(limit)s
"""
_LATEST: Final = """
    SELECT found.* FROM agent_otel.links CROSS JOIN LATERAL (
        SELECT time_ns, digest, origin_id, is_log, repaired, key, links, raw FROM agent_otel.items
        WHERE link_id = links.id AND time_ns >= %(time)s AND (time_ns, digest) > (%(time)s, %(digest)s)
            AND time_ns <= %(until)s AND (time_ns, digest) < (%(until)s, %(until_digest)s)
        ORDER BY time_ns DESC, digest DESC LIMIT %(limit)s
    ) AS found WHERE group_id = %(group)s ORDER BY time_ns DESC, digest DESC LIMIT %(limit)s
"""
_ORIGINS: Final = "SELECT id, resource, scope FROM agent_otel.origins WHERE id = ANY(%s)"

_PAGE: Final = 200
"""Items that are fetched together where only the bytes of all are bounded."""

_BEYOND: Final = b"\xff" * 65
"""Comes after every digest."""

_LINKS: Final = msgspec.json.Decoder(Links)


class _Row(NamedTuple):
    time_ns: int
    digest: bytes
    origin: int
    is_log: bool
    repaired: bool
    key: str
    links: str
    raw: bytes


def select(connection: Session, group: GroupId, part: Part) -> list[Item]:
    """This part of a group's items, in their order; ``connection`` is a snapshot where that matters."""
    rows = list(_bounded(_rows(connection, group, part), part.most_bytes))
    numbers = list({row.origin for row in rows})
    origins = {
        number: (resource, scope) for number, resource, scope in connection.execute(_ORIGINS, (numbers,), binary=True)
    }
    items = _items(rows, origins)
    return items[::-1] if part.latest else items


def _rows(connection: Session, group: GroupId, part: Part) -> Iterator[_Row]:
    """The rows, from the end that was asked for; page by page, so that a reader can stop."""
    time_ns, digest = item_position(part.after)
    values: dict[str, Any] = {"group": group, "time": time_ns, "digest": digest}
    values |= {"until": LAST_NS, "until_digest": _BEYOND}
    left = part.limit
    while left is None or left > 0:
        page = left if part.most_bytes is None else _PAGE if left is None else min(left, _PAGE)
        statement = _LATEST if part.latest else _FIRST
        rows = connection.execute(statement, {**values, "limit": page}, binary=True).fetchall()
        yield from (_Row(*row) for row in rows)
        if page is None or len(rows) < page:
            return
        left = None if left is None else left - page
        time_ns, digest = rows[-1][:2]
        values |= {"until": time_ns, "until_digest": digest} if part.latest else {"time": time_ns, "digest": digest}


def _bounded(rows: Iterable[_Row], most_bytes: int | None) -> Iterator[_Row]:
    """The rows up to the one whose ``raw`` reaches the bound."""
    room = most_bytes
    for row in rows:
        yield row
        if room is not None:
            room -= len(row.raw)
            if room <= 0:
                return


def _items(rows: Sequence[_Row], origins: Mapping[int, tuple[bytes, bytes]]) -> list[Item]:
    links = {text: _LINKS.decode(text) for text in {row.links for row in rows}}
    return [
        Item(
            signal="log" if row.is_log else "span",
            key=read(row.key),
            digest=row.digest,
            links=links[row.links],
            time_ns=row.time_ns,
            resource=origins[row.origin][0],
            scope=origins[row.origin][1],
            raw=row.raw,
            repaired=row.repaired,
        )
        for row in rows
    ]
