"""This process's own telemetry while it watches an agent: providers of its own, whatever the environment is set to.

The environment is meant for the agent; that somebody sampled or switched off telemetry in it is no wish that the run
which he asks to be recorded is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk import environment_variables as env
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from agent_otel.launch.destination import Destination
from agent_otel.model import names
from agent_otel.sdk import bootstrap, state

SERVICE: Final = "agent-otel"


@contextmanager
def recording(destination: Destination, instrumentation: state.Instrumentation) -> Iterator[None]:
    """What the SDK records in its body, by ``instrumentation``, goes to ``destination``."""
    os.environ.pop(env.OTEL_SDK_DISABLED, None)  # the providers themselves read it
    resource = bootstrap.resource_of(SERVICE, {names.SERVICE_VERSION: state.VERSION})
    limits = SpanLimits(max_events=bootstrap.MAX_EVENTS, max_span_attributes=bootstrap.MAX_ATTRIBUTES)
    tracers = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, span_limits=limits)
    loggers = LoggerProvider(resource, shutdown_on_exit=False)
    pipelines = destination.pipelines()
    for span_processor in pipelines.spans:
        tracers.add_span_processor(span_processor)
    for log_processor in pipelines.logs:
        loggers.add_log_record_processor(log_processor)
    own = replace(
        instrumentation,
        tracer_provider=tracers,
        logger_provider=loggers,
        meter_provider=NoOpMeterProvider(),
        on_run_start=destination.started,
        on_run_end=destination.ended,
    )
    before = state.install(own)
    try:
        yield
    finally:
        state.install(before)
        bootstrap.within(bootstrap.EXIT_S, [tracers.shutdown, loggers.shutdown])
