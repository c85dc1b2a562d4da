"""OTLP/gRPC, requirement by requirement: raw bytes over a real channel, so that bad ones can be sent."""

from __future__ import annotations

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from conformance import bodies
from conformance.test_http import outcome

SERVICES = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}


def call(target, method, body, **options):
    """The code and what the response says, of one call."""
    with grpc.insecure_channel(target.grpc) as channel:
        send = channel.unary_unary(method)
        try:
            answer = send(body, timeout=30, **options)
        except grpc.RpcError as exc:
            return exc.code(), "status" if exc.details() else "something"
    signal = next(name for name, service in SERVICES.items() if service == method)
    return grpc.StatusCode.OK, outcome(bodies.RESPONSES[signal].FromString(answer))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
@pytest.mark.parametrize("signal", bodies.SIGNALS)
def test_success(target, signal, compression):
    """An export that is accepted is answered with OK and an empty response."""
    body = bodies.one(signal, "protobuf")
    assert call(target, SERVICES[signal], body, compression=compression) == (grpc.StatusCode.OK, "success")


@pytest.mark.parametrize("signal", bodies.SIGNALS)
def test_an_empty_request_is_a_success(target, signal):
    """A request of no items is answered as one of some."""
    assert call(target, SERVICES[signal], b"") == (grpc.StatusCode.OK, "success")


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_rubbish_is_refused_for_good(target, signal):
    """What cannot be decoded is answered with a code that is not retryable."""
    code, says = call(target, SERVICES[signal], b"this is rubbish")
    # The collector leaves this to its gRPC library, whose codec says INTERNAL; both are permanent.
    expected = grpc.StatusCode.INTERNAL if target.name == "collector" else grpc.StatusCode.INVALID_ARGUMENT
    assert (code, says) == (expected, "status")


def test_an_unknown_method_is_unimplemented(target):
    """gRPC: UNIMPLEMENTED."""
    assert call(target, SERVICES["traces"].replace("Export", "Import"), b"")[0] is grpc.StatusCode.UNIMPLEMENTED


def test_unknown_fields_are_skipped(target):
    """A client may speak a newer protocol."""
    assert call(target, SERVICES["traces"], bodies.unknown_fields("protobuf")) == (grpc.StatusCode.OK, "success")


def test_one_bad_span_costs_one_span(target):
    """Partial success counts exactly; the collector refuses or takes all (see differences.py)."""
    if target.name == "collector":
        pytest.skip("the collector refuses such a request, or takes all of it: see differences.py")
    body = bodies.spans(512, trace_id=b"\1").SerializeToString()
    assert call(target, SERVICES["traces"], body) == (grpc.StatusCode.OK, "1 rejected")


def test_several_exports_go_over_one_channel_at_once(target):
    """A channel carries many calls."""
    with grpc.insecure_channel(target.grpc) as channel:
        send = channel.unary_unary(SERVICES["traces"])
        calls = [send.future(bodies.spans(7).SerializeToString(), timeout=30) for _ in range(20)]
        assert {outcome(ExportTraceServiceResponse.FromString(each.result())) for each in calls} == {"success"}
