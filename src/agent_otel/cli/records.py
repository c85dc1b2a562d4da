"""Where commands read records from: a database, or the API of a processor that runs. One seam, the same output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from msgspec.structs import replace

from agent_otel.model.record import RunRecord
from agent_otel.store.base import RecordQuery, Store, cursor

ALL: Final = 1 << 62
"""As the limit of a query: no limit."""

_PAGE: Final = 50


class Records(Protocol):
    """Where records are."""

    def record(self, run_id: str) -> RunRecord | None:
        """Gives the record of a run; None where there is none."""

    def records(self, query: RecordQuery) -> Iterator[RunRecord]:
        """Gives the records that match, in the order of the query, as they are needed; nothing where none does."""


class StoreRecords:
    """The records of a store; a page of them is in memory at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, run_id: str) -> RunRecord | None:
        """See ``Records.record``."""
        return self._store.record(run_id)

    def records(self, query: RecordQuery) -> Iterator[RunRecord]:
        """See ``Records.records``."""
        left, after = query.limit, query.after
        while left and (page := self._store.records(replace(query, after=after, limit=min(left, _PAGE)))):
            yield from page
            left, after = left - len(page), cursor(page[-1])
