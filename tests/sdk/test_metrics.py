"""Metrics: what is measured, under which names, and when it can be seen."""

import os
import threading

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry, generate_latest

from agent_otel.model import names
from agent_otel.sdk import metrics
from agent_otel.sdk.run_scope import run
from agent_otel.sdk.settings import SdkSettings
from agent_otel.sdk.state import Instrumentation, install
from agent_otel.sdk.tool import tool
from agent_otel.text.redaction import Masker


@tool
def read_file() -> None:
    """Reads."""


@tool
def _fail() -> None:
    raise LookupError


def _installed(provider, **settings):
    return install(Instrumentation(settings=SdkSettings(**settings), masker=Masker(key=b"k"), meter_provider=provider))


def test_a_reader_that_collects_sees_every_call(recording):
    """What waits is recorded before the other instruments are read."""
    for _ in range(3):
        read_file()
    with pytest.raises(LookupError):
        _fail()
    found = recording.metrics()
    counted = {point.attributes["tool"]: point.value for point in found["tools_called_total"]}
    assert counted == {"read_file": 3, "_fail": 1}
    durations = {point.attributes[names.TOOL_NAME]: point for point in found[names.METRIC_TOOL_DURATION]}
    assert durations["read_file"].count == 3
    assert dict(durations["_fail"].attributes) == {
        names.OPERATION_NAME: "execute_tool",
        names.TOOL_NAME: "_fail",
        names.ERROR_TYPE: "LookupError",
    }
    assert 0 < durations["read_file"].sum < 1
    (latency,) = [point for point in found["tool_latency_ms"] if point.attributes["tool"] == "read_file"]
    assert latency.sum == pytest.approx(durations["read_file"].sum * 1000)


def test_buckets_are_those_of_the_conventions_and_some_above(recording):
    """0.01·2ⁿ to 81.92 s as specified, then on to 1310.72, so that a long build does not saturate."""
    read_file()
    with run("x", agent="fixer"):
        pass
    found = recording.metrics()
    bounds = found[names.METRIC_TOOL_DURATION][0].explicit_bounds
    assert bounds[:3] == (0.01, 0.02, 0.04)
    assert bounds[13:] == (81.92, 163.84, 327.68, 655.36, 1310.72)
    bounds = found[names.METRIC_AGENT_DURATION][0].explicit_bounds
    assert (bounds[0], bounds[-1]) == (0.1, 409.6)


def test_the_prometheus_exposition_has_the_required_names():
    """By the official exporter, without a unit in the name or another label."""
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(registry=registry, scope_info_enabled=False, disable_target_info=True)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    before = _installed(provider)
    try:
        read_file()
        read_file()
        exposition = generate_latest(registry).decode()
    finally:
        install(before)
        provider.shutdown()
    assert 'tools_called_total{tool="read_file"} 2.0' in exposition
    assert 'tool_latency_ms_bucket{le="+Inf",tool="read_file"} 2.0' in exposition
    assert "gen_ai_execute_tool_duration_seconds_bucket" in exposition


def test_runs_are_measured(recording):
    """Duration, tool calls and model calls of each run, and how it failed."""
    with run("x", agent="fixer") as current:
        read_file()
        read_file()
        current.usage(input_tokens=10, output_tokens=1)
    with pytest.raises(LookupError), run("x", agent="fixer"):
        _fail()
    found = recording.metrics()
    ended, failed = sorted(found[names.METRIC_AGENT_DURATION], key=lambda point: len(point.attributes))
    assert dict(ended.attributes) == {names.OPERATION_NAME: "invoke_agent", names.AGENT_NAME: "fixer"}
    assert failed.attributes[names.ERROR_TYPE] == "LookupError"
    assert [p.sum for p in found[names.METRIC_AGENT_TOOL_CALLS] if names.ERROR_TYPE not in p.attributes] == [2]
    assert [p.sum for p in found[names.METRIC_AGENT_INFERENCE_CALLS] if names.ERROR_TYPE not in p.attributes] == [1]
    tools = found[names.METRIC_TOOL_DURATION]
    assert {point.attributes.get(names.AGENT_NAME) for point in tools} == {"fixer"}


def test_exemplars_point_at_the_call(recording):
    """From a bucket to the trace, though the call was over when it was measured."""
    read_file()
    (point,) = recording.metrics()[names.METRIC_TOOL_DURATION]
    (exemplar,) = point.exemplars
    assert exemplar.span_id == recording.span.context.span_id
    assert exemplar.trace_id == recording.span.context.trace_id


def test_two_readers_see_the_same(record):
    """Whichever collects first records for all."""
    readers = [InMemoryMetricReader(), InMemoryMetricReader()]
    provider = MeterProvider(readers, shutdown_on_exit=False)
    before = _installed(provider)
    try:
        read_file()
        counts = []
        for reader in readers:
            (resource,) = reader.get_metrics_data().resource_metrics
            (scope,) = resource.scope_metrics
            counts += [m.data.data_points[0].value for m in scope.metrics if m.name == names.METRIC_TOOLS_CALLED]
        assert counts == [1, 1]
    finally:
        install(before)
        provider.shutdown()


def test_an_instrumentation_put_in_force_again_measures_on(recording):
    """One provider has one set of instruments, whoever asks."""
    instruments = metrics.instruments_for(
        Instrumentation(masker=Masker(key=b"k"), meter_provider=recording.meter_provider)
    )
    assert instruments is not None
    again = Instrumentation(masker=Masker(key=b"k"), meter_provider=recording.meter_provider)
    assert metrics.instruments_for(again) is instruments


@pytest.mark.parametrize("setting", [False, True])
def test_nothing_is_measured_without_a_provider_or_against_the_setting(setting):
    """``AGENT_OTEL_METRICS=false``, or no metrics pipeline."""
    provider = None if setting else MeterProvider(shutdown_on_exit=False)
    instrumentation = Instrumentation(
        settings=SdkSettings(metrics=setting), masker=Masker(key=b"k"), meter_provider=provider
    )
    assert metrics.instruments_for(instrumentation) is None


def test_metrics_work_without_tracing():
    """Durations are worth having by themselves."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    before = _installed(provider)
    try:
        read_file()
        metrics.flush()
        assert "tools_called_total" in repr(reader.get_metrics_data())
    finally:
        install(before)
        provider.shutdown()


def test_a_burst_is_recorded_in_the_background(recording):
    """Nobody collects, and still the queue is emptied, by a daemon thread that the burst started."""
    instruments = metrics.instruments_for(
        Instrumentation(masker=Masker(key=b"k"), meter_provider=recording.meter_provider)
    )
    assert instruments is not None
    for _ in range(metrics.BURST + 1):
        read_file()
    (thread,) = [each for each in threading.enumerate() if each.name == "agent-otel-metrics"]
    assert thread.daemon
    drained = threading.Event()
    for _ in range(10_000):
        if instruments.waiting < metrics.BURST:
            drained.set()
            break
        drained.wait(0.001)
    assert drained.is_set()
    assert recording.metrics()["tools_called_total"][0].value == metrics.BURST + 1


def test_what_does_not_fit_is_counted(recording):
    """The queue has an end, and says what it turned away."""
    meter = recording.meter_provider.get_meter("crowded")
    instruments = metrics.Instruments(meter, burst=10**9)
    call = ("t", "", "", 0.1, _span_context())
    for _ in range(metrics.CAPACITY + 5):
        instruments.add(call)
    found = recording.metrics()
    assert [point.value for point in found[names.METRIC_DROPPED]] == [5]
    assert found["tools_called_total"][0].value == metrics.CAPACITY


def _span_context():
    provider = TracerProvider(shutdown_on_exit=False)
    return provider.get_tracer("t").start_span("s").get_span_context()


def test_calls_from_many_threads_are_all_counted(recording):
    """No lock is taken by a call, and none is lost."""
    threads = [threading.Thread(target=lambda: [read_file() for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recording.metrics()["tools_called_total"][0].value == 4000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_measures_its_own_calls_only(recording):
    """What waits in the parent is the parent's to record."""
    read_file()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        read_file()
        read_file()
        points = recording.metrics()["tools_called_total"]
        os.write(writing, str(points[0].value).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as said:
        assert said.read() == "2"
    assert recording.metrics()["tools_called_total"][0].value == 1


def test_secrets_are_not_in_metrics(record):
    """Names of tools and agents are masked like everything else."""
    secret = "ghp_FAKEfakeFAKEfakeFAKEfakeFAKEfake0123"
    with record() as recording:
        with run("x", agent=f"agent {secret}"):
            tool(lambda: 1, name=f"tool {secret}")()
        assert secret not in repr(recording.metrics())
