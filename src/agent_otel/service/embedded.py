"""The embedded mode: this process's own telemetry goes into the local store, and a record is ready when a run exits.

No collector, no service. A span processor and a log processor hand what happens to one writer thread, which sends it
through the same receive code that a service uses. What waits is written at once, so that a killed process leaves all
but the last moment; a span that is still open after that moment is written too, so that a killed run shows what it
was doing.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agent_otel.errors import StoreError
from agent_otel.otlp.encode import logs_body, spans_body
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.sdk.guard import guard
from agent_otel.service.arrival import Arrival
from agent_otel.service.fold import fold_due

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.context import Context

    from agent_otel.compaction.policy import Policy
    from agent_otel.store.base import Store

GATHER_S: Final = 0.02
"""How long the writer waits for company: most spans end within it, and are written once instead of twice."""

MAX_WAITING: Final = 100_000
"""Spans and log records that may wait for the disk; past it the oldest are dropped and counted."""


class EmbeddedPipeline:
    """Writes this process's spans and log records to a store.

    Args:
        open_store: gives the store, when there is something to write.
        policy: how to compact.
        database: the store's file, for people.
        gather_s: how long the writer waits for company.
        arrive: what is done to items before they are kept: other instrumentations mask nothing.
    """

    _store: Store | None
    _waiting: deque[ReadableSpan | ReadableLogRecord]
    _open: dict[int, ReadableSpan]
    _taken: int
    _written: int
    _hurry: bool
    _stopping: bool
    _changed: threading.Condition
    _writing: threading.Lock
    _thread: threading.Thread | None

    def __init__(
        self,
        open_store: Callable[[], Store],
        policy: Policy,
        *,
        database: Path | None = None,
        gather_s: float = GATHER_S,
        arrive: Arrival = tuple,
    ) -> None:
        self._open_store = open_store
        self._policy = policy
        self.database = database
        self._gather_s = gather_s
        self._arrive = arrive
        self.dropped = 0
        self._store = None
        self._reset()
        self.spans = _Spans(self)
        self.logs = _Logs(self)
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._after_fork_in_parent, after_in_child=self._reset
        )

    def run_started(self, _: str) -> None:
        """Puts the run's first words on the disk before it does anything."""
        self.flush()

    def run_ended(self, _: str) -> None:
        """Writes what waits and folds what is due, so that the record is there when the run exits."""
        self.flush()
        with self._writing:
            fold_due(self._store_here(), now_ns=time.time_ns(), policy=self._policy)

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Waits until everything handed over so far is committed; False where time ran out."""
        with self._changed:
            if self._stopping:
                return True
            target = self._taken
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._written >= target, timeout_s)

    def close(self) -> None:
        """Writes what waits and ends the thread."""
        self.flush()
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=5.0)
        with self._writing:
            self._close_store()

    # -- from the program's threads -----------------------------------------------------------------------------------

    def opened(self, span: ReadableSpan) -> None:
        """Takes a span that has just started."""
        with self._changed:
            context = span.context
            if context is not None:
                self._open[context.span_id] = span
                self._took()

    def ended(self, span: ReadableSpan) -> None:
        """Takes a span that has ended."""
        with self._changed:
            if span.context is not None:
                self._open.pop(span.context.span_id, None)
            self._waiting.append(span)
            self._took()

    def logged(self, record: ReadableLogRecord) -> None:
        """Takes a log record."""
        with self._changed:
            self._waiting.append(record)
            self._took()

    def _took(self) -> None:
        self._taken += 1
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_on, name="agent-otel-store", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    # -- the writer's thread ------------------------------------------------------------------------------------------

    def _write_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._taken > self._written or self._stopping)
                if not self._hurry and not self._stopping:
                    self._changed.wait_for(lambda: self._hurry or self._stopping, self._gather_s)
                waiting, target = [*self._open.values(), *self._waiting], self._taken
                self._open.clear()
                self._waiting.clear()
                self._hurry = False
                stopping = self._stopping
            self._write(waiting)
            with self._changed:
                self._written = target
                self._changed.notify_all()
            if stopping and not waiting:
                return

    def _write(self, waiting: list[ReadableSpan | ReadableLogRecord]) -> None:
        if not waiting:
            return
        with guard("writing to the run store"):
            self._commit(waiting)
            return
        self.dropped += len(waiting)  # the program goes on whatever the disk says; what was not written is counted

    def _commit(self, waiting: list[ReadableSpan | ReadableLogRecord]) -> None:
        spans = [each for each in waiting if isinstance(each, ReadableSpan)]
        logs = [each for each in waiting if not isinstance(each, ReadableSpan)]
        items = self._arrive(
            (
                *items_from_protobuf(spans_body(spans), "span").items,
                *items_from_protobuf(logs_body(logs), "log").items,
            )
        )
        with self._writing:
            try:
                self._store_here().put(items)
            except StoreError:
                if self.database is None or self.database.exists():
                    raise
                self._close_store()  # somebody removed it to begin anew, maybe while it was written to
                self._store_here().put(items)

    def _store_here(self) -> Store:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _before_fork(self) -> None:
        """Nothing of SQLite crosses a fork: locks would stay taken in the child, or be believed to be (howtocorrupt).

        The parent opens its file again when it has something to write.
        """
        self._writing.acquire()
        with guard("closing the run store before a fork"):
            self._close_store()

    def _after_fork_in_parent(self) -> None:
        self._writing.release()

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _reset(self) -> None:
        """Starts from nothing; also in a forked child, where the thread is gone and what waits is the parent's."""
        self._waiting = deque()
        self._open = {}
        self._taken = self._written = 0
        self._hurry = self._stopping = False
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._thread = None


class _Spans(SpanProcessor):
    """Hands spans to the pipeline."""

    def __init__(self, pipeline: EmbeddedPipeline) -> None:
        self._pipeline = pipeline

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the interface's
        # A copy: the span itself goes on changing while the writer reads.
        self._pipeline.opened(
            ReadableSpan(
                name=span.name,
                context=span.context,
                parent=span.parent,
                resource=span.resource,
                attributes=dict(span.attributes or {}),
                kind=span.kind,
                instrumentation_scope=span.instrumentation_scope,
                start_time=span.start_time,
            )
        )

    def on_end(self, span: ReadableSpan) -> None:
        self._pipeline.ended(span)

    def shutdown(self) -> None:
        self._pipeline.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._pipeline.flush(timeout_millis / 1000)


class _Logs(LogRecordProcessor):
    """Hands log records to the pipeline."""

    def __init__(self, pipeline: EmbeddedPipeline) -> None:
        self._pipeline = pipeline

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        self._pipeline.logged(
            ReadableLogRecord(
                log_record=log_record.log_record,
                resource=log_record.resource or Resource.get_empty(),
                instrumentation_scope=log_record.instrumentation_scope,
                limits=log_record.limits,
            )
        )

    def shutdown(self) -> None:
        self._pipeline.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._pipeline.flush(timeout_millis / 1000)
