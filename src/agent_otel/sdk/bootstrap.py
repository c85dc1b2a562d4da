"""Providers for an application that has none: what the ``OTEL_*`` variables ask for, with room for whole runs.

Decides where telemetry goes (``destination``), builds providers, and ends them in bounded time. Exporters are found by
the names the OpenTelemetry specification gives them, through their entry points.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import FrameType
from typing import Any, Final, Literal

from opentelemetry import _logs, metrics, trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk import environment_variables as env
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from agent_otel.errors import SettingsError
from agent_otel.model import names

Destination = Literal["disabled", "existing", "otlp", "embedded"]

EXIT_S: Final = 4.5
"""How long leaving the program may take at most (G12: 5 s), however dead the collector is."""

MAX_EVENTS: Final = 4096
MAX_ATTRIBUTES: Final = 512
"""Limits of a span where we own the provider: the SDK's 128 drop the oldest events of a long run, its task first."""

_SIGNALS: Final = ("traces", "logs", "metrics")


def destination(environ: Mapping[str, str]) -> tuple[Destination, str]:
    """Where ``configure`` would send telemetry, and why, in words for people.

    Args:
        environ: the environment to judge by.
    """
    if environ.get(env.OTEL_SDK_DISABLED, "").strip().lower() == "true":
        return "disabled", f"{env.OTEL_SDK_DISABLED} is true"
    provider = trace.get_tracer_provider()
    if not isinstance(provider, trace.ProxyTracerProvider):
        return "existing", f"the application has set a {type(provider).__name__}; it is used, never replaced"
    for name in _asking():
        if environ.get(name, "").strip() not in {"", "none"}:
            return "otlp", f"{name} is set"
    return "embedded", "no OTLP endpoint is configured"


def _asking() -> Iterable[str]:
    yield env.OTEL_EXPORTER_OTLP_ENDPOINT
    yield from (f"OTEL_EXPORTER_OTLP_{signal_name.upper()}_ENDPOINT" for signal_name in _SIGNALS)
    yield from (f"OTEL_{signal_name.upper()}_EXPORTER" for signal_name in _SIGNALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipelines:
    """What receives each signal."""

    spans: tuple[SpanProcessor, ...] = ()
    logs: tuple[LogRecordProcessor, ...] = ()
    metrics: tuple[MetricReader, ...] = ()


def exporting_pipelines(environ: Mapping[str, str]) -> Pipelines:
    """Pipelines to the exporters that ``OTEL_{TRACES,LOGS,METRICS}_EXPORTER`` name; ``otlp`` where they name none.

    A signal for which the application has a provider gets none: nobody would ever end its threads.

    Raises:
        SettingsError: an exporter that is not installed.
    """
    return Pipelines(
        spans=tuple(BatchSpanProcessor(exporter) for exporter in _exporters("traces", environ)),
        logs=tuple(BatchLogRecordProcessor(exporter) for exporter in _exporters("logs", environ)),
        metrics=tuple(
            exporter if isinstance(exporter, MetricReader) else PeriodicExportingMetricReader(exporter)
            for exporter in _exporters("metrics", environ)
        ),
    )


def _is_set(signal_name: str) -> bool:
    """Whether somebody has set the global provider of a signal."""
    if signal_name == "traces":
        return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    if signal_name == "logs":
        return isinstance(_logs.get_logger_provider(), LoggerProvider)
    return isinstance(metrics.get_meter_provider(), MeterProvider | NoOpMeterProvider)


def _exporters(signal_name: str, environ: Mapping[str, str]) -> Iterable[Any]:
    if _is_set(signal_name):
        return
    for name in environ.get(f"OTEL_{signal_name.upper()}_EXPORTER", "otlp").split(","):
        if name.strip() not in {"", "none"}:
            yield _exporter(name.strip(), signal_name, environ)()


def _exporter(name: str, signal_name: str, environ: Mapping[str, str]) -> Callable[[], Any]:
    group = f"opentelemetry_{signal_name}_exporter"
    if name == "otlp":
        name = "otlp_proto_grpc" if protocol(signal_name, environ) == "grpc" else "otlp_proto_http"
    known = entry_points(group=group)
    if name not in known.names:
        message = f"OTEL_{signal_name.upper()}_EXPORTER names {name!r}; installed are: {', '.join(sorted(known.names))}"
        raise SettingsError(message)
    loaded: Callable[[], Any] = known[name].load()
    return loaded


def protocol(signal_name: str, environ: Mapping[str, str]) -> str:
    """``grpc`` or ``http/protobuf``, the specification's default."""
    general = environ.get(env.OTEL_EXPORTER_OTLP_PROTOCOL, "http/protobuf")
    return environ.get(f"OTEL_EXPORTER_OTLP_{signal_name.upper()}_PROTOCOL", general).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """The providers we own; None for a signal where the application has its own, or nothing receives it."""

    tracer: TracerProvider | None = None
    logger: LoggerProvider | None = None
    meter: MeterProvider | None = None

    def flush(self, timeout_s: float = EXIT_S) -> bool:
        """Sends what is waiting; False where time ran out."""
        milliseconds = int(timeout_s * 1000)
        owned = [provider for provider in (self.tracer, self.logger, self.meter) if provider is not None]
        return within(timeout_s, [lambda p=provider: p.force_flush(milliseconds) for provider in owned])  # type: ignore[misc]  # mypy cannot infer a lambda with a default

    def shutdown(self, timeout_s: float = EXIT_S) -> bool:
        """Ends them; False where time ran out."""
        owned = [provider for provider in (self.tracer, self.logger, self.meter) if provider is not None]
        return within(timeout_s, [provider.shutdown for provider in owned])


def install_providers(resource: Resource, pipelines: Pipelines, environ: Mapping[str, str]) -> Providers:
    """Builds providers for the signals that something receives and nobody has set, and makes them the global ones."""
    tracer = logger = meter = None
    if pipelines.spans and not _is_set("traces"):
        tracer = TracerProvider(resource=resource, span_limits=_limits(environ), shutdown_on_exit=False)
        for span_processor in pipelines.spans:
            tracer.add_span_processor(span_processor)
        trace.set_tracer_provider(tracer)
    if pipelines.logs and not _is_set("logs"):
        logger = LoggerProvider(resource=resource, shutdown_on_exit=False)
        for log_processor in pipelines.logs:
            logger.add_log_record_processor(log_processor)
        _logs.set_logger_provider(logger)
    if pipelines.metrics and not _is_set("metrics"):
        meter = MeterProvider(metric_readers=pipelines.metrics, resource=resource, shutdown_on_exit=False)
        metrics.set_meter_provider(meter)
    return Providers(tracer=tracer, logger=logger, meter=meter)


def resource_of(service_name: str | None, attributes: Mapping[str, Any]) -> Resource:
    """The resource of this process; ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES`` come before our guesses."""
    asked = {names.SERVICE_NAME: service_name} if service_name else {}
    guessed = {names.PROCESS_PID: os.getpid(), **{name: value for name, value in attributes.items() if value}}
    return Resource(guessed).merge(Resource.create()).merge(Resource(asked))


def _limits(environ: Mapping[str, str]) -> SpanLimits:
    """More room than the default, unless the user has set a limit."""
    return SpanLimits(
        max_events=None if env.OTEL_SPAN_EVENT_COUNT_LIMIT in environ else MAX_EVENTS,
        max_span_attributes=None if env.OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT in environ else MAX_ATTRIBUTES,
        max_event_attributes=None if env.OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT in environ else MAX_ATTRIBUTES,
    )


def within(timeout_s: float, actions: Iterable[Callable[[], object]]) -> bool:
    """Does ``actions`` side by side; False where they are not all done in time.

    Exporters retry for as long as they like, and some ignore the time-out they are given; a daemon thread can be left.
    """
    threads = [threading.Thread(target=action, name="agent-otel-leave", daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def leave_well(leave: Callable[[], object]) -> Callable[[], None]:
    """Calls ``leave`` when the program ends: at exit, and on SIGTERM where the application has not its own handler.

    The SDK flushes nothing on SIGTERM, which is how most agents end in CI. After ``leave`` the signal takes its course.

    Returns:
        A function that forgets about it.
    """
    atexit.register(leave)
    before = None

    def on_term(number: int, _: FrameType | None) -> None:
        leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        before = signal.signal(signal.SIGTERM, on_term)

    def forget() -> None:
        atexit.unregister(leave)
        if before is not None and signal.getsignal(signal.SIGTERM) is on_term:
            signal.signal(signal.SIGTERM, before)

    return forget
