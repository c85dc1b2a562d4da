"""Which group each item belongs to: connected components over links, kept up to date as items come."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from agent_otel.store.base import GroupId
from agent_otel.store.components import Links, components
from agent_otel.store.items import remove
from agent_otel.store.statements import marks, parts

_MERGED: Final = """
    UPDATE groups SET items = ?, expired = ?, sequence = ?, folded = ?, newest_ns = ?, dirty_since_ns = ?,
        claimed_ns = NULL, claimed_until_ns = NULL, attempts = 0
    WHERE id = ?
"""
_COUNTED: Final = "SELECT items, expired, sequence, newest_ns, dirty_since_ns FROM groups WHERE id = ?"
_LEFT: Final = """
    SELECT item, resource, scope FROM members JOIN items ON items.id = item WHERE group_id = ?
"""
_MOVES: Final = tuple(
    f"UPDATE OR IGNORE {table} SET group_id = ? WHERE group_id = ?"  # noqa: S608 - names of ours
    for table in ("members", "links", "records")
)
_MADE: Final = """
    INSERT INTO groups (items, newest_ns, dirty_since_ns, id, sequence) VALUES (?, ?, ?, ?, 1)
"""
_TOUCHED: Final = """
    UPDATE groups SET items = items + ?, sequence = sequence + 1, newest_ns = ?,
        dirty_since_ns = coalesce(dirty_since_ns, ?)
    WHERE id = ?
"""


class Grouping:
    """Finds, makes and merges groups within one transaction.

    Args:
        connection: with the transaction open.
        now_ns: the time it is.
    """

    def __init__(self, connection: sqlite3.Connection, *, now_ns: int) -> None:
        self._connection = connection
        self._now_ns = now_ns
        self.grown = 0
        """How many more groups there are now."""
        self._made: set[GroupId] = set()
        self._last = 0
        self.twins = 0
        """How many items turned out to be there twice."""

    def of(self, links: Iterable[Links]) -> Mapping[Links, GroupId]:
        """The group that each of these sets of links belongs to from now on; a new one is there once it is touched."""
        sets = list(dict.fromkeys(links))
        known = self._known(list({link for each in sets for link in each}))
        groups: dict[Links, GroupId] = {}
        fresh: dict[str, GroupId] = {}
        for together in components(sets, known):
            mine = {link for each in together for link in each}
            group = self._one_of({known[link] for link in mine if link in known})
            fresh.update((link, group) for link in mine if link not in known)
            groups.update(dict.fromkeys(together, group))
        self._connection.executemany("INSERT INTO links VALUES (?, ?)", fresh.items())
        return groups

    def merge(self, groups: Collection[GroupId]) -> GroupId:
        """Makes one group of several; the largest keeps its id, so that an item moves but a few times in its life.

        Records go along: the next fold of the merged group decides which of them there still are.
        """
        ids = sorted(groups)
        rows = (self._connection.execute(_COUNTED, (group,)).fetchone() for group in ids)
        items, expired, sequences, newest_ns, dirty_ns = zip(*rows, strict=True)
        kept = max(zip(items, (-group for group in ids), ids, strict=True))[2]
        twins = self._move([group for group in ids if group != kept], kept)
        self.grown -= len(ids) - 1
        self.twins += twins
        # Beyond every sequence so far: who read one of the groups before is out of date.
        sequence = max(sequences) + 1
        dirty_since_ns = min((since for since in dirty_ns if since is not None), default=self._now_ns)
        self._connection.execute(
            _MERGED, (sum(items) - twins, sum(expired), sequence, sequence, max(newest_ns), dirty_since_ns, kept)
        )
        return kept

    def _move(self, gone: Sequence[GroupId], kept: GroupId) -> int:
        """Moves everything of some groups to another; how many items were there already.

        That happens where a newer program finds more links in an item than the one that stored it first.
        """
        for statement in _MOVES:
            self._connection.executemany(statement, [(kept, group) for group in gone])
        groups = [(group,) for group in gone]
        twins = [row for group in groups for row in self._connection.execute(_LEFT, group)]
        remove(self._connection, twins)
        self._connection.executemany("DELETE FROM members WHERE group_id = ?", groups)
        self._connection.executemany("DELETE FROM groups WHERE id = ?", groups)
        return len(twins)

    def touch(self, added: Counter[GroupId]) -> None:
        """Marks the groups that got items as due, and counts what was added."""
        now_ns = self._now_ns
        rows = [(count, now_ns, now_ns, group) for group, count in added.items()]
        self._connection.executemany(_MADE, [row for row in rows if row[3] in self._made])
        self._connection.executemany(_TOUCHED, [row for row in rows if row[3] not in self._made])

    def _known(self, links: Sequence[str]) -> Mapping[str, GroupId]:
        known: dict[str, GroupId] = {}
        for part in parts(links):
            known.update(
                self._connection.execute(f"SELECT link, group_id FROM links WHERE link IN ({marks(part)})", part)  # noqa: S608 - only question marks
            )
        return known

    def _one_of(self, groups: set[GroupId]) -> GroupId:
        if len(groups) > 1:
            return self.merge(groups)
        if groups:
            return groups.pop()
        if not self._made:
            row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'groups'").fetchone()
            self._last = row[0] if row else 0
        self.grown += 1
        self._last += 1
        self._made.add(self._last)
        return self._last
