"""What works beside requests: folding, passing records on, removing what is old."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from agent_otel.compaction.policy import Policy
from agent_otel.sdk.state import VERSION
from agent_otel.service import emit, retention
from agent_otel.service.compactor import Compactor, Died
from agent_otel.service.logs import Logger, Rarely
from agent_otel.service.metrics import ServiceMetrics
from agent_otel.service.periodic import Periodic
from agent_otel.service.settings import ProcessorSettings
from agent_otel.service.worker import Event, Settings as WorkerSettings, Trouble
from agent_otel.store.base import Store


class Background:
    """The processes and threads of a processor that answer nobody.

    Args:
        settings: how many, how often, where to.
        store: where records are.
        metrics: what is counted.
        log: where lines go.
        rarely: where trouble that comes again and again is told.
    """

    def __init__(
        self, settings: ProcessorSettings, store: Store, *, metrics: ServiceMetrics, log: Logger, rarely: Rarely
    ) -> None:
        self._metrics = metrics
        self._log = log
        self._rarely = rarely
        self._compactor = Compactor(_worker_settings(settings), workers=settings.workers, tell=self._heard)
        self._emission = _emission(settings, store, metrics)
        self._chores = [*self._emitting(), *self._expiring(settings, store)]

    def start(self) -> None:
        """Starts them all."""
        self._compactor.start()
        for chore in self._chores:
            chore.start()

    def stop(self, timeout_s: float) -> None:
        """Ends them all: what is in hand is finished, or left for the next time."""
        deadline = time.monotonic() + timeout_s
        for chore in self._chores:
            chore.stop(max(deadline - time.monotonic(), 0.1) / 2)
        self._compactor.stop(max(deadline - time.monotonic(), 0.1))
        if self._emission is not None:
            self._emission.close()

    def folding(self) -> list[int]:
        """The process ids of those that fold."""
        return self._compactor.pids()

    def _emitting(self) -> Iterator[Periodic]:
        if self._emission is not None:
            failed = self._failed("passing records on")
            yield Periodic("agent-otel-emit", self._emission.step, interval_s=emit.EVERY_S, failed=failed)

    def _expiring(self, settings: ProcessorSettings, store: Store) -> Iterator[Periodic]:
        if settings.retention_days:
            expiry = retention.Retention(store, days=settings.retention_days)
            failed = self._failed("removing old items")
            yield Periodic("agent-otel-expire", expiry.step, interval_s=retention.EVERY_S, failed=failed)

    def _failed(self, what: str) -> Callable[[Exception], None]:
        return lambda exc: self._rarely.warning(f"{what} failed; it is tried again", error=str(exc))

    def _heard(self, event: Event | Died) -> None:
        """What the folding processes tell."""
        if isinstance(event, Died):
            self._log.error("a folding process died", exit_code=event.exit_code, again_in_s=event.delay_s)
        elif isinstance(event, Trouble):
            self._rarely.warning("folding waits for the store", error=event.error)
        else:
            self._metrics.folded(groups=event.groups, duration_s=event.duration_s)
            for group, error in event.failed.items():
                self._rarely.warning("a group cannot be folded", group=group, error=error)


def _worker_settings(settings: ProcessorSettings) -> WorkerSettings:
    made = WorkerSettings(database=settings.db, policy=Policy(abandoned_after_s=settings.abandoned_after_s))
    return replace(made, pace=replace(made.pace, debounce_s=settings.debounce_s))


def _emission(settings: ProcessorSettings, store: Store, metrics: ServiceMetrics) -> emit.Emission | None:
    emitters: list[emit.Emitter] = []
    if settings.emit_file is not None:
        emitters.append(emit.FileEmitter(settings.emit_file))
    if settings.emit_endpoint:
        emitters.append(emit.LogEmitter(settings.emit_endpoint, clock=time.time_ns, version=VERSION))
    return emit.Emission(store, emitters, emitted=metrics.emitted) if emitters else None
