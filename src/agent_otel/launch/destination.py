"""Where the telemetry of a launched run goes: into a store through a receiver of ours, or to an endpoint elsewhere."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from agent_otel.compaction.policy import Policy
from agent_otel.launch.waiting import final_record
from agent_otel.model.record import RunRecord
from agent_otel.sdk.bootstrap import Pipelines
from agent_otel.sdk.state import RunHook
from agent_otel.service.arrival import Arrival
from agent_otel.service.embedded import EmbeddedPipeline
from agent_otel.service.fold import fold_due
from agent_otel.store.base import Store
from agent_otel.store.open import file_of, open_store

if TYPE_CHECKING:
    from agent_otel.service.local import LocalReceiver

SETTLE_S: Final = 5.0
"""How long telemetry that is still on its way is waited for, at most."""

FOLD_S: Final = 10.0
"""How long the processors of a database that is no file are given to fold the run, at most."""


class Destination(Protocol):
    """Where telemetry goes; it is ready from the beginning."""

    endpoint: str
    """Base URL of OTLP/HTTP, for the agent."""

    ours: bool
    """Whether this process listens there."""

    started: tuple[RunHook, ...]
    ended: tuple[RunHook, ...]
    """What to call with the id of the run when it has started and when it has ended."""

    def pipelines(self) -> Pipelines:
        """Gives what takes the spans and log events of this process."""

    def record(self, run_id: str) -> RunRecord | None:
        """Waits, in bounded time, for what is on its way, and gives the record; None where it is not to be had here."""

    def trouble(self) -> str:
        """Tells what went wrong on the way, as lines for people; "" where nothing did."""

    def close(self) -> None:
        """Ends in bounded time; what was received is kept."""


class Here:
    """A receiver of ours, and the database it feeds.

    Args:
        database: path or URL.
        receiver: the class of the receiver, which needs what only the processor needs.
        arrive: what is done to items of the agent before they are kept.

    Raises:
        SettingsError: there is no such database.
        StoreError: it cannot be used.
    """

    ours = True

    def __init__(self, database: str | Path, receiver: type[LocalReceiver], arrive: Arrival) -> None:
        self._file = file_of(database)
        self._own = EmbeddedPipeline(lambda: open_store(database), Policy(), database=self._file)
        self.started: tuple[RunHook, ...] = (self._own.run_started,)
        self.ended: tuple[RunHook, ...] = (self._own.run_ended,) if self._file is not None else ()
        with ExitStack() as parts:
            self._store: Store = open_store(database)
            parts.callback(self._store.close)
            self._receiver = receiver(self._store, arrive)
            parts.callback(self._receiver.close)
            self._parts = parts.pop_all()
        self.endpoint = self._receiver.endpoint

    def pipelines(self) -> Pipelines:
        """See ``Destination.pipelines``."""
        return Pipelines(spans=(self._own.spans,), logs=(self._own.logs,))

    def record(self, run_id: str) -> RunRecord | None:
        """See ``Destination.record``. A file is folded here; another database has processors, whose work it is."""
        self._receiver.settle(SETTLE_S)
        if self._file is not None:
            fold_due(self._store, now_ns=time.time_ns(), policy=Policy())
            return self._store.record(run_id)
        return final_record(lambda: self._store.record(run_id), timeout_s=FOLD_S)

    def trouble(self) -> str:
        """See ``Destination.trouble``."""
        lost = f"{self._own.dropped} spans and events could not be written\n" if self._own.dropped else ""
        return lost + self._receiver.said

    def close(self) -> None:
        """See ``Destination.close``."""
        self._parts.close()


class Elsewhere:
    """An endpoint of somebody else, a collector or a processor.

    Args:
        endpoint: its base URL, of OTLP/HTTP.
    """

    ours = False
    started: tuple[RunHook, ...] = ()
    ended: tuple[RunHook, ...] = ()

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint.rstrip("/")

    def pipelines(self) -> Pipelines:
        """See ``Destination.pipelines``; tokens and certificates come from the environment, as the agent's do."""
        spans = OTLPSpanExporter(endpoint=f"{self.endpoint}/v1/traces")
        logs = OTLPLogExporter(endpoint=f"{self.endpoint}/v1/logs")
        return Pipelines(spans=(BatchSpanProcessor(spans),), logs=(BatchLogRecordProcessor(logs),))

    def record(self, run_id: str) -> RunRecord | None:  # noqa: ARG002 - the interface's
        """See ``Destination.record``."""
        return None

    def trouble(self) -> str:
        """See ``Destination.trouble``."""
        return ""

    def close(self) -> None:
        """See ``Destination.close``: whoever asked for the pipelines ends them."""
