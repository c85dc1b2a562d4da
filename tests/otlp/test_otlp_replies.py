"""Replies, as the specification of OTLP wants them, in both encodings and for both protocols."""

from __future__ import annotations

import json

import pytest
from google.protobuf.json_format import Parse
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agent_otel.errors import DecodeError, Overloaded, StoreError, TooLarge, Unsupported
from agent_otel.otlp.encodings import CONTENT_TYPES, encoding_of
from agent_otel.otlp.received import Received, Rejection
from agent_otel.otlp.replies import CODES, RETRYABLE, failure, failure_body, status_of, success_body

RESPONSES = {
    "span": (ExportTraceServiceResponse, "rejected_spans"),
    "log": (ExportLogsServiceResponse, "rejected_log_records"),
    "metric": (ExportMetricsServiceResponse, "rejected_data_points"),
}


def _read(body, encoding, kind):
    return kind.FromString(body) if encoding == "protobuf" else Parse(body, kind())


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("signal", sorted(RESPONSES))
def test_full_success_is_the_empty_response(signal, encoding):
    """``partial_success`` is left unset."""
    body = success_body(Received(ignored=3), signal, encoding)
    assert body == {"protobuf": b"", "json": b"{}"}[encoding]
    assert not _read(body, encoding, RESPONSES[signal][0]).HasField("partial_success")


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("signal", sorted(RESPONSES))
def test_partial_success_counts_exactly_and_says_why(signal, encoding):
    """The most frequent reason comes first."""
    received = Received(rejected=(Rejection("no span id", 2), Rejection("no trace id", 5)), repaired=1)
    kind, field = RESPONSES[signal]
    partial = _read(success_body(received, signal, encoding), encoding, kind).partial_success
    assert getattr(partial, field) == 7
    assert partial.error_message == (
        "5 rejected: no trace id; 2 rejected: no span id; "
        "1 accepted with text that is not valid Unicode, in which U+FFFD stands now"
    )


def test_json_counts_are_strings_in_camel_case():
    """As the JSON mapping of protobuf writes 64-bit integers."""
    body = json.loads(success_body(Received(rejected=(Rejection("bad", 5),)), "span", "json"))
    assert body == {"partialSuccess": {"rejectedSpans": "5", "errorMessage": "5 rejected: bad"}}


def test_mended_text_is_a_warning():
    """Nothing was rejected, and the message is not empty: the specification allows exactly that."""
    partial = ExportTraceServiceResponse.FromString(success_body(Received(repaired=2), "span", "protobuf"))
    assert partial.partial_success.rejected_spans == 0
    assert partial.partial_success.error_message.startswith("2 accepted with text that is not valid Unicode")


def test_the_message_is_bounded_whatever_the_reasons():
    """Of many reasons some are named, and all are counted."""
    many = Received(rejected=tuple(Rejection(f"reason {number:03}", 1) for number in range(100)))
    partial = ExportTraceServiceResponse.FromString(success_body(many, "span", "protobuf")).partial_success
    assert partial.rejected_spans == 100
    assert partial.error_message.endswith("; 1 rejected: reason 007; 92 rejected for other reasons")
    long = Received(rejected=(Rejection("é" * 100_000, 1),))
    partial = ExportTraceServiceResponse.FromString(success_body(long, "span", "protobuf")).partial_success
    assert len(partial.error_message) == 1_000
    assert partial.error_message.endswith("é…")
    assert len(failure(400, "x" * 100_000).message) == 1_000


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_s"),
    [
        (DecodeError("x"), 400, code_pb2.INVALID_ARGUMENT, None),
        (TooLarge("x"), 413, code_pb2.INVALID_ARGUMENT, None),
        (Unsupported("x"), 415, code_pb2.INVALID_ARGUMENT, None),
        (Overloaded("x"), 503, code_pb2.UNAVAILABLE, 4),
        (StoreError("x"), 503, code_pb2.UNAVAILABLE, 4),
    ],
)
def test_each_error_has_its_codes(error, status, code, retry_s):
    """The status is the error's own; whether a retry helps follows from it."""
    failed = failure(error.status, error, retry_s=4)
    assert (failed.status, failed.code, failed.message, failed.retry_s) == (status, code, "x", retry_s)


@pytest.mark.parametrize(
    ("status", "code"), [(401, code_pb2.UNAUTHENTICATED), (500, code_pb2.INTERNAL), (418, code_pb2.INTERNAL)]
)
def test_other_failures_have_codes_too(status, code):
    """What nobody foresaw is an internal error."""
    assert failure(status, "no").code == code


RETRYABLE_CODES = frozenset(
    code_pb2.Code.Value(name)
    for name in ("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS")
)
RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})


def test_both_protocols_agree_on_what_can_be_sent_again():
    """By the two tables of the specification; of a request that never came whole, gRPC may try again."""
    assert RETRYABLE <= RETRYABLE_STATUSES
    for status, code in CODES.items():
        if status not in {408, 499}:
            assert (status in RETRYABLE_STATUSES) == (code in RETRYABLE_CODES) == (status in RETRYABLE)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_retryable_failure_says_when(encoding):
    """``RetryInfo``, packed as the JSON mapping of ``Any`` has it."""
    failed = failure(503, "no room", retry_s=3)
    status = _read(failure_body(failed, encoding), encoding, Status)
    assert (status.code, status.message) == (code_pb2.UNAVAILABLE, "no room")
    (detail,) = status.details
    info = RetryInfo()
    assert detail.Unpack(info)
    assert info.retry_delay.seconds == 3
    assert status == status_of(failed)


def test_a_status_in_json_is_the_mapping_of_protobuf():
    """``@type`` and durations as strings."""
    assert json.loads(failure_body(failure(503, "no room", retry_s=2), "json")) == {
        "code": 14,
        "message": "no room",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}],
    }


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_bad_data_is_described(encoding):
    """The specification asks for a ``BadRequest``."""
    status = _read(failure_body(failure(400, "not JSON"), encoding), encoding, Status)
    bad = BadRequest()
    assert status.details[0].Unpack(bad)
    assert bad.field_violations[0].description == "not JSON"


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("application/x-protobuf", "protobuf"),
        ("application/json", "json"),
        ("Application/JSON; charset=utf-8", "json"),
        (" application/x-protobuf ;v=1", "protobuf"),
    ],
)
def test_the_content_type_names_the_encoding(content_type, encoding):
    """Case and parameters do not matter."""
    assert encoding_of(content_type) == encoding
    assert encoding_of(CONTENT_TYPES[encoding]) == encoding


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/grpc", "application/jsonp", "x" * 9_999])
def test_other_content_types_are_unsupported(content_type):
    """The message says which are read, and does not repeat what is long."""
    with pytest.raises(Unsupported, match="send application/x-protobuf or application/json") as caught:
        encoding_of(content_type)
    assert len(str(caught.value)) < 200
