"""Which group each item belongs to, while any number of processors find out at once.

A link belongs to a group, and only a merge of that group changes this. So whoever has locked a group knows what its
links are until the end of the transaction. Locks are taken in one order by all: groups by id, then new links by name.
Where another processor was faster, the transaction begins again and sees what that one did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from agent_otel.store.base import GroupId
from agent_otel.store.components import Links, components
from agent_otel.store.postgres.database import Moved, Session
from agent_otel.store.postgres.texts import indexed

_KNOWN: Final = "SELECT link, id, group_id FROM agent_otel.links WHERE link = ANY(%s)"
_LOCK: Final = """
    SELECT id, items, expired, sequence, folded, begun_ns, newest_ns, dirty_since_ns FROM agent_otel.groups
    WHERE id = ANY(%s) ORDER BY id FOR UPDATE
"""
_NEW_GROUPS: Final = """
    INSERT INTO agent_otel.groups (begun_ns) SELECT %s FROM generate_series(1, %s) RETURNING id
"""
_NEW_LINKS: Final = """
    INSERT INTO agent_otel.links (link, group_id) SELECT * FROM unnest(%s::text[], %s::bigint[]) ORDER BY 1
    ON CONFLICT DO NOTHING RETURNING link, id
"""
_MOVE_LINKS: Final = "UPDATE agent_otel.links SET group_id = %s WHERE group_id = ANY(%s)"
_MOVE_RECORDS: Final = "UPDATE agent_otel.records SET group_id = %s WHERE group_id = ANY(%s)"
_REMOVE: Final = "DELETE FROM agent_otel.groups WHERE id = ANY(%s)"
_MERGED: Final = """
    UPDATE agent_otel.groups SET items = %s, expired = %s, sequence = %s, folded = %s, begun_ns = %s, newest_ns = %s,
        empty = false, dirty_since_ns = %s, claimed_ns = NULL, claimed_until_ns = NULL, attempts = 0
    WHERE id = %s
"""
_TOUCH: Final = """
    UPDATE agent_otel.groups SET items = items + added, sequence = sequence + 1, newest_ns = %s, empty = false,
        dirty_since_ns = coalesce(dirty_since_ns, %s)
    FROM unnest(%s::bigint[], %s::bigint[]) AS counted (number, added) WHERE id = number
"""


class Group(msgspec.Struct):
    """A group that this transaction has locked, as it is now."""

    id: GroupId
    items: int
    expired: int
    sequence: int
    folded: int
    begun_ns: int
    newest_ns: int
    dirty_since_ns: int | None


class Place(msgspec.Struct, frozen=True):
    """Where items of the same links go: the first link, and its group; ``fresh`` where nobody knew that link."""

    link: int
    group: GroupId
    fresh: bool


class Grouping:
    """Finds, makes and merges groups within one transaction.

    Args:
        connection: with the transaction open.
        now_ns: the time it is.
    """

    def __init__(self, connection: Session, *, now_ns: int) -> None:
        self._connection = connection
        self._now_ns = now_ns
        self.locked: dict[GroupId, Group] = {}
        self.grown = 0
        """How many more groups there are now."""

    def of(self, links: Iterable[Links]) -> Mapping[Links, Place]:
        """Where items with each of these sets of links go from now on.

        Raises:
            Moved: another processor made or merged one of the groups meanwhile.
        """
        names = {each: tuple(indexed(link) for link in each) for each in dict.fromkeys(links)}
        ids, groups = self._known({name for each in names.values() for name in each})
        self.lock(set(groups.values()))
        if len(self.locked) < len(set(groups.values())):
            raise Moved
        joined = [
            ({name for each in together for name in each}, together) for together in components(names.values(), groups)
        ]
        new = iter(self._new_groups(sum(not any(name in groups for name in mine) for mine, _ in joined)))
        fresh: dict[str, GroupId] = {}
        chosen: dict[Links, GroupId] = {}
        for mine, together in joined:
            known = {groups[name] for name in mine if name in groups}
            group = self.merge(known) if len(known) > 1 else known.pop() if known else next(new)
            fresh.update(dict.fromkeys((name for name in mine if name not in groups), group))
            chosen.update(dict.fromkeys(together, group))
        ids.update(self._new_links(fresh))
        return {each: Place(ids[short[0]], chosen[short], fresh=short[0] in fresh) for each, short in names.items()}

    def lock(self, groups: Collection[GroupId]) -> None:
        """Locks those of the groups that are there, for this transaction; once, since the order matters."""
        if groups:
            rows = self._connection.execute(_LOCK, (sorted(groups),))
            self.locked = {row[0]: Group(*row) for row in rows}

    def merge(self, ids: Collection[GroupId]) -> GroupId:
        """Makes one group of several that are locked; the largest keeps its id.

        Items stay where they are, since they point to links. Records go along: the next fold of the merged group
        decides which of them there still are.
        """
        groups = [self.locked[group] for group in ids]
        kept = max(groups, key=lambda group: (group.items, -group.id))
        gone = [group.id for group in groups if group is not kept]
        for statement in (_MOVE_LINKS, _MOVE_RECORDS):
            self._connection.execute(statement, (kept.id, gone))
        self._connection.execute(_REMOVE, (gone,))
        for group in gone:
            del self.locked[group]
        self.grown -= len(gone)
        kept.items = sum(group.items for group in groups)
        kept.expired = sum(group.expired for group in groups)
        # Beyond every sequence so far: who read one of the groups before is out of date.
        kept.sequence = kept.folded = max(group.sequence for group in groups) + 1
        kept.begun_ns = min(group.begun_ns for group in groups)
        kept.newest_ns = max(group.newest_ns for group in groups)
        waiting = [group.dirty_since_ns for group in groups if group.dirty_since_ns is not None]
        kept.dirty_since_ns = min(waiting, default=self._now_ns)
        values = (kept.begun_ns, kept.newest_ns, kept.dirty_since_ns, kept.id)
        self._connection.execute(_MERGED, (kept.items, kept.expired, kept.sequence, kept.folded, *values))
        return kept.id

    def touch(self, added: Mapping[GroupId, int]) -> None:
        """Marks the groups that got items as due, and counts what was added."""
        if added:
            counts = (list(added), list(added.values()))
            self._connection.execute(_TOUCH, (self._now_ns, self._now_ns, *counts))

    def _known(self, names: Collection[str]) -> tuple[dict[str, int], dict[str, GroupId]]:
        """The ids of the links that are there, and their groups."""
        rows = self._connection.execute(_KNOWN, (list(names),)).fetchall() if names else []
        return {link: number for link, number, _ in rows}, {link: group for link, _, group in rows}

    def _new_groups(self, count: int) -> list[GroupId]:
        self.grown += count
        rows = self._connection.execute(_NEW_GROUPS, (self._now_ns, count)) if count else ()
        return [group for (group,) in rows]

    def _new_links(self, fresh: Mapping[str, GroupId]) -> Sequence[tuple[str, int]]:
        """Adds links to their groups; waits for others that are adding one of them."""
        if not fresh:
            return []
        rows = self._connection.execute(_NEW_LINKS, (list(fresh), list(fresh.values()))).fetchall()
        if len(rows) < len(fresh):
            raise Moved
        return [(link, number) for link, number in rows]
