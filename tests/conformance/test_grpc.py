"""OTLP/gRPC, requirement by requirement: raw bytes over a real channel, so that bad ones can be sent."""

from __future__ import annotations

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from conformance import bodies
from conformance.cases import Seen
from conformance.grpc_cases import GRPC_CASES
from conformance.test_http import expected_of, outcome

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


@pytest.mark.parametrize("case", GRPC_CASES, ids=lambda case: case.name)
def test_requirements(target, case):
    """The server is seen to do what the specification says, or what is listed as a difference with its reason."""
    code, says = call(target, SERVICES[case.signal], case.body)
    assert Seen(code.value[0], says) == expected_of(target, case), case.rule


def test_an_unknown_method_is_unimplemented(target):
    """gRPC: UNIMPLEMENTED."""
    assert call(target, SERVICES["traces"].replace("Export", "Import"), b"")[0] is grpc.StatusCode.UNIMPLEMENTED


def test_several_exports_go_over_one_channel_at_once(target):
    """A channel carries many calls."""
    with grpc.insecure_channel(target.grpc) as channel:
        send = channel.unary_unary(SERVICES["traces"])
        calls = [send.future(bodies.spans(7).SerializeToString(), timeout=30) for _ in range(20)]
        assert {outcome(ExportTraceServiceResponse.FromString(each.result())) for each in calls} == {"success"}
