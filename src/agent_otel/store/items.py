"""Rows of items: what is large lies in the order in which it came, what is searched in the order of its group."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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
_FIND_MEMBER: Final = "SELECT item FROM members WHERE group_id = ? AND time_ns = ? AND digest = ?"
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

Member = tuple[GroupId, int, bytes, int]
Row = tuple[str, str, bytes, str, int, bytes, bytes, bytes, int]


def put(
    connection: sqlite3.Connection, batches: Sequence[Sequence[Item]], groups: Mapping[Links, GroupId]
) -> tuple[list[PutResult], Counter[GroupId]]:
    """Inserts the items that are not there yet: what became of each batch, and how many each group got.

    Args:
        connection: with the transaction open.
        batches: the items.
        groups: which group each set of links belongs to.
    """
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
    numbered = list(enumerate((item for batch in batches for item in batch), start=last + 1))
    members = [(groups[item.links], item.time_ns, item.digest, number) for number, item in numbered]
    fresh = _insert_members(connection, members)
    if len(fresh) < len(members):
        numbered = [(number, item) for number, item in numbered if number in fresh]
    contents = _keep(connection, [item for _, item in numbered])
    links = {each: msgspec.json.encode(each).decode() for each in groups}
    connection.executemany(
        _INSERT_ITEM,
        (
            (
                number,
                item.signal,
                item.key,
                links[item.links],
                contents[item.resource],
                contents[item.scope],
                item.repaired,
                item.raw,
            )
            for number, item in numbered
        ),
    )
    return _results(batches, last, fresh), Counter(group for group, _, _, number in members if number in fresh)


def _insert_members(connection: sqlite3.Connection, members: Sequence[Member]) -> Collection[int]:
    """The numbers of those that were not there yet."""
    if not members:
        return ()
    # One statement for all: most deliveries hold nothing that was there already.
    if connection.executemany(_INSERT_MEMBER, members).rowcount == len(members):
        return range(members[0][3], members[-1][3] + 1)
    return {
        number for *identity, number in members if connection.execute(_FIND_MEMBER, identity).fetchone() == (number,)
    }


def _results(batches: Sequence[Sequence[Item]], last: int, fresh: Collection[int]) -> list[PutResult]:
    results = []
    for batch in batches:
        stored = sum(number in fresh for number in range(last + 1, last + 1 + len(batch)))
        results.append(PutResult(stored, len(batch) - stored))
        last += len(batch)
    return results


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
        "SELECT item, resource, scope, time_ns, digest FROM members JOIN items ON items.id = item WHERE group_id = ?"
        " ORDER BY time_ns, digest LIMIT ?",
        (group, limit),
    ).fetchall()
    if rows:
        *_, time_ns, digest = rows[-1]
        connection.execute(
            "DELETE FROM members WHERE group_id = ? AND (time_ns, digest) <= (?, ?)", (group, time_ns, digest)
        )
        remove(connection, [row[:3] for row in rows])
    return len(rows)


def remove(connection: sqlite3.Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Removes items, each named with its resource and scope, and those that no item has any more."""
    connection.executemany("DELETE FROM items WHERE id = ?", [(number,) for number, _, _ in rows])
    counts = Counter(content for _, *contents in rows for content in contents)
    connection.executemany(
        "UPDATE contents SET items = items - ? WHERE id = ?", [(count, content) for content, count in counts.items()]
    )
    connection.executemany("DELETE FROM contents WHERE id = ? AND items = 0", [(content,) for content in counts])


def _keep(connection: sqlite3.Connection, items: Sequence[Item]) -> Mapping[bytes, int]:
    """Where the resources and scopes of these items are kept, each once, and counted."""
    counts = Counter([item.resource for item in items])
    counts.update([item.scope for item in items])
    digests = {content: hashlib.blake2b(content, digest_size=16).digest() for content in counts}
    connection.executemany(_CONTENT, [(digests[content], content, count) for content, count in counts.items()])
    numbers: dict[bytes, int] = {}
    for part in parts(list(digests.values())):
        numbers.update(
            connection.execute(f"SELECT digest, id FROM contents WHERE digest IN ({marks(part)})", part)  # noqa: S608 - only question marks
        )
    return {content: numbers[digest] for content, digest in digests.items()}


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
