"""The gRPC listener, spoken to by gRPC's own client."""

from __future__ import annotations

import gzip
import threading
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agent_otel.errors import StoreError
from agent_otel.otlp.limits import Limits
from agent_otel.service.grpc import DETAILS, UNKNOWN_BYTES

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def spans(*ids: int, name: str = "work") -> ExportTraceServiceRequest:
    """A request with a span for each id; 0 stands for one without an id."""
    made = [Span(trace_id=b"\1" * 16, span_id=each.to_bytes(8, "big") if each else b"", name=name) for each in ids]
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=made)])])


def call(listeners: Any, body: bytes, **options: Any) -> bytes:
    """One raw export of spans."""
    unlimited = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(listeners.grpc, options=unlimited, compression=options.pop("compression", None)) as to:
        return to.unary_unary(TRACES)(body, timeout=options.pop("timeout", 20), **options)


def refused(listeners: Any, body: bytes, **options: Any) -> tuple[grpc.StatusCode, Status]:
    """How an export was refused: the code, and the details beside it."""
    with pytest.raises(grpc.RpcError) as caught:
        call(listeners, body, **options)
    details = dict(caught.value.trailing_metadata() or ()).get(DETAILS, b"")
    return caught.value.code(), Status.FromString(details)


def test_all_three_signals_are_received(listeners):
    """By the official stubs; what was refused of a request is counted in the answer."""
    with grpc.insecure_channel(listeners.grpc) as channel:
        answer = TraceServiceStub(channel).Export(spans(1, 0, 2))
        assert answer.partial_success.rejected_spans == 1
        assert TraceServiceStub(channel).Export(ExportTraceServiceRequest()) == ExportTraceServiceResponse()
        logs = ResourceLogs(scope_logs=[ScopeLogs(log_records=[LogRecord(event_name="said")])])
        assert (
            not LogsServiceStub(channel)
            .Export(ExportLogsServiceRequest(resource_logs=[logs]))
            .HasField("partial_success")
        )
        MetricsServiceStub(channel).Export(ExportMetricsServiceRequest())
    assert listeners.store.stats().items == 3
    assert listeners.counted("agent_otel_processor_requests_total", transport="grpc", status="200") == 4


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_compressed_or_not(listeners, compression):
    """The same spans arrive."""
    call(listeners, spans(1, 2, name="x" * 10_000).SerializeToString(), compression=compression)
    assert listeners.store.stats().items == 2


def test_a_compression_nobody_reads_is_said_so(listeners):
    """UNIMPLEMENTED, as gRPC wants it."""
    code, _ = refused(listeners, spans(1).SerializeToString(), compression=grpc.Compression.Deflate)
    assert code is grpc.StatusCode.UNIMPLEMENTED
    assert listeners.store.stats().items == 0


WRONG = {
    "cut short": b"\x0a",
    "no message": b"\xff" * 10,
    "cut short, compressed": gzip.compress(b"\x0a"),
    "compressed, cut short": gzip.compress(bytes(100))[:-3],
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_for_good(listeners, body):
    """INVALID_ARGUMENT, and no RetryInfo."""
    code, status = refused(listeners, body)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert [each.type_url for each in status.details] == ["type.googleapis.com/google.rpc.BadRequest"]


def test_what_is_our_trouble_is_to_be_sent_again(listeners):
    """UNAVAILABLE with RetryInfo of one to five seconds."""
    listeners.trouble = StoreError("the disk is full")
    code, status = refused(listeners, spans(1).SerializeToString())
    assert (code, status.code, status.message) == (grpc.StatusCode.UNAVAILABLE, 14, "the disk is full")
    info = RetryInfo()
    assert status.details[0].Unpack(info)
    assert 1 <= info.retry_delay.ToSeconds() <= 5
    listeners.trouble = None
    call(listeners, spans(1).SerializeToString())


def test_without_room_nothing_is_read(listen):
    """The refusal comes before the message: a sender that has sent headers only is told, too."""
    listeners = listen(capacity=UNKNOWN_BYTES)
    listeners.gate.clear()
    first = threading.Thread(target=call, args=(listeners, spans(1).SerializeToString()))
    first.start()
    assert listeners.waiting.acquire(timeout=20)
    with grpc.insecure_channel(listeners.grpc) as channel:
        never = threading.Event()
        with pytest.raises(grpc.RpcError) as caught:
            channel.stream_unary(TRACES)(iter(lambda: never.wait(20) or b"", b""), timeout=20)
        never.set()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert listeners.counted("agent_otel_processor_requests_refused_total", reason="memory") == 1
    listeners.gate.set()
    first.join(20)
    assert listeners.budget.used == 0


def test_a_message_has_to_come_in_time(listen):
    """Headers without a message do not hold their room for ever."""
    listeners = listen(read_timeout_s=0.3)
    with grpc.insecure_channel(listeners.grpc) as channel:
        never = threading.Event()
        with pytest.raises(grpc.RpcError) as caught:
            channel.stream_unary(TRACES)(iter(lambda: never.wait(20) or b"", b""), timeout=20)
        never.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert listeners.budget.used == 0


def test_too_much_is_refused_for_good(listen):
    """Whether it is large as it comes, or becomes so."""
    listeners = listen(limits=Limits(body_bytes=100_000))
    code, _ = refused(listeners, bytes(100_001))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED  # gRPC's own: without RetryInfo it means "for good"
    code, status = refused(listeners, bytes(100_001), compression=grpc.Compression.Gzip)
    assert (code, len(status.details)) == (grpc.StatusCode.INVALID_ARGUMENT, 0)
    call(listeners, spans(1, name="x" * 99_000).SerializeToString(), compression=grpc.Compression.Gzip)
    assert listeners.budget.used == 0
    counted = {
        status: listeners.counted("agent_otel_processor_requests_total", status=status)
        for status in ("200", "413", "499")
    }
    assert counted == {"200": 1, "413": 1, "499": 1}  # what gRPC refuses is no empty request


def test_without_a_message_nothing_is_answered_as_if_it_were_empty(listeners):
    """A call that ends before it began is given up, by both sides."""
    with grpc.insecure_channel(listeners.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.stream_unary(TRACES)(iter(()), timeout=20)
    assert caught.value.code() is grpc.StatusCode.CANCELLED
    assert listeners.budget.used == 0
