"""Which group each item belongs to: connected components over links, kept up to date as items come."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from agent_otel.model.item import Item
from agent_otel.store.base import GroupId

_PARAMETERS: Final = 500
"""Parameters of one statement; SQLite may have been built with a limit of 999."""


class Grouping:
    """Finds, makes and merges groups within one transaction.

    Args:
        connection: with the transaction open.
        items: what will be asked about, so that their links are looked up together.
    """

    def __init__(self, connection: sqlite3.Connection, items: Iterable[Item]) -> None:
        self._connection = connection
        self._groups: dict[str, GroupId] = {}
        self.added: Counter[GroupId] = Counter()
        links = list({link for item in items for link in item.links})
        for part in _parts(links):
            self._groups.update(
                connection.execute(f"SELECT link, group_id FROM links WHERE link IN ({_marks(part)})", part)  # noqa: S608 - only question marks
            )

    def group_of(self, links: tuple[str, ...]) -> GroupId:
        """The group that these links belong to from now on."""
        known = {self._groups[link] for link in links if link in self._groups}
        if len(known) == 1:
            (group,) = known
        elif known:
            group = self.merge(known)
        else:
            group = self._connection.execute("INSERT INTO groups DEFAULT VALUES").lastrowid or 0
        fresh = [link for link in links if link not in self._groups]
        if fresh:
            self._connection.executemany("INSERT INTO links VALUES (?, ?)", [(link, group) for link in fresh])
            self._groups.update(dict.fromkeys(fresh, group))
        return group

    def merge(self, groups: Collection[GroupId]) -> GroupId:
        """Makes one group of several; the largest keeps its id, so that an item moves but a few times in its life.

        Records go along: the next fold of the merged group decides which of them there still are.
        """
        ids = sorted(groups)
        rows = self._connection.execute(
            f"SELECT id, items, sequence FROM groups WHERE id IN ({_marks(ids)})",  # noqa: S608 - only question marks
            ids,
        ).fetchall()
        sizes = {group: items + self.added[group] for group, items, _ in rows}
        kept = max(ids, key=lambda group: (sizes[group], -group))
        gone = [group for group in ids if group != kept]
        for table in ("items", "links", "records"):
            self._connection.execute(
                f"UPDATE {table} SET group_id = ? WHERE group_id IN ({_marks(gone)})",  # noqa: S608 - names of ours, question marks
                (kept, *gone),
            )
        self._connection.execute(f"DELETE FROM groups WHERE id IN ({_marks(gone)})", gone)  # noqa: S608 - only question marks
        # Beyond every sequence so far: who read one of the groups before is out of date.
        moved, sequence = sum(items for group, items, _ in rows if group != kept), max(row[2] for row in rows)
        self._connection.execute(
            "UPDATE groups SET items = items + ?, sequence = ? WHERE id = ?", (moved, sequence, kept)
        )
        self.added[kept] += sum(self.added.pop(group, 0) for group in gone)
        self._groups = {link: kept if group in gone else group for link, group in self._groups.items()}
        return kept

    def touch(self, now_ns: int) -> None:
        """Marks the groups that got items, or others' items, as due, and counts what was added."""
        self._connection.executemany(
            "UPDATE groups SET items = items + ?, sequence = sequence + 1, dirty_since_ns = coalesce(dirty_since_ns, ?)"
            " WHERE id = ?",
            [(count, now_ns, group) for group, count in self.added.items()],
        )
        self.added.clear()


def _parts(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _PARAMETERS):
        yield values[start : start + _PARAMETERS]


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
