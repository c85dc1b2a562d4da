"""Rows of items: copied in, in bulk, and read in the order of a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from agent_otel.model.item import Item
from agent_otel.store.base import GroupId, PutResult
from agent_otel.store.components import Links
from agent_otel.store.postgres.database import Session
from agent_otel.store.postgres.grouping import Place
from agent_otel.store.postgres.texts import digest, stored

_THERE: Final = """
    SELECT time_ns, digest FROM agent_otel.items JOIN unnest(%b::bigint[], %b::bytea[]) AS asked (time_ns, digest)
    USING (time_ns, digest)
"""
_COPY: Final = """
    COPY agent_otel.items (link_id, origin_id, time_ns, is_log, repaired, digest, key, links, raw)
    FROM STDIN (FORMAT BINARY)
"""
_TYPES: Final = ("int8", "int8", "int8", "bool", "bool", "bytea", "text", "text", "bytea")
_ORIGINS: Final = "SELECT link_id, digest, id FROM agent_otel.origins WHERE link_id = ANY(%s)"
_NEW_ORIGINS: Final = """
    INSERT INTO agent_otel.origins (link_id, digest, resource, scope)
    SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[], %b::bytea[]) RETURNING link_id, digest, id
"""

Origin = tuple[int, bytes, bytes]
"""A link, a resource and a scope."""

_LINKS: Final = msgspec.json.Decoder(Links)
_AT_ONCE: Final = 500
"""Rows that are fetched together where a reader may stop early."""


class Writing:
    """Copies items in, within one transaction that has locked their groups.

    Args:
        connection: with the transaction open.
        places: where items go, by their links.
    """

    def __init__(self, connection: Session, places: Mapping[Links, Place]) -> None:
        self._connection = connection
        self._places = places
        self.added: Counter[GroupId] = Counter()

    def put(self, batches: Sequence[Sequence[Item]], *, trusting: bool) -> list[PutResult]:
        """Copies what is not there yet; what came of each batch.

        ``trusting``: what has a link that nobody knew is taken to be new. Where an older program had stored it under
        another link, the database refuses, and the next attempt is not trusting.
        """
        asked = (item for batch in batches for item in batch if not (trusting and self._places[item.links].fresh))
        seen = self._there(asked)
        fresh: list[tuple[Item, Place]] = []
        results = []
        for batch in batches:
            before = len(fresh)
            for item in batch:
                identity = (item.time_ns, item.digest)
                if identity not in seen:
                    seen.add(identity)
                    fresh.append((item, self._places[item.links]))
            stored_now = len(fresh) - before
            results.append(PutResult(stored_now, len(batch) - stored_now))
        if fresh:
            self.added.update(place.group for _, place in fresh)
            self._copy(fresh)
        return results

    def _there(self, items: Iterable[Item]) -> set[tuple[int, bytes]]:
        """The identities of those of the items that are there."""
        asked = {(item.time_ns, item.digest) for item in items}
        if not asked:
            return set()
        times, digests = zip(*asked, strict=True)
        return set(self._connection.execute(_THERE, (list(times), list(digests)), binary=True))

    def _copy(self, fresh: Sequence[tuple[Item, Place]]) -> None:
        origins = self._origins({(place.link, item.resource, item.scope): place.fresh for item, place in fresh})
        links = {item.links: msgspec.json.encode(item.links).decode() for item, _ in fresh}
        with self._connection.cursor().copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for item, place in fresh:
                copy.write_row(
                    (
                        place.link,
                        origins[place.link, item.resource, item.scope],
                        item.time_ns,
                        item.signal == "log",
                        item.repaired,
                        item.digest,
                        stored(item.key),
                        links[item.links],
                        item.raw,
                    )
                )

    def _origins(self, wanted: Mapping[Origin, bool]) -> Mapping[Origin, int]:
        """Where each resource and scope is kept; ``wanted`` tells of which links nobody knew."""
        names = {origin: (origin[0], _name(origin)) for origin in wanted}
        old = {origin[0] for origin, is_fresh in wanted.items() if not is_fresh}
        known: dict[tuple[int, bytes], int] = {}
        if old:
            known.update(_numbered(self._connection.execute(_ORIGINS, (list(old),), binary=True)))
        new = [(*names[origin], *origin[1:]) for origin in wanted if names[origin] not in known]
        if new:
            columns = [list(column) for column in zip(*new, strict=True)]
            known.update(_numbered(self._connection.execute(_NEW_ORIGINS, columns, binary=True)))
        return {origin: known[name] for origin, name in names.items()}


def _name(origin: Origin) -> bytes:
    _, resource, scope = origin
    return digest(digest(resource) + scope)


def _numbered(rows: Iterable[Any]) -> Iterator[tuple[tuple[int, bytes], int]]:
    return (((link, name), number) for link, name, number in rows)
