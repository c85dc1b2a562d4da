"""Metrics of runs and tool calls, aggregated off the calling path.

One histogram record of the SDK costs nearly as much as a span. So a tool call only appends a tuple to a queue; the
tuples become measurements when a metric reader collects (an observable counter's callback comes first in a collection)
or, under load, on a background thread. The thread is started by the first burst; a quiet program never has one.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final

from opentelemetry import metrics as otel_metrics, trace
from opentelemetry.context import Context, attach
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, NoOpMeter, NoOpMeterProvider, Observation
from opentelemetry.metrics._internal import _ProxyMeterProvider
from opentelemetry.trace import SpanContext
from opentelemetry.util.types import Attributes

from agent_otel.model import names
from agent_otel.sdk.context import leave
from agent_otel.sdk.guard import guard
from agent_otel.sdk.state import VERSION, Instrumentation, current
from agent_otel.text.sanitise import clean

CAPACITY: Final = 16_384
"""Calls that wait to be measured; those beyond it are counted as dropped."""

BURST: Final = 1_024

# The conventions end at 81.92 s; a long build must not saturate.
TOOL_SECONDS: Final = tuple(0.01 * 2**n for n in range(18))
TOOL_MILLISECONDS: Final = tuple(float(step * 10**n) for n in range(7) for step in (1, 2, 5))
AGENT_SECONDS: Final = tuple(0.1 * 2**n for n in range(13))
CALLS: Final = (0.0, *(float(2**n) for n in range(11)))

_NO_SPAN: Final = Context()


Call = tuple[str, str, str, float, SpanContext]
"""One tool call as the metrics see it: tool, agent, ``error.type`` ("" for none), seconds, span. Plain, to be quick."""


class Instruments:
    """The instruments of one meter provider, and the calls that wait to be recorded on them.

    Args:
        meter: makes the instruments.
        burst: waiting calls that wake the background thread.
    """

    def __init__(self, meter: Meter, *, burst: int = BURST) -> None:
        self.dropped = 0
        self._burst = burst
        self._waiting: deque[Call] = deque()
        self._one_drains = threading.Lock()
        self._called = meter.create_counter(names.METRIC_TOOLS_CALLED, description="Tool calls")
        self._duration = meter.create_histogram(
            names.METRIC_TOOL_DURATION,
            unit="s",
            description="Duration of tool calls",
            explicit_bucket_boundaries_advisory=TOOL_SECONDS,
        )
        # Without a unit: the Prometheus exporter would make the name end in "_milliseconds".
        self._latency = meter.create_histogram(
            names.METRIC_TOOL_LATENCY,
            description="Duration of tool calls in milliseconds",
            explicit_bucket_boundaries_advisory=TOOL_MILLISECONDS,
        )
        self._agent_duration = meter.create_histogram(
            names.METRIC_AGENT_DURATION,
            unit="s",
            description="Duration of runs",
            explicit_bucket_boundaries_advisory=AGENT_SECONDS,
        )
        self._agent_tools = meter.create_histogram(
            names.METRIC_AGENT_TOOL_CALLS,
            unit="{call}",
            description="Tool calls in a run",
            explicit_bucket_boundaries_advisory=CALLS,
        )
        self._agent_models = meter.create_histogram(
            names.METRIC_AGENT_INFERENCE_CALLS,
            unit="{call}",
            description="Model calls in a run",
            explicit_bucket_boundaries_advisory=CALLS,
        )
        meter.create_observable_counter(
            names.METRIC_DROPPED,
            callbacks=[_draining(weakref.ref(self))],
            description="Tool calls not measured, because too many were waiting",
        )

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return len(self._waiting)

    def add(self, call: Call) -> None:
        """Leaves a call to be recorded later."""
        waiting = len(self._waiting)
        if waiting >= CAPACITY:
            self.dropped += 1
            return
        self._waiting.append(call)
        if waiting >= self._burst:
            _drainer.wake()

    def drain(self) -> None:
        """Records the calls that wait now; those that come meanwhile are left for the next time."""
        called: Counter[str] = Counter()
        with self._one_drains:
            try:
                for _ in range(len(self._waiting)):
                    call = self._waiting.popleft()
                    called[call[0]] += 1
                    self._record(call)
            finally:
                for tool, calls in called.items():  # one addition for all costs as much as one for each
                    self._called.add(calls, {names.METRIC_LABEL_TOOL: tool}, _NO_SPAN)

    def forget(self) -> None:
        """Drops what waits: after a fork, the parent records it."""
        self._waiting.clear()
        self._one_drains = threading.Lock()
        self.dropped = 0

    def run_ended(self, attributes: Attributes, duration_s: float, tool_calls: int, model_calls: int) -> None:
        """Records one run."""
        self._agent_duration.record(duration_s, attributes)
        self._agent_tools.record(tool_calls, attributes)
        self._agent_models.record(model_calls, attributes)

    def _record(self, call: Call) -> None:
        tool, agent, error_type, seconds, span = call
        # The context is given, so that an exemplar points at the call and not at whatever runs while this does.
        context = trace.set_span_in_context(trace.NonRecordingSpan(span), _NO_SPAN)
        self._latency.record(seconds * 1000, {names.METRIC_LABEL_TOOL: tool}, context)
        self._duration.record(seconds, _attributes(tool, agent, error_type), context)


class _Drainer:
    """The background thread: asleep until a burst wakes it."""

    def __init__(self) -> None:
        self._burst = threading.Event()
        self._thread: threading.Thread | None = None
        self._starts = threading.Lock()

    def wake(self) -> None:
        if self._burst.is_set():
            return
        self._burst.set()
        with self._starts:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="agent-otel-metrics", daemon=True)
                # Where threads are instrumented, this one must not stay in the trace that happened to start it.
                token = attach(_NO_SPAN)
                try:
                    self._thread.start()
                finally:
                    leave(token)

    def forget(self) -> None:
        """After a fork: no thread came along."""
        self.__init__()  # type: ignore[misc]  # nothing of the parent's is of use

    def _work(self) -> None:
        while self._burst.wait():
            self._burst.clear()
            flush()


_drainer = _Drainer()
_known: weakref.WeakKeyDictionary[MeterProvider, Instruments] = weakref.WeakKeyDictionary()
_creates = threading.Lock()


def instruments_for(instrumentation: Instrumentation) -> Instruments | None:
    """The instruments to record on, or None where no metrics pipeline is configured."""
    provider = instrumentation.meter_provider or otel_metrics.get_meter_provider()
    if not instrumentation.settings.metrics or isinstance(provider, _ProxyMeterProvider | NoOpMeterProvider):
        return None
    with _creates:
        if provider not in _known:
            meter = provider.get_meter(names.SCOPE, VERSION)
            if isinstance(meter, NoOpMeter):
                return None
            if not _known:
                _watch_forks()
            _known[provider] = Instruments(meter)
        return _known[provider]


def run_ended(
    *, agent: str, duration_s: float, tool_calls: int, model_calls: int, error_type: str | None = None
) -> None:
    """Records the metrics of a run that ended."""
    with guard("measuring a run"):
        instrumentation = current()
        instruments = instruments_for(instrumentation)
        if instruments is not None:
            attributes = {
                names.OPERATION_NAME: names.INVOKE_AGENT,
                names.AGENT_NAME: instrumentation.masker.mask(clean(agent))[0],
            }
            if error_type:
                attributes[names.ERROR_TYPE] = error_type
            instruments.run_ended(attributes, duration_s, tool_calls, model_calls)


def flush() -> None:
    """Records every call that still waits, so that readers see it."""
    for instruments in list(_known.values()):
        with guard("measuring tool calls"):
            instruments.drain()


def _draining(instruments: weakref.ref[Instruments]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    """A callback that records what waits before the other instruments are read (the SDK asks observable ones first)."""

    def dropped(_: CallbackOptions) -> Iterable[Observation]:
        found = instruments()
        if found is None:
            return []
        with guard("measuring tool calls"):
            found.drain()
        return [Observation(found.dropped)] if found.dropped else []

    return dropped


def _attributes(tool: str, agent: str, error_type: str) -> Attributes:
    attributes = {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: tool}
    if agent:
        attributes[names.AGENT_NAME] = agent
    if error_type:
        attributes[names.ERROR_TYPE] = error_type
    return attributes


def _watch_forks() -> None:
    global _forks_watched  # noqa: PLW0603 - the hook cannot be taken back, so it is set once for the process
    if not _forks_watched and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget)
        _forks_watched = True


_forks_watched = False


def _forget() -> None:
    global _creates  # noqa: PLW0603 - another thread may have held it when the process was forked
    _creates = threading.Lock()
    _drainer.forget()
    for instruments in list(_known.values()):
        instruments.forget()
