"""Protobuf requests: a bad span costs one span, a bad body is a clean error, and nothing is expensive."""

from __future__ import annotations

import tracemalloc

import pytest
from google.protobuf.message import DecodeError as ProtobufError
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.limits import Limits
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.received import Rejection
from agent_otel.otlp.repair import parse
from agent_otel.otlp.steps import Steps
from agent_otel.otlp.views import views

SMALL = Limits(item_bytes=400, attributes=3, events=2, links=1)


def _nested(depth, field, value=b"\x10\x01"):
    """An attribute whose value is so many arrays in arrays; encoded by hand, since the classes refuse to make it."""
    for _ in range(depth):
        value = field(5, field(1, value))
    return field(9, field(1, b"k") + field(2, value))


def _defects(span):
    attribute = {"key": "k", "value": {"string_value": "v"}}
    return {
        "span whose trace id is missing": span(trace_id=b"").SerializeToString(),
        "span whose trace id is all zeros": span(trace_id=bytes(16)).SerializeToString(),
        "span whose trace id has 15 bytes, not 16": span(trace_id=b"t" * 15).SerializeToString(),
        "span whose span id is missing": span(span_id=b"").SerializeToString(),
        "span whose span id is all zeros": span(span_id=bytes(8)).SerializeToString(),
        "span whose span id has 9 bytes, not 8": span(span_id=b"s" * 9).SerializeToString(),
        "span larger than 400 bytes": span(name="n" * 400).SerializeToString(),
        "span with more than 3 attributes": span(attributes=[attribute] * 4).SerializeToString(),
        "span with more than 2 events": span(events=[{"name": "e"}] * 3).SerializeToString(),
        "span with more than 1 links": span(links=[{"span_id": b"s" * 8}] * 2).SerializeToString(),
        "span: not a protobuf message: a field longer than its message": b"\x0a\x10short",
        "span: not a protobuf message: a number cut short or too long": span().SerializeToString() + b"\x5a\x01\x08",
    }


@pytest.mark.parametrize("position", [0, 1, 2])
def test_each_defect_is_named_and_costs_one_span(span, trace_body, position):
    """Of three spans the defective one is rejected with its reason; its neighbours are items."""
    good = [span(span_id=b"neighb01"), span(span_id=b"neighb02")]
    for reason, bad in _defects(span).items():
        body = trace_body(*good[:position], bad, *good[position:])
        received = items_from_protobuf(body, "span", limits=SMALL)
        assert received.rejected == (Rejection(reason, 1),)
        assert [item.key for item in received.items] == [f"{b't'.hex() * 16}/{each.span_id.hex()}" for each in good]


def test_equal_reasons_are_counted_together(span, trace_body):
    """The counts of all rejections and the items add up to what was sent."""
    body = trace_body(span(trace_id=b""), span(), span(trace_id=b""), span(span_id=b""))
    received = items_from_protobuf(body, "span")
    assert received.rejected == (
        Rejection("span whose trace id is missing", 2),
        Rejection("span whose span id is missing", 1),
    )
    assert len(received.items) == 1


def test_values_nested_too_deeply_reject_their_span_alone(span, trace_body, field):
    """A hundred levels are more than the parser takes; the neighbour is kept."""
    deep = span().SerializeToString() + _nested(60, field)
    received = items_from_protobuf(trace_body(deep, span()), "span")
    assert received.rejected == (Rejection("span: values nested in more than 100 messages", 1),)
    assert len(received.items) == 1


def test_an_unreadable_resource_rejects_its_own_spans_only(span, trace_body):
    """All spans of the damaged resource are counted; those of the next resource are kept."""
    body = trace_body(span(), span(), resource=b"\x0a\x7f") + trace_body(span())
    received = items_from_protobuf(body, "span")
    assert [rejection.count for rejection in received.rejected] == [2]
    assert received.rejected[0].reason.startswith("resource: ")
    assert len(received.items) == 1


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (b"\x0a\x00" * 4_097, "resource with more than 4096 attributes"),
        (b"\x0a\x00" * 600_000, "resource and scope larger than 1048576 bytes"),
    ],
)
def test_a_resource_is_bounded(span, trace_body, resource, reason):
    """It would cost a gigabyte to parse one of 64 MiB."""
    received = items_from_protobuf(trace_body(span(), span(), resource=resource) + trace_body(span()), "span")
    assert received.rejected == (Rejection(reason, 2),)
    assert len(received.items) == 1


def test_an_unreadable_resource_without_spans_costs_nothing(trace_body):
    """Nothing is refused where nothing was sent."""
    assert items_from_protobuf(trace_body(resource=b"\x0a\x7f"), "span").rejected == ()


def test_an_unreadable_scope_rejects_its_spans(span, trace_body, field):
    """The scope of some spans is named as the culprit."""
    body = field(1, field(2, field(1, b"\x0a\x7f") + field(2, span().SerializeToString())))
    received = items_from_protobuf(body, "span")
    assert received.rejected[0].reason.startswith("scope: ")


def test_text_cut_in_the_middle_of_a_character_is_mended(span, trace_body):
    """Invalid UTF-8 in one span becomes U+FFFD there; the others are untouched."""
    text = {"key": "output", "value": {"string_value": "caf\u00e9"}}
    broken = span(attributes=[text], events=[{"name": "caf\u00e9"}]).SerializeToString().replace(b"\xc3\xa9", b"\xc3z")
    received = items_from_protobuf(trace_body(broken, span()), "span")
    mended, whole = views(received.items)
    assert received.repaired == 1
    assert (mended.repaired, whole.repaired) == (True, False)
    assert mended.attributes["output"] == "caf\ufffdz"
    assert mended.events[0].name == "caf\ufffdz"


def test_a_mended_resource_marks_its_items(span, trace_body):
    """Text that is broken in the resource is broken for all its spans."""
    received = items_from_protobuf(trace_body(span(), resource=b"\x0a\x08\x0a\x01k\x12\x03\x0a\x01\xff"), "span")
    assert received.repaired == 1
    assert views(received.items)[0].resource == {"k": "\ufffd"}


def test_mending_keeps_unknown_fields_and_numbers(span, trace_body):
    """Only strings are touched: times, and fields of a newer schema, come through."""
    raw = span(name="x").SerializeToString().replace(b"\x2a\x01x", b"\x2a\x01\xff") + b"\xfa\x3e\x01\xff"
    (item,) = items_from_protobuf(trace_body(raw), "span").items
    assert item.time_ns == 2_000
    assert item.raw.endswith(b"\xfa\x3e\x01\xff")


def test_a_body_cut_anywhere_is_an_error_or_a_shorter_request(span, trace_body):
    """Only a cut between two resources leaves a request, which then holds the first ones whole."""
    first, second = trace_body(span()), trace_body(span(span_id=b"neighb01"))
    for cut in range(1, len(first + second)):
        body = (first + second)[:cut]
        if cut == len(first):
            assert items_from_protobuf(body, "span") == items_from_protobuf(first, "span")
            continue
        with pytest.raises(DecodeError):
            items_from_protobuf(body, "span")


def test_bytes_after_the_end_are_an_error(span, trace_body):
    """What follows the request must be a field too."""
    with pytest.raises(DecodeError):
        items_from_protobuf(trace_body(span()) + b"\x00", "span")


def test_an_empty_body_is_an_empty_request():
    """Protobuf writes a request without anything as no bytes at all."""
    assert items_from_protobuf(b"", "span").items == ()


def test_a_body_over_the_limit_is_too_large(span, trace_body):
    """The size is looked at before anything else."""
    with pytest.raises(TooLarge):
        items_from_protobuf(trace_body(span()), "span", limits=Limits(body_bytes=10))


def test_a_million_empty_spans_are_refused_cheaply(field):
    """Two bytes a span cost neither the memory nor the time of parsing them."""
    bomb = field(1, field(2, b"\x12\x00" * 1_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            items_from_protobuf(bomb, "span")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 << 20


def test_an_oversized_log_record_is_rejected_alone(log_body):
    """Logs have the same limits of one item."""
    attributes = [{"key": "k", "value": {"int_value": 1}}] * 4
    body = log_body({"severity_text": "x" * 500}, {"attributes": attributes}, {"severity_text": "fine"})
    received = items_from_protobuf(body, "log", limits=SMALL)
    assert {rejection.reason for rejection in received.rejected} == {
        "log record larger than 400 bytes",
        "log record with more than 3 attributes",
    }
    assert len(received.items) == 1


def test_a_damaged_log_record_is_rejected_alone(field):
    """A record that is no message is counted."""
    received = items_from_protobuf(field(1, field(2, field(2, b"\x0a\x7f"))), "log")
    assert received.rejected[0].reason.startswith("log record: ")


def test_what_mending_cannot_help_is_a_decode_error():
    """A message that the parser goes on refusing, for whatever reason, is refused as ours are."""

    class Refusing:
        DESCRIPTOR = Span.DESCRIPTOR

        @staticmethod
        def FromString(_):
            raise ProtobufError("no")

    with pytest.raises(DecodeError, match="no"):
        parse(Refusing, b"", Steps())


MANY = {
    "attributes": ("span", b"\x4a\x00", "span with more than 4096 attributes"),
    "events": ("span", b"\x5a\x00", "span with more than 65536 events"),
    "links": ("span", b"\x6a\x00", "span with more than 4096 links"),
    "attributes of a log record": ("log", b"\x32\x00", "log record with more than 4096 attributes"),
}


@pytest.mark.parametrize("what", MANY)
def test_a_large_item_is_refused_before_all_of_it_is_read(field, span, what):
    """What it has too many of is counted without parsing it, and its neighbour is kept."""
    signal, entry, reason = MANY[what]
    item = span().SerializeToString() if signal == "span" else b""
    body = field(1, field(2, field(2, item + entry * 600_000) + field(2, item)))
    received = items_from_protobuf(body, signal)
    assert received.rejected == (Rejection(reason, 1),)
    assert len(received.items) == 1


def test_a_large_item_of_few_fields_is_kept(span, trace_body):
    """Being large is nothing bad."""
    received = items_from_protobuf(trace_body(span(name="x" * 2_000_000)), "span")
    assert len(received.items) == 1


def test_a_request_that_takes_too_many_steps_is_refused(field, span):
    """Large items of millions of fields, and text to mend among millions of values, do not keep a processor busy."""
    values = field(9, field(1, b"k") + field(2, field(5, field(1, field(1, b"\xff")) * 180_000)))
    for item in (b"\x78\x00" * 600_000, values):
        large = field(2, span().SerializeToString() + item)
        with pytest.raises(TooLarge, match="1000000 fields"):
            items_from_protobuf(field(1, field(2, large * 4)), "span")


def test_large_text_is_mended_however_deep_it_lies(field, span):
    """Without holding a copy of it for each level."""
    text = b"\xff" + b"x" * (1 << 20)
    body = field(1, field(2, field(2, span().SerializeToString() + _nested(40, field, field(1, text)))))
    tracemalloc.start()
    try:
        received = items_from_protobuf(body, "span")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received.repaired == 1
    assert peak < 12 * len(text)


def test_bytes_that_are_mended_again_and_again_are_steps(field, span):
    """What is large, damaged and deep is refused before it takes long."""
    deep = field(2, span().SerializeToString() + _nested(45, field, field(1, b"x" * (3 << 20) + b"\xff")))
    with pytest.raises(TooLarge, match="1000000 fields"):
        items_from_protobuf(field(1, field(2, deep * 4)), "span")


def test_resources_that_have_to_be_mended_take_steps_each_time(field, span):
    """Of one that is remembered, too: what is refused must not depend on what was received before."""
    resource = field(1, b"\x0a\x00" * 3_900 + field(1, field(1, b"\xff")))
    block = field(1, resource + field(2, field(2, span().SerializeToString())))
    assert items_from_protobuf(block * 200, "span").repaired == 200
    with pytest.raises(TooLarge, match="1000000 fields"):
        items_from_protobuf(block * 300, "span")
