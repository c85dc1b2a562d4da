"""Whatever the encoding, the batch or the delivery: one span is one item."""

from __future__ import annotations

import json

from google.protobuf.json_format import Parse
from hypothesis import given, settings, strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.model import names
from agent_otel.otlp.encode import json_line
from agent_otel.otlp.lines import items_from_bytes
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.views import view

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
int64 = st.integers(-(2**63), 2**63 - 1)
times = st.integers(0, 2**64 - 1)
counts = st.integers(0, 2**32 - 1)
scalars = st.one_of(
    st.builds(lambda value: {"string_value": value}, texts),
    st.builds(lambda value: {"bool_value": value}, st.booleans()),
    st.builds(lambda value: {"int_value": value}, int64),
    st.builds(lambda value: {"double_value": value}, st.floats(allow_nan=False)),
    st.builds(lambda value: {"bytes_value": value}, st.binary(max_size=8)),
    st.just({}),
)
keys = st.one_of(texts, st.sampled_from(names.GROUP_KEYS))


def _pairs(values):
    return st.lists(st.builds(lambda key, value: {"key": key, "value": value}, keys, values), max_size=4)


values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"array_value": {"values": parts}}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"kvlist_value": {"values": parts}}, _pairs(inner)),
    ),
    max_leaves=6,
)
attributes = _pairs(values)
trace_ids = st.binary(min_size=16, max_size=16).filter(any)
span_ids = st.binary(min_size=8, max_size=8).filter(any)
events = st.builds(
    lambda *parts: dict(zip(("time_unix_nano", "name", "attributes", "dropped_attributes_count"), parts, strict=True)),
    times,
    texts,
    attributes,
    counts,
)
spans = st.builds(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=st.one_of(st.just(b""), span_ids),
    trace_state=texts,
    name=texts,
    kind=st.integers(0, 5),
    flags=counts,
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=attributes,
    dropped_attributes_count=counts,
    events=st.lists(events, max_size=3),
    links=st.lists(
        st.builds(lambda trace, span: {"trace_id": trace, "span_id": span}, trace_ids, span_ids), max_size=2
    ),
    status=st.fixed_dictionaries({}, optional={"code": st.integers(0, 2), "message": texts}),
)
logs = st.builds(
    LogRecord,
    time_unix_nano=times,
    observed_time_unix_nano=times,
    severity_number=st.integers(0, 24),
    severity_text=texts,
    body=values,
    attributes=attributes,
    trace_id=st.one_of(st.just(b""), trace_ids),
    span_id=st.one_of(st.just(b""), span_ids),
    event_name=texts,
)
resources = st.builds(lambda found: {"attributes": found}, attributes)
scopes = st.builds(lambda name, version: {"name": name, "version": version}, texts, texts)
trace_requests = st.builds(
    lambda blocks: ExportTraceServiceRequest(
        resource_spans=[
            {"resource": resource, "scope_spans": [{"scope": scope, "spans": found}]}
            for resource, scope, found in blocks
        ]
    ),
    st.lists(st.tuples(resources, scopes, st.lists(spans, max_size=3)), max_size=2),
)
log_requests = st.builds(
    lambda blocks: ExportLogsServiceRequest(
        resource_logs=[
            {"resource": resource, "scope_logs": [{"scope": scope, "log_records": found}]}
            for resource, scope, found in blocks
        ]
    ),
    st.lists(st.tuples(resources, scopes, st.lists(logs, max_size=3)), max_size=2),
)


@settings(max_examples=100)
@given(trace_requests)
def test_json_and_protobuf_spans_are_the_same_items(request):
    """Key, digest, links, time and bytes do not tell which encoding a span came in."""
    body = request.SerializeToString()
    received = items_from_protobuf(body, "span")
    assert received.rejected == ()
    assert items_from_json(json_line(body, "span").encode(), "span") == received


@settings(max_examples=100)
@given(log_requests)
def test_json_and_protobuf_logs_are_the_same_items(request):
    """Log records, with any body, agree as spans do."""
    body = request.SerializeToString()
    received = items_from_protobuf(body, "log")
    assert received.rejected == ()
    assert items_from_json(json_line(body, "log").encode(), "log") == received


@settings(max_examples=60)
@given(trace_requests)
def test_json_lines_are_what_other_readers_of_protobuf_json_understand(request):
    """But for ids, which OTLP writes in hex, the line is protobuf's own JSON mapping."""
    line = json.loads(json_line(request.SerializeToString(), "span"))
    for block in line.get("resourceSpans", []):
        for scope in block["scopeSpans"]:
            for span in scope.get("spans", []):
                for part in (span, *span.get("links", [])):
                    for name in ("traceId", "spanId", "parentSpanId"):
                        part.pop(name, None)
    expected = ExportTraceServiceRequest.FromString(request.SerializeToString())
    for block in expected.resource_spans:
        for span in (span for scope in block.scope_spans for span in scope.spans):
            for part in (span, *span.links):
                part.ClearField("trace_id")
                part.ClearField("span_id")
            span.ClearField("parent_span_id")
    assert Parse(json.dumps(line), ExportTraceServiceRequest()) == expected


@settings(max_examples=60)
@given(trace_requests)
def test_batches_and_deliveries_leave_no_mark(request):
    """The same span sent alone, again, or with others is the same item."""
    whole = items_from_protobuf(request.SerializeToString(), "span").items
    alone = []
    for block in request.resource_spans:
        for scope in block.scope_spans:
            for span in scope.spans:
                single = {"scope": scope.scope, "spans": [span]}
                one = ExportTraceServiceRequest(resource_spans=[{"resource": block.resource, "scope_spans": [single]}])
                alone.extend(items_from_protobuf(one.SerializeToString(), "span").items)
    assert tuple(alone) == whole


@settings(max_examples=60)
@given(trace_requests, log_requests)
def test_the_kind_of_a_request_is_found(traces, logs):
    """Bytes of unknown kind give the same items as when the kind is told."""
    for request, signal in ((traces, "span"), (logs, "log")):
        body = request.SerializeToString()
        told = items_from_protobuf(body, signal)
        if told.items and all(item.raw for item in told.items):
            assert items_from_bytes(body) == told
            assert items_from_bytes(json_line(body, signal).encode()) == told


@settings(max_examples=60)
@given(trace_requests)
def test_every_item_has_a_view(request):
    """What was accepted can be decoded, and says what the message says."""
    items = items_from_protobuf(request.SerializeToString(), "span").items
    wire = [span for block in request.resource_spans for scope in block.scope_spans for span in scope.spans]
    for item, span in zip(items, wire, strict=True):
        seen = view(item)
        assert seen.ref == item.key
        assert (seen.name, seen.start_ns, seen.end_ns) == (
            span.name,
            span.start_time_unix_nano,
            span.end_time_unix_nano,
        )
        assert set(seen.attributes) == {entry.key for entry in span.attributes}
        assert [event.name for event in seen.events] == [event.name for event in span.events]
