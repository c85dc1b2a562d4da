"""Rows of items: what is large lies in the order in which it came, what is searched in the order of its group."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from agent_otel.model.item import Item
from agent_otel.store.base import GroupId, PutResult, item_position
from agent_otel.store.components import Links
from agent_otel.store.schedule import LAST_NS
from agent_otel.store.statements import marks, parts

_INSERT_MEMBER: Final = (
    "INSERT INTO members (group_id, time_ns, digest, item) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT_ITEM: Final = "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT: Final = """
    SELECT signal, key, members.digest, links, time_ns, resources.content, scopes.content, raw, repaired
    FROM members
    JOIN items ON items.id = item
    JOIN contents AS resources ON resources.id = resource
    JOIN contents AS scopes ON scopes.id = scope
    WHERE group_id = ? AND (time_ns, members.digest) > (?, ?)
    ORDER BY time_ns {direction}, members.digest {direction} LIMIT ?
"""
_CONTENT: Final = """
    INSERT INTO contents (digest, content, items) VALUES (?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET items = items + excluded.items
"""
_LINKS: Final = msgspec.json.Decoder(Links)

Row = tuple[str, str, bytes, str, int, bytes, bytes, bytes, int]


class Writing:
    """Inserts items within one transaction.

    Args:
        connection: with the transaction open.
        groups: which group each set of links belongs to.
    """

    def __init__(self, connection: sqlite3.Connection, groups: Mapping[Links, GroupId]) -> None:
        self._connection = connection
        self._groups = groups
        self._links: dict[Links, str] = {}
        (self._last,) = connection.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
        self.added: Counter[GroupId] = Counter()

    def put(self, items: Iterable[Item]) -> PutResult:
        """Inserts what is not there yet."""
        fresh = []
        duplicates = 0
        for item in items:
            group = self._groups[item.links]
            cursor = self._connection.execute(_INSERT_MEMBER, (group, item.time_ns, item.digest, self._last + 1))
            if cursor.rowcount:
                self._last += 1
                self.added[group] += 1
                fresh.append((self._last, item))
            else:
                duplicates += 1
        contents = _keep(self._connection, (item for _, item in fresh))
        self._connection.executemany(_INSERT_ITEM, (self._row(number, item, contents) for number, item in fresh))
        return PutResult(len(fresh), duplicates)

    def _row(self, number: int, item: Item, contents: Mapping[bytes, int]) -> tuple[object, ...]:
        return (
            number,
            item.signal,
            item.key,
            self._links_of(item),
            contents[item.resource],
            contents[item.scope],
            item.repaired,
            item.raw,
        )

    def _links_of(self, item: Item) -> str:
        found = self._links.get(item.links)
        if found is None:
            found = self._links[item.links] = msgspec.json.encode(item.links).decode()
        return found


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Which items of a group to read; see ``Store.items``."""

    after: str = ""
    limit: int | None = None
    most_bytes: int | None = None
    latest: bool = False


def select(connection: sqlite3.Connection, group: GroupId, part: Part) -> list[Item]:
    """This part of a group's items, in their order."""
    room = LAST_NS if part.most_bytes is None else part.most_bytes
    direction = "DESC" if part.latest else "ASC"
    found: list[Item] = []
    for row in connection.execute(
        _SELECT.format(direction=direction),
        (group, *item_position(part.after), -1 if part.limit is None else part.limit),
    ):
        found.append(_item(row))
        room -= len(row[7])
        if room <= 0:
            break
    return found[::-1] if part.latest else found


def expire(connection: sqlite3.Connection, group: GroupId, *, limit: int) -> int:
    """Removes the first items of a group; tells how many."""
    rows = connection.execute(
        "SELECT item, time_ns, digest, resource, scope FROM members JOIN items ON items.id = item WHERE group_id = ?"
        " ORDER BY time_ns, digest LIMIT ?",
        (group, limit),
    ).fetchall()
    if rows:
        _, time_ns, digest, *_ = rows[-1]
        connection.execute(
            "DELETE FROM members WHERE group_id = ? AND (time_ns, digest) <= (?, ?)", (group, time_ns, digest)
        )
        connection.executemany("DELETE FROM items WHERE id = ?", [row[:1] for row in rows])
        _release(connection, Counter(content for row in rows for content in row[3:]))
    return len(rows)


def _keep(connection: sqlite3.Connection, items: Iterable[Item]) -> Mapping[bytes, int]:
    """Where the resources and scopes of these items are kept, each once, and counted."""
    counts = Counter(content for item in items for content in (item.resource, item.scope))
    digests = {content: hashlib.blake2b(content, digest_size=16).digest() for content in counts}
    connection.executemany(_CONTENT, [(digests[content], content, count) for content, count in counts.items()])
    numbers: dict[bytes, int] = {}
    for part in parts(list(digests.values())):
        numbers.update(
            connection.execute(f"SELECT digest, id FROM contents WHERE digest IN ({marks(part)})", part)  # noqa: S608 - only question marks
        )
    return {content: numbers[digest] for content, digest in digests.items()}


def _release(connection: sqlite3.Connection, counts: Counter[int]) -> None:
    """Forgets resources and scopes that no item has any more."""
    connection.executemany(
        "UPDATE contents SET items = items - ? WHERE id = ?", [(count, content) for content, count in counts.items()]
    )
    connection.executemany("DELETE FROM contents WHERE id = ? AND items = 0", [(content,) for content in counts])


def _item(row: Row) -> Item:
    signal, key, digest, links, time_ns, resource, scope, raw, repaired = row
    return Item(
        signal="span" if signal == "span" else "log",
        key=key,
        digest=digest,
        links=_LINKS.decode(links),
        time_ns=time_ns,
        resource=resource,
        scope=scope,
        raw=raw,
        repaired=bool(repaired),
    )


def sealed(connection: sqlite3.Connection, group: GroupId) -> Sequence[str]:
    """The runs of the group whose records cannot be folded again."""
    rows = connection.execute("SELECT run_id FROM records WHERE group_id = ? AND sealed ORDER BY run_id", (group,))
    return [run_id for (run_id,) in rows]
