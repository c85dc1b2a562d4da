"""Files and bodies of unknown kind."""

from __future__ import annotations

import json

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.encode import json_line
from agent_otel.otlp.limits import Limits
from agent_otel.otlp.lines import items_from_bytes, items_from_line
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.received import Rejection

METRIC_LINE = (
    b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":1}]}}]}]}]}'
)
METRICS = ExportMetricsServiceRequest(
    resource_metrics=[
        {
            "scope_metrics": [
                {
                    "metrics": [
                        {
                            "name": "gen_ai.execute_t",  # as long as a trace id
                            "description": "duration",  # as long as a span id
                            "sum": {"data_points": [{"as_int": 3, "time_unix_nano": 5}], "is_monotonic": True},
                        }
                    ]
                }
            ]
        }
    ]
).SerializeToString()


@pytest.fixture
def trace(span, trace_body):
    """A trace request."""
    return trace_body(span())


@pytest.fixture
def log(log_body):
    """A logs request."""
    return log_body({"time_unix_nano": 5, "body": {"string_value": "b"}, "attributes": [{"key": "k"}]})


@pytest.fixture
def lines(trace, log):
    """A file of both signals, one request a line."""
    return "\n".join([json_line(trace, "span"), json_line(log, "log")]).encode()


@pytest.fixture
def both(trace, log):
    """The items of both requests."""
    return items_from_protobuf(trace, "span").items + items_from_protobuf(log, "log").items


def test_lines_of_both_signals_are_read(lines, both):
    """A file may mix signals; blank lines and a line feed at the end are no lines."""
    assert items_from_bytes(lines).items == both
    assert items_from_bytes(b"\n\r\n" + lines.replace(b"\n", b"\n\n") + b"\n").items == both


def test_a_printed_document_is_read(trace, both):
    """One request over many lines."""
    printed = json.dumps(json.loads(json_line(trace, "span")), indent=2).encode()
    assert items_from_bytes(printed).items == both[:1]


def test_an_array_of_requests_is_read(lines, both):
    """Requests collected in one JSON array."""
    array = b"[" + lines.replace(b"\n", b",\n") + b"]"
    assert items_from_bytes(array).items == both
    assert items_from_bytes(json.dumps(json.loads(array), indent=1).encode()).items == both


def test_one_document_may_hold_all_signals(trace, log, both):
    """Keys of two requests in one object."""
    merged = {**json.loads(json_line(trace, "span")), **json.loads(json_line(log, "log"))}
    assert items_from_line(json.dumps(merged).encode()).items == both


def test_protobuf_requests_are_told_apart(trace, log, both):
    """The wire types of their fields, and ids of the right size, tell spans from log records."""
    assert items_from_bytes(trace).items == both[:1]
    assert items_from_bytes(log).items == both[1:]


def test_messages_with_a_length_before_each_are_read(trace, log, both):
    """What the collector's file exporter writes in its proto format."""
    framed = b"".join(len(body).to_bytes(4, "big") + body for body in (trace, METRICS, log))
    received = items_from_bytes(framed)
    assert (received.items, received.ignored) == (both, 1)


def test_metrics_are_ignored_and_counted(lines, both):
    """They are no mistake of the sender."""
    received = items_from_bytes(lines + b"\n" + METRIC_LINE)
    assert (received.items, received.ignored, received.rejected) == (both, 1, ())
    assert items_from_bytes(METRICS).ignored == 1


def test_half_a_line_at_the_end_costs_that_line(lines, both):
    """A collector that was killed leaves one; what stands before is read, and the loss is counted."""
    received = items_from_bytes(lines + b'\n{"resourceSpans": [{"sco')
    assert received.items == both
    assert [rejection.count for rejection in received.rejected] == [1]
    assert received.rejected[0].reason.startswith("line 3: ")


def test_many_bad_lines_are_one_rejection(lines, both):
    """The reason names the first; the count says how many there are."""
    received = items_from_bytes(lines + b"\nnot json\n{}\n[5]")
    assert received.items == both
    assert [rejection.count for rejection in received.rejected] == [3]


def test_a_bad_span_in_a_line_costs_that_span(lines, both):
    """What is rejected within a line is counted with its own reason."""
    bad = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "n"}]}]}]}'
    received = items_from_bytes(lines + b"\n" + bad + b"\n" + bad)
    assert received.items == both
    assert received.rejected == (Rejection("span whose trace id is missing", 2),)


def test_half_a_message_at_the_end_costs_that_message(trace, both):
    """The same for messages with a length before each, wherever the cut is."""
    framed = len(trace).to_bytes(4, "big") + trace
    for cut in (1, 3, 4, 5, len(framed) - 1):
        received = items_from_bytes(framed + framed[:cut])
        assert received.items == both[:1]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="no signal"),
        pytest.param(b'{"name": "n"}', id="another JSON"),
        pytest.param(b'{"resourceSpans": [', id="half a document"),
        pytest.param(b"[1, 2]", id="array of numbers"),
        pytest.param(b"[{]", id="no array"),
        pytest.param(b"[" * 100_000, id="bottomless"),
        pytest.param(b"hello world", id="text"),
        pytest.param(b"\x1f\x8b\x08", id="gzip"),
        pytest.param(b"\n{nothing}", id="line feed and brace"),
        pytest.param(b"\0\0\0\x05hello", id="frame of garbage"),
    ],
)
def test_bytes_in_which_nothing_can_be_read_are_a_decode_error(body):
    """Only where there is nothing to keep is the whole refused."""
    with pytest.raises(DecodeError):
        items_from_bytes(body)


def test_a_protobuf_body_that_looks_like_json_is_read(span, trace_body):
    """A request whose first length is that of a brace begins with a line feed and a brace."""
    size = next(size for size in range(200) if trace_body(span(name="n" * size))[:2] == b"\n{")
    assert len(items_from_bytes(trace_body(span(name="n" * size))).items) == 1


def test_nothing_is_an_empty_request():
    """An empty file is no error."""
    assert items_from_bytes(b"").items == ()


def test_items_that_tell_no_kind_are_rejected_as_spans(trace_body):
    """Empty and damaged items are counted, with their defects."""
    received = items_from_bytes(trace_body(b"", b"\x0a\x7f", b"\xfa\x3e\x00"))
    assert received.items == ()
    assert sum(rejection.count for rejection in received.rejected) == 3


def test_limits_hold_for_each_request(lines, both):
    """A file may be larger than a request; a line may not."""
    longest = max(len(line) for line in lines.splitlines(keepends=True))
    assert items_from_bytes(lines, limits=Limits(body_bytes=longest)).items == both
    with pytest.raises(TooLarge):
        items_from_bytes(lines, limits=Limits(body_bytes=longest - 1))
