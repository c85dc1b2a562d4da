"""From requests to stored items to records, for input that is read once and whole."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent_otel import settings
from agent_otel.cli.database import chosen_policy
from agent_otel.cli.records import ALL, StoreRecords
from agent_otel.cli.sources import Request
from agent_otel.errors import DecodeError, SettingsError, TooLarge
from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord
from agent_otel.otlp.lines import items_from_bytes, items_from_line
from agent_otel.otlp.received import Received
from agent_otel.service.arrival import arrival
from agent_otel.service.fold import END_OF_TIME_NS, fold_due
from agent_otel.service.settings import RedactionSettings
from agent_otel.store.base import Folded, PutResult, RecordQuery
from agent_otel.store.open import file_of
from agent_otel.store.sqlite import SqliteStore
from agent_otel.store.urls import masked

TOLD: Final = 10
"""Problems that are told one by one."""

_ROOM_NS: Final = 1 << 56
"""Two years before the end of time, so that whoever adds to it stays within 64 bits."""

_TRACE: Final = "trace:"
"""Begins the link that an item's trace id is."""

_BATCH: Final = 4096
"""Items of one transaction: few transactions, and little in memory."""


class Intake:
    """Takes requests into a store, and counts what could not be used.

    ``items`` were usable (stored, or there already). ``failures`` counts the requests and parts of requests that were
    not, and ``problems`` names the first of them.
    """

    def __init__(self, store: NotingStore) -> None:
        self._store = store
        self._waiting: list[Item] = []
        # As a processor does, for the same input has to give the same records.
        self._arrive = arrival(settings.read(RedactionSettings, environ=os.environ))
        self.items = 0
        self.failures = 0
        self.problems: list[str] = []

    def take(self, requests: Iterable[Request]) -> None:
        """Takes all requests of one file."""
        for request in requests:
            self._take(request)
        self._put()

    def _take(self, request: Request) -> None:
        try:
            received = _items(request)
        except (DecodeError, TooLarge) as exc:
            self._failed(f"{request.where}: {exc}")
            return
        for refused in received.rejected:
            self._failed(f"{request.where}: {refused.count} refused: {refused.reason}", refused.count)
        self.items += len(received.items)
        self._waiting += self._arrive(received.items)
        if len(self._waiting) >= _BATCH:
            self._put()

    def _failed(self, problem: str, count: int = 1) -> None:
        self.failures += count
        if len(self.problems) < TOLD:
            self.problems.append(problem)

    def _put(self) -> None:
        if self._waiting:
            self._store.put(self._waiting)
            self._waiting = []


class NotingStore(SqliteStore):
    """A store that remembers which runs the items it was given belong to.

    Args:
        path: the database.
        whole: whether what is put is all there is.
    """

    def __init__(self, path: Path, *, whole: bool) -> None:
        super().__init__(path)
        self._policy = chosen_policy()
        self._whole = whole
        self._runs: set[str] = set()
        self._traces: set[str] = set()
        self._fold()
        self._runs.clear()  # what was due before is not of this input

    def put(self, items: Sequence[Item]) -> PutResult:
        """See ``Store.put``."""
        result = super().put(items)
        if result.duplicates:  # their groups will not be folded again, if nothing new came to them
            self._traces.update(link.removeprefix(_TRACE) for item in items for link in item.links)
        return result

    def save(self, folds: Sequence[Folded]) -> list[bool]:
        """See ``Store.save``."""
        saved = super().save(folds)
        for fold, is_saved in zip(folds, saved, strict=True):
            if is_saved:
                self._runs.update(record.run_id for record in fold.records)
        return saved

    def folded(self) -> list[RunRecord]:
        """The records of all runs that items came to, the earliest run first."""
        self._fold()
        found = [record for record in map(self.record, self._runs) if record is not None]
        if self._traces:
            known = (
                record
                for record in StoreRecords(self).records(RecordQuery(limit=ALL))
                if record.run_id not in self._runs
            )
            found += [record for record in known if not self._traces.isdisjoint(record.capture.traces)]
        return sorted(found, key=lambda record: (record.started or "", record.run_id))

    def _fold(self) -> None:
        # Input that is all there is has no "later": a run without an end was abandoned, whatever today's date.
        now_ns = END_OF_TIME_NS - _ROOM_NS if self._whole else time.time_ns()
        fold_due(self, now_ns=now_ns, policy=self._policy)


def _items(request: Request) -> Received:
    if request.error is not None:
        raise request.error
    # A line of JSON lines is not guessed at: some rubbish is valid protobuf.
    return items_from_line(request.body) if request.is_line else items_from_bytes(request.body)


@contextmanager
def intake_store(database: str | None) -> Iterator[NotingStore]:
    """The store to take input into: the named database, or one that is gone afterwards.

    Raises:
        SettingsError: the database is no file; it has processors, which are sent telemetry.
        StoreError: it cannot be used.
    """
    file = file_of(database) if database is not None else None
    if database is not None and file is None:
        message = (
            f"expected a path or sqlite:///path, got {masked(database)!r}: send telemetry to its processor instead"
        )
        raise SettingsError(message)
    with tempfile.TemporaryDirectory(prefix="agent-otel-") as folder:
        store = NotingStore(file or Path(folder) / "runs.db", whole=file is None)
        try:
            yield store
        finally:
            store.close()
