"""What an instrumented program sends, kept in memory: providers of its own for each test, no globals touched."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from agent_otel.sdk import guard
from agent_otel.sdk.settings import SdkSettings
from agent_otel.sdk.state import Instrumentation, install
from agent_otel.text.redaction import Masker


class OpenSpans(SpanProcessor):
    """Counts spans that have started and not ended."""

    def __init__(self) -> None:
        self.count = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.count += 1

    def on_end(self, span: Any) -> None:
        self.count -= 1


class Recording:
    """What has been sent so far."""

    def __init__(self, *, logs: bool = True, metrics: bool = True, sampler: Sampler = ALWAYS_ON) -> None:
        self.open = OpenSpans()
        self.span_exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(self.open)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.span_exporter))
        self._log_exporter = InMemoryLogRecordExporter()
        self.logger_provider = LoggerProvider(shutdown_on_exit=False) if logs else None
        if self.logger_provider is not None:
            self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._log_exporter))
        self._reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False) if metrics else None

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in this order."""
        return list(self.span_exporter.get_finished_spans())

    @property
    def span(self) -> ReadableSpan:
        """The only span."""
        (span,) = self.spans
        return span

    @property
    def logs(self) -> list[ReadableLogRecord]:
        """The log records."""
        return list(self._log_exporter.get_finished_logs())

    def metrics(self) -> dict[str, list[Any]]:
        """Data points by name of their metric, as a reader collects them."""
        data = self._reader.get_metrics_data()
        resources = data.resource_metrics if data is not None else []
        found = (metric for resource in resources for scope in resource.scope_metrics for metric in scope.metrics)
        return {metric.name: list(metric.data.data_points) for metric in found}

    def everything(self) -> str:
        """All that was sent, as text, to look for what must not be in it."""
        return "\n".join(
            [
                *(span.to_json() for span in self.spans),
                *(log.to_json() for log in self.logs),
                repr(self.metrics()),
            ]
        )

    def close(self) -> None:
        """Shuts the providers down."""
        self.tracer_provider.shutdown()
        if self.logger_provider is not None:
            self.logger_provider.shutdown()
        if self.meter_provider is not None:
            self.meter_provider.shutdown()


@contextmanager
def recorded(
    *, settings: dict[str, Any] | None = None, secrets: tuple[str, ...] = (), **providers: Any
) -> Iterator[Any]:
    """Puts an instrumentation in force that keeps everything in memory."""
    recording = Recording(**providers)
    instrumentation = Instrumentation(
        settings=SdkSettings(**{"heartbeat_s": 0.0, **(settings or {})}),
        masker=Masker(key=b"for tests only", secrets=secrets),
        tracer_provider=recording.tracer_provider,
        logger_provider=recording.logger_provider,
        meter_provider=recording.meter_provider,
    )
    before = install(instrumentation)
    try:
        yield recording
    finally:
        install(before)
        recording.close()


@pytest.fixture
def recording() -> Iterator[Recording]:
    """Records with default settings; the test must leave no span open, no context attached, and no failure of ours."""
    here, failures = otel_context.get_current(), Counter(guard.failures())
    with recorded() as made:
        yield made
        assert made.open.count == 0
    assert otel_context.get_current() == here
    assert Counter(guard.failures()) - failures == Counter()


@pytest.fixture(scope="session")
def record() -> Callable[..., Any]:
    """Makes recordings with other settings, as context managers: ``settings`` are fields of ``SdkSettings``."""
    return recorded


@pytest.fixture
def own_failures() -> Callable[[], Counter[str]]:
    """Gives what this SDK has swallowed since the test began."""
    before = Counter(guard.failures())
    return lambda: Counter(guard.failures()) - before
