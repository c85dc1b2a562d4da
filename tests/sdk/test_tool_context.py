"""Where a call stands: its parent, its process's parent, its sampling, and whether anybody records at all."""

import textwrap

import pytest
from opentelemetry import baggage, context as otel_context, trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanContext, TraceFlags

from agent_otel.model import names
from agent_otel.sdk import process_context
from agent_otel.sdk.run_scope import run
from agent_otel.sdk.tool import tool

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@tool
def _ids() -> SpanContext:
    return trace.get_current_span().get_span_context()


def test_the_parent_is_whatever_span_is_current(recording):
    """Also one of the user's own, from another tracer."""
    tracer = recording.tracer_provider.get_tracer("user")
    with tracer.start_as_current_span("mine") as mine:
        assert _ids().trace_id == mine.get_span_context().trace_id
    assert recording.spans[0].parent.span_id == mine.get_span_context().span_id


def test_an_unsampled_call_still_carries_the_context(record):
    """What is called below knows the trace, and that it is not sampled."""
    with record(sampler=ALWAYS_OFF) as recording:
        outer = _ids()
        assert outer.is_valid
        assert not outer.trace_flags.sampled
        inner = tool(lambda: (trace.get_current_span().get_span_context(), _ids()))()
        assert inner[0].trace_id == inner[1].trace_id
        assert recording.spans == []
        assert sum(p.value for p in recording.metrics()[names.METRIC_TOOLS_CALLED]) == 3


def test_an_unsampled_file_tool_looks_at_no_file(record, tmp_path):
    """Unsampled calls are cheap, and tell nothing."""
    with record(sampler=ALWAYS_OFF) as recording:
        tool(lambda path: None, writes="path")(tmp_path)
        assert recording.logs == []


def test_other_values_of_the_context_stay(recording):
    """Baggage, and whatever else travels along."""
    token = otel_context.attach(baggage.set_baggage("tenant", "a"))
    try:
        assert tool(lambda: baggage.get_baggage("tenant"))() == "a"
    finally:
        otel_context.detach(token)


@pytest.mark.parametrize(
    "environ",
    [{}, {"TRACEPARENT": ""}, {"TRACEPARENT": "garbage"}, {"TRACESTATE": "a=b"}, {"TRACEPARENT": TRACEPARENT[:30]}],
)
def test_an_environment_without_a_trace_has_no_parent(environ):
    """What cannot be read is as good as nothing."""
    assert process_context.parent_in(environ) is None


def test_the_environment_names_the_parent_of_a_process():
    """W3C trace context in upper-case variables."""
    context = process_context.parent_in({"TRACEPARENT": TRACEPARENT, "TRACESTATE": "vendor=1"})
    span = trace.get_current_span(context).get_span_context()
    assert f"{span.trace_id:032x}" == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert span.is_remote
    assert span.trace_flags == TraceFlags.SAMPLED
    assert span.trace_state["vendor"] == "1"


def _printed(done) -> list[str]:
    """The words a program printed; it complained of nothing."""
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split()


def test_a_process_with_traceparent_continues_that_trace(python):
    """A tool outside of any run and span is a child of whoever started the process."""
    done = python(
        textwrap.dedent(
            """
            from opentelemetry import trace
            from opentelemetry.sdk.trace import TracerProvider
            from agent_otel.sdk.tool import tool
            trace.set_tracer_provider(TracerProvider())
            ids = tool(lambda: trace.get_current_span())
            span = ids()
            print(f"{span.context.trace_id:032x} {span.parent.span_id:016x}")
            """
        ),
        env={"TRACEPARENT": TRACEPARENT},
    )
    assert _printed(done) == ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"]


def test_a_provider_set_later_is_noticed(python):
    """Decorators run long before applications are configured."""
    done = python(
        textwrap.dedent(
            """
            from opentelemetry import metrics, trace
            from opentelemetry.sdk.metrics import MeterProvider
            from opentelemetry.sdk.metrics.export import InMemoryMetricReader
            from opentelemetry.sdk.trace import TracerProvider
            from agent_otel.sdk.tool import tool
            recording = tool(lambda: trace.get_current_span().is_recording())
            print(recording())
            reader = InMemoryMetricReader()
            metrics.set_meter_provider(MeterProvider([reader]))
            print(recording())
            trace.set_tracer_provider(TracerProvider())
            print(recording())
            found = [m for r in reader.get_metrics_data().resource_metrics for s in r.scope_metrics for m in s.metrics]
            print([point.value for m in found if m.name == "tools_called_total" for point in m.data.data_points])
            """
        ),
    )
    assert _printed(done) == ["False", "False", "True", "[2]"]


def test_a_disabled_sdk_is_no_provider(python):
    """``OTEL_SDK_DISABLED`` is honoured."""
    done = python(
        textwrap.dedent(
            """
            from opentelemetry import trace
            from opentelemetry.sdk.trace import TracerProvider
            from agent_otel.sdk.pipeline import active
            from agent_otel.sdk.tool import tool
            trace.set_tracer_provider(TracerProvider())
            print(tool(lambda: trace.get_current_span().is_recording())(), active())
            """
        ),
        env={"OTEL_SDK_DISABLED": "true"},
    )
    assert _printed(done) == ["False", "None"]


def test_importing_starts_nothing_and_reads_nothing(python):
    """No thread, no provider, and no look into the environment of ours."""
    done = python(
        textwrap.dedent(
            """
            import threading
            import opentelemetry.sdk.trace, opentelemetry.sdk.metrics, opentelemetry.sdk._logs
            from opentelemetry import trace
            before = threading.active_count()
            import agent_otel.sdk.tool
            from agent_otel.sdk import pipeline, process_context, state
            print(threading.active_count() - before, state._current, pipeline._pipeline)
            print(process_context.remote_parent.cache_info().currsize, trace._TRACER_PROVIDER)
            """
        ),
        env={"AGENT_OTEL_VALUE_LIMIT": "not a number"},
    )
    assert _printed(done) == ["0", "None", "None", "0", "None"]


def test_the_api_still_has_what_late_providers_are_noticed_by():
    """Two private names of opentelemetry-api; without them a provider set late would go unnoticed."""
    from opentelemetry.metrics import _internal  # noqa: PLC0415 - beside the assertion

    assert hasattr(trace, "_TRACER_PROVIDER")
    assert hasattr(_internal, "_METER_PROVIDER")


def test_attributes_of_the_run_are_there_when_the_span_starts(record):
    """Samplers see agent and run."""
    seen = []

    class Looking:
        def should_sample(self, context, trace_id, name, kind=None, attributes=None, links=None, *_):
            seen.append(dict(attributes or {}))
            return ALWAYS_OFF.should_sample(context, trace_id, name, kind, attributes, links)

        def get_description(self):
            return "looking"

    with record(sampler=Looking()), run("x", agent="fixer", id="run-1"):
        _ids()
    assert seen[-1][names.AGENT_NAME] == "fixer"
    assert seen[-1][names.RUN_ID] == "run-1"
    assert seen[-1][names.TOOL_NAME] == "_ids"


def test_prepared_attributes_do_not_pile_up(recording):
    """A process with many runs keeps those of the latest."""
    from agent_otel.sdk import pipeline  # noqa: PLC0415 - for its bound

    for number in range(pipeline.MAX_PREPARED + 10):
        tool(_nothing, name=f"t{number}")()
    found = pipeline.active()
    assert found is not None
    assert len(found.ready) <= pipeline.MAX_PREPARED


def _nothing() -> None: ...
