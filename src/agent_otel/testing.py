"""Runs recorded in memory, for the tests of programs that use this SDK.

    with agent_otel.testing.record_runs() as recorded:
        my_agent.fix("the bug")
    assert recorded.record.review_state == "done"

Ids and clock are fixed, so that the same program gives the same record. The clock goes on at every look, also for
commands: what they really took is not recorded.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from agent_otel.compaction.policy import Policy
from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord
from agent_otel.otlp.encode import logs_body, spans_body
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.sdk import metrics, state
from agent_otel.sdk.bootstrap import MAX_ATTRIBUTES, MAX_EVENTS
from agent_otel.sdk.settings import SdkSettings
from agent_otel.service.fold import fold_groups
from agent_otel.text.redaction import Masker

EPOCH_NS: Final = 1_767_225_600_000_000_000
"""When the fixed clock starts: 2026-01-01T00:00:00Z."""

TICK_NS: Final = 1_000_000
"""How far the fixed clock goes at each look: a millisecond."""


class Recorded:
    """What was recorded, in the order in which it ended."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # the SDK's, without types
        self._metrics = InMemoryMetricReader()

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that have ended."""
        return self._spans.get_finished_spans()

    @property
    def logs(self) -> tuple[ReadableLogRecord, ...]:
        """The log events."""
        return tuple(self._logs.get_finished_logs())

    @property
    def items(self) -> tuple[Item, ...]:
        """Spans and log events as items, encoded and received as over the wire."""
        spans = items_from_protobuf(spans_body(self.spans), "span").items if self.spans else ()
        logs = items_from_protobuf(logs_body(self.logs), "log").items if self.logs else ()
        return (*spans, *logs)

    @property
    def records(self) -> list[RunRecord]:
        """The judged run records, the latest run first. What did not end is abandoned: there is no more to come."""
        return fold_groups(self.items, policy=Policy())

    @property
    def record(self) -> RunRecord:
        """The one run record.

        Raises:
            LookupError: there are none, or several.
        """
        found = self.records
        if len(found) != 1:
            message = f"expected one run, recorded {[record.run_id for record in found]}"
            raise LookupError(message)
        return found[0]

    def metrics(self) -> dict[str, list[Any]]:
        """Data points by the name of their metric."""
        metrics.flush()
        data = self._metrics.get_metrics_data()
        resources = data.resource_metrics if data is not None else []
        found = (metric for resource in resources for scope in resource.scope_metrics for metric in scope.metrics)
        return {metric.name: list(metric.data.data_points) for metric in found}


@contextmanager
def record_runs(**settings: Any) -> Iterator[Recorded]:
    """Records everything this SDK emits in its body, in memory and apart from any global provider.

    Args:
        **settings: fields of ``SdkSettings``; the environment is not read.

    Raises:
        SettingsError: a setting that cannot be.
    """
    recorded = Recorded()
    resource = Resource({"service.name": "test"})
    limits = SpanLimits(max_events=MAX_EVENTS, max_span_attributes=MAX_ATTRIBUTES)
    tracer_provider = TracerProvider(
        resource=resource, id_generator=_CountingIds(), span_limits=limits, shutdown_on_exit=False
    )
    tracer_provider.add_span_processor(SimpleSpanProcessor(recorded._spans))  # noqa: SLF001 - the other half of this module
    logger_provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(recorded._logs))  # noqa: SLF001 - see above
    meter_provider = MeterProvider([recorded._metrics], resource=resource, shutdown_on_exit=False)  # noqa: SLF001 - see above
    numbers = itertools.count(1)
    before = state.install(
        state.Instrumentation(
            settings=SdkSettings(**{"heartbeat_s": 0.0, **settings}),
            masker=Masker(key=b"testing"),
            tracer_provider=tracer_provider,
            logger_provider=logger_provider,
            meter_provider=meter_provider,
            clock=fixed_clock(),
            new_id=lambda: f"{next(numbers):016x}",
        )
    )
    try:
        yield recorded
    finally:
        state.install(before)
        meter_provider.shutdown()


def fixed_clock(start_ns: int = EPOCH_NS, tick_ns: int = TICK_NS) -> Any:
    """A clock that starts at ``start_ns`` and goes on by ``tick_ns`` whenever it is looked at."""
    return itertools.count(start_ns, tick_ns).__next__


class _CountingIds(IdGenerator):
    def __init__(self) -> None:
        self._spans = itertools.count(1)
        self._traces = itertools.count(1)

    def generate_span_id(self) -> int:
        return next(self._spans)

    def generate_trace_id(self) -> int:
        return next(self._traces)
