"""Views: what dialects read."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from agent_otel.otlp.ids import log_event_name
from agent_otel.otlp.lines import items_from_bytes
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.views import python_value, view, views

DATA = Path(__file__).parent.parent / "data" / "otlp"


def test_a_span_says_all_it_carries(span, trace_body):
    """Ids in hex, times, status, events, links, counts of what was dropped, resource and scope."""
    wire = span(
        parent_span_id=b"parentid",
        kind=3,
        attributes=[{"key": "k", "value": {"int_value": 1}}, {"key": "k", "value": {"int_value": 2}}],
        events=[{"name": "e", "time_unix_nano": 5, "dropped_attributes_count": 6}],
        links=[{"trace_id": b"l" * 16, "span_id": b"linkedid"}],
        status={"code": 2, "message": "failed"},
        dropped_attributes_count=7,
        dropped_events_count=8,
    )
    (item,) = items_from_protobuf(trace_body(wire), "span").items
    seen = view(item)
    assert seen.ref == item.key
    assert seen.parent_id == b"parentid".hex()
    assert (seen.kind, seen.status, seen.status_message) == (3, 2, "failed")
    assert (seen.start_ns, seen.end_ns) == (1_000, 2_000)
    assert seen.attributes == {"k": 2}
    assert [(event.name, event.time_ns, event.dropped_attributes) for event in seen.events] == [("e", 5, 6)]
    assert seen.links == (f"{(b'l' * 16).hex()}/{b'linkedid'.hex()}",)
    assert (seen.dropped_attributes, seen.dropped_events) == (7, 8)
    assert seen.resource == {"service.name": "fixer"}
    assert (seen.scope, seen.scope_version) == ("agent_otel", "1")
    assert seen.digest == item.digest


def test_a_parent_id_of_zeros_is_none(span, trace_body):
    """Some senders write zeros for a root."""
    (item,) = items_from_protobuf(trace_body(span(parent_span_id=bytes(8))), "span").items
    assert view(item).parent_id == ""


def test_a_log_record_says_all_it_carries(log_body):
    """Name, body, severity, the ids of its span, and the time it was seen where it has none."""
    record = {
        "observed_time_unix_nano": 9,
        "trace_id": b"t" * 16,
        "span_id": b"spanspan",
        "event_name": "agent_otel.file_read",
        "severity_number": 9,
        "body": {"kvlist_value": {"values": [{"key": "a", "value": {"array_value": {}}}]}},
        "dropped_attributes_count": 3,
    }
    (item,) = items_from_protobuf(log_body(record), "log").items
    seen = view(item)
    assert seen.ref == f"{(b't' * 16).hex()}/{b'spanspan'.hex()}"
    assert (seen.time_ns, seen.severity, seen.event_name) == (9, 9, "agent_otel.file_read")
    assert seen.body == {"a": ()}
    assert (seen.key, seen.digest, seen.dropped_attributes) == (item.key, item.digest, 3)


def test_a_log_record_outside_of_spans_points_nowhere(log_body):
    """Invalid ids are none."""
    (item,) = items_from_protobuf(log_body({"trace_id": bytes(16), "span_id": b"x"}), "log").items
    assert view(item).ref == ""


@pytest.mark.parametrize(
    ("field", "attributes", "name"),
    [
        ("field", {"event.name": "attribute"}, "field"),
        ("", {"event.name": "attribute", "event_name": "other"}, "attribute"),
        ("", {"event_name": "other"}, "other"),
        ("", {"event.name": 5}, ""),
        ("", {}, ""),
    ],
)
def test_the_name_of_an_event_is_looked_for_where_senders_put_it(field, attributes, name):
    """The field counts first, then the attributes of older senders."""
    assert log_event_name(field, attributes) == name


def test_a_value_of_a_kind_not_known_is_none():
    """Indexes into a string table only mean something in profiles."""
    assert python_value(AnyValue(string_value_strindex=3)) is None


def test_items_of_one_resource_share_what_it_says(span, trace_body):
    """A resource that a thousand spans share is decoded once."""
    first, second = views(items_from_protobuf(trace_body(span(), span(span_id=b"spanspa2")), "span").items)
    assert first.resource is second.resource


@pytest.mark.parametrize("path", sorted(DATA.glob("*.jsonl")), ids=lambda path: path.stem)
def test_what_agents_send_is_read_whole(path):
    """Requests of shipped agents have nothing to reject and nothing to mend."""
    received = items_from_bytes(path.read_bytes())
    assert received.items
    assert (received.rejected, received.repaired, received.ignored) == ((), 0, 0)
    assert all(seen.resource["service.name"] for seen in views(received.items))


def test_the_oddities_of_agents_are_understood():
    """Array bodies, empty values, no time but the observed one, text for numbers."""

    def read(name):
        return views(items_from_bytes((DATA / name).read_bytes()).items)

    assert read("opencode-1.18.33-logs.jsonl")[0].body[0] == "watcher backend"
    response, end = read("qwen-code-0.24.4-logs.jsonl")
    assert response.event_name == "qwen-code.api_response"
    assert response.attributes["response_text"] is None
    assert end.trace_id == ""
    flushing, completed = read("codex-0.169.0-logs.jsonl")
    assert flushing.time_ns == 1795228382668752633
    assert completed.attributes["ttft_ms"] == 59
    (request,) = read("claude-code-2.1.329-traces.jsonl")
    assert request.attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
