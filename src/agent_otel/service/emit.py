"""Passes finished revisions on: as lines of a file, or as log events to a collector. At least once each, the newest.

What was passed on is noted in the store after it was taken, so a crash in between passes it on again; ``run_id`` and
``revision`` tell copies apart. Where a run is folded faster than it is passed on, revisions in between are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from agent_otel.errors import EmitError
from agent_otel.model import names
from agent_otel.model.record import RunRecord, encode
from agent_otel.store.base import Store

EVERY_S: Final = 1.0
"""Seconds between two looks at what is to be passed on."""

MOST_BYTES: Final = 256 << 10
"""Of a record in a log event; collectors and backends refuse or cut larger ones."""

_AT_ONCE: Final = 100

_LEAST_DECISIVE: Final = (
    "tool_calls",
    "files_inspected",
    "context_sources",
    "gates",
    "commands",
    "changed_files",
    "decisions",
    "failures",
    "claims",
    "open_risks",
    "verifications",
    "findings",
    "task",
    "handoff",
    "capture",
)
"""Parts of a record in the order in which they are left out of an event that is too large."""


class Emitter(Protocol):
    """Where revisions go."""

    def emit(self, records: Sequence[RunRecord]) -> None:
        """Passes the records on; when it returns, they were taken.

        Raises:
            EmitError: they were not, or not all; the same ones are to be tried again.
        """

    def close(self) -> None:
        """Lets go of what it holds."""


class Emission:
    """Passes on what the store holds and nobody was told yet.

    Args:
        store: where records are.
        emitters: where they go: all of them, or it is tried again.
        emitted: called with how many were passed on.
    """

    def __init__(self, store: Store, emitters: Sequence[Emitter], *, emitted: Callable[[int], object]) -> None:
        self._store = store
        self._emitters = emitters
        self._emitted = emitted

    def step(self) -> bool:
        """Passes on some; whether there may be more.

        Raises:
            EmitError: somebody did not take them.
            StoreError: the database refused.
        """
        records = self._store.unemitted(limit=_AT_ONCE)
        if records:
            for emitter in self._emitters:
                emitter.emit(records)
            self._store.mark_emitted(records)
            self._emitted(len(records))
        return len(records) == _AT_ONCE

    def close(self) -> None:
        """Closes the emitters."""
        for emitter in self._emitters:
            emitter.close()


class FileEmitter:
    """Appends a line of JSON per revision to a file, and waits for the disk.

    The file is opened anew each time, so that it can be rotated by moving it away. A line that a crash cut short is
    ended first: it stays, as one line that is not JSON, and its revision follows whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def emit(self, records: Sequence[RunRecord]) -> None:
        """See ``Emitter.emit``."""
        lines = b"".join(encode(record) + b"\n" for record in records)
        try:
            self._append(lines)
        except OSError as exc:
            message = f"cannot write {self._path}: {exc.strerror or exc}"
            raise EmitError(message) from exc

    def close(self) -> None:
        """See ``Emitter.close``."""

    def _append(self, lines: bytes) -> None:
        # Telemetry is its owner's alone.
        opener = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(opener, "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
                lines = b"\n" + lines
            written = 0
            while written < len(lines):
                written += file.write(lines[written:]) or 0
            os.fsync(file.fileno())


class LogEmitter:
    """Sends each revision as a log event ``agent_otel.run_record`` by OTLP/HTTP.

    Attributes say what the run is called and how it stands; the body is the record as JSON. Headers, certificates and
    time-outs come from the exporter's own ``OTEL_EXPORTER_OTLP_*`` variables.

    Args:
        endpoint: URL, such as ``http://127.0.0.1:4318/v1/logs``.
        clock: the time in ns.
        version: of this program.
    """

    def __init__(self, endpoint: str, *, clock: Callable[[], int], version: str) -> None:
        self._exporter = OTLPLogExporter(endpoint=endpoint)
        self._endpoint = endpoint
        self._clock = clock
        self._resource = Resource.create({names.SERVICE_NAME: "agent-otel", names.SERVICE_VERSION: version})
        self._scope = InstrumentationScope(names.SCOPE, version)

    def emit(self, records: Sequence[RunRecord]) -> None:
        """See ``Emitter.emit``."""
        events = [ReadableLogRecord(self._event(record), self._resource, self._scope) for record in records]
        if self._exporter.export(events) is not LogRecordExportResult.SUCCESS:
            message = f"{self._endpoint} did not take {len(records)} run records"
            raise EmitError(message)

    def close(self) -> None:
        """See ``Emitter.close``."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # of the SDK

    def _event(self, record: RunRecord) -> LogRecord:
        body, left_out = bounded(record, MOST_BYTES)
        said: dict[str, Any] = {
            names.RUN_ID: record.run_id,
            names.RECORD_REVISION: record.revision,
            names.RECORD_LIFECYCLE: record.lifecycle,
            names.RUN_OUTCOME: record.outcome,
            names.RECORD_REVIEW_STATE: record.review_state,
            names.RECORD_FINDINGS: [finding.rule for finding in record.findings][:100],
            names.AGENT_NAME: record.agent.name,
            names.VCS_REPOSITORY_NAME: record.base.repository,
            names.RECORD_LEFT_OUT: left_out,
        }
        now_ns = self._clock()
        return LogRecord(
            timestamp=now_ns,
            observed_timestamp=now_ns,
            context=_context(record),
            severity_number=SeverityNumber.INFO,
            event_name=names.RUN_RECORD,
            body=body.decode(),
            attributes={name: value for name, value in said.items() if value not in (None, [])},
        )


def _context(record: RunRecord) -> Context:
    """The trace of the run, so that the event is found beside its spans."""
    trace_id = int(record.capture.traces[0], 16) if record.capture.traces else 0
    return set_span_in_context(NonRecordingSpan(SpanContext(trace_id, span_id=0, is_remote=True)), Context())


def bounded(record: RunRecord, most_bytes: int) -> tuple[bytes, list[str]]:
    """The record as JSON of at most so many bytes, and the parts that had to be left out of it."""
    body = encode(record)
    left_out: list[str] = []
    kept = msgspec.json.decode(body)
    for part in _LEAST_DECISIVE:
        if len(body) <= most_bytes:
            break
        if kept.pop(part, None):
            left_out.append(part)
            body = msgspec.json.encode(kept)
    return body, left_out
