"""Items: what identifies them, and what joins them to a group."""

from __future__ import annotations

import pytest

from agent_otel.model import names
from agent_otel.otlp.links import LONGEST_LINK
from agent_otel.otlp.protobuf import items_from_protobuf

TRACE = f"trace:{(b't' * 16).hex()}"


def _attribute(key, value):
    return {"key": key, "value": {"string_value": value}}


def test_a_span_is_known_by_its_ids(span, trace_body):
    """Two copies with other content share the key, and differ in the digest."""
    first, second = items_from_protobuf(trace_body(span(), span(name="later")), "span").items
    assert first.key == second.key == f"{(b't' * 16).hex()}/{b'spanspan'.hex()}"
    assert first.digest != second.digest


def test_the_digest_covers_the_resource(span, trace_body):
    """The same span of another resource is another copy."""
    (first,) = items_from_protobuf(trace_body(span()), "span").items
    (second,) = items_from_protobuf(trace_body(span(), resource=b""), "span").items
    assert first.key == second.key
    assert first.digest != second.digest


def test_the_digest_does_not_see_the_order_on_the_wire(span, trace_body):
    """Senders may write fields in any order."""
    raw = span(kind=1).SerializeToString()
    kind = b"\x30\x01"
    (first,) = items_from_protobuf(trace_body(raw), "span").items
    (second,) = items_from_protobuf(trace_body(kind + raw.replace(kind, b"")), "span").items
    assert first == second


def test_a_mended_copy_is_another_copy(span, trace_body):
    """A span that had to be mended is not taken for one that was sent with U+FFFD."""
    sent = span(name="\ufffd").SerializeToString()
    broken = span(name="abc").SerializeToString().replace(b"\x03abc", b"\x01\xff")
    first, second = items_from_protobuf(trace_body(sent, broken), "span").items
    assert first.raw == second.raw
    assert first.digest != second.digest


def test_an_event_of_ours_is_known_by_its_id_and_name(log_body):
    """One check gives two events of one id: ours, and the standard one."""
    event = [_attribute(names.EVENT_ID, "e1")]
    body = log_body(
        {"event_name": names.VERIFICATION_RAN, "attributes": event},
        {"attributes": [*event, _attribute("event.name", names.EVALUATION_RESULT)]},
    )
    assert [item.key for item in items_from_protobuf(body, "log").items] == [
        f"event:e1/{names.VERIFICATION_RAN}",
        f"event:e1/{names.EVALUATION_RESULT}",
    ]


@pytest.mark.parametrize("record", [{"severity_text": "INFO"}, {"body": {"string_value": names.EVENT_ID}}])
def test_another_log_record_is_known_by_its_content(log_body, record):
    """Log records have no identity of their own; talking of an event id is not having one."""
    (item,) = items_from_protobuf(log_body(record), "log").items
    assert item.key == f"log:{item.digest.hex()}"


def test_links_are_the_trace_and_the_keys_of_item_and_resource(log_body):
    """Session and run keys join traces, wherever they stand."""
    resource = {"attributes": [_attribute(names.SESSION_ID, "s1")]}
    record = {
        "trace_id": b"t" * 16,
        "attributes": [_attribute("other", "x"), _attribute(names.RUN_ID, "r1"), _attribute(names.SESSION_ID, "s1")],
    }
    (item,) = items_from_protobuf(log_body(record, resource=resource), "log").items
    assert set(item.links) == {TRACE, f"{names.SESSION_ID}:s1", f"{names.RUN_ID}:r1"}
    assert len(item.links) == 3


def test_a_run_is_linked_to_the_items_of_its_parent(log_body):
    """The parent of one run is the run of another: they share a link."""
    parent, child = items_from_protobuf(
        log_body(
            {"attributes": [_attribute(names.RUN_ID, "r1")]},
            {"attributes": [_attribute(names.RUN_ID, "r2"), _attribute(names.RUN_PARENT, "r1")]},
        ),
        "log",
    ).items
    assert set(parent.links) & set(child.links)


@pytest.mark.parametrize(
    "attribute",
    [
        {"key": names.SESSION_ID, "value": {"int_value": 5}},
        {"key": names.SESSION_ID, "value": {"string_value": ""}},
        {"key": names.SESSION_ID, "value": {"string_value": "x" * (LONGEST_LINK + 1)}},
        {"key": "text", "value": {"string_value": names.SESSION_ID}},
    ],
)
def test_what_is_no_key_is_no_link(span, trace_body, attribute):
    """Only texts of sensible length join items."""
    (item,) = items_from_protobuf(trace_body(span(attributes=[attribute])), "span").items
    assert item.links == (TRACE,)


def test_log_records_without_any_key_are_grouped_by_resource(log_body):
    """Rather one group a program than one a record."""
    first, second = items_from_protobuf(log_body({"severity_text": "A"}, {"severity_text": "B"}), "log").items
    (other,) = items_from_protobuf(log_body({"severity_text": "A"}, resource={}), "log").items
    assert first.links == second.links
    assert first.links != other.links
    assert first.links[0].startswith("resource:")


@pytest.mark.parametrize("trace_id", [bytes(16), b"short"])
def test_a_log_record_with_invalid_ids_has_no_trace(log_body, trace_id):
    """The specification has receivers take such a record for one that belongs to no trace."""
    (item,) = items_from_protobuf(log_body({"trace_id": trace_id}), "log").items
    assert item.links[0].startswith("resource:")


def test_times_fit_into_signed_integers(span, trace_body, log_body):
    """A time beyond the year 2262 is kept as the largest a database holds."""
    (item,) = items_from_protobuf(trace_body(span(end_time_unix_nano=2**64 - 1)), "span").items
    (log,) = items_from_protobuf(log_body({"observed_time_unix_nano": 2**64 - 1}), "log").items
    assert item.time_ns == log.time_ns == 2**63 - 1
