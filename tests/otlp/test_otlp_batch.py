"""Reading many at once is reading each alone, faster."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.otlp.batch import GROUP_BYTES, outcomes
from agent_otel.otlp.build import KINDS, Builder, origin
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.otlp.links import LinkFinder, named_links
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.steps import Steps
from agent_otel.otlp.wire import encode_varint, slices

TRACE = b"t" * 16

texts = st.one_of(st.sampled_from(["", "s1", "s2", "x" * 512, "x" * 513, "é" * 300]), st.text(max_size=3))
values = st.one_of(
    st.builds(lambda text: {"string_value": text}, texts),
    st.builds(lambda number: {"int_value": number}, st.integers(0, 9)),
    # Bytes that look like an attribute, where they are none.
    st.just({"string_value": "J\x18\n\nsession.id\x12\x0a\n\x08injected"}),
    st.just({"string_value": "J" * 20_000}),
)
keys = st.one_of(st.sampled_from([*names.GROUP_KEYS, "key", "x.session.id", "session.id.x"]), st.text(max_size=3))
attributes = st.lists(
    st.builds(lambda key, value: KeyValue(key=key, value=value), keys, values),
    max_size=6,
)


def _field(number, payload):
    return encode_varint(number << 3 | 2) + encode_varint(len(payload)) + payload


def _one_by_one(body, signal, limits=DEFAULT_LIMITS):
    found = []
    for part in slices(body, items=limits.items):
        builder = Builder(origin(part.resource, part.scope, Steps()), KINDS[signal], limits, Steps())
        found.extend(builder.from_bytes(body[start:end]) for _, start, end in part.items)
    return found


def _together(body, signal, limits=DEFAULT_LIMITS):
    found = []
    for part in slices(body, items=limits.items):
        builder = Builder(origin(part.resource, part.scope, Steps()), KINDS[signal], limits, Steps())
        found.extend(outcomes(body, part.items, builder))
    return found


@settings(max_examples=200)
@given(st.lists(attributes, max_size=8))
def test_links_are_found_wherever_they_stand(messages):
    """The search gives what looking at each attribute gives, whatever earlier messages had and texts pretend."""
    finder = LinkFinder(Span.ATTRIBUTES_FIELD_NUMBER)
    log_finder = LinkFinder(LogRecord.ATTRIBUTES_FIELD_NUMBER)
    for found in messages:
        span, log = Span(attributes=found), LogRecord(attributes=found)
        expected = named_links(found)
        assert finder.find(span.attributes, span.SerializeToString(deterministic=True)) == expected
        assert log_finder.find(log.attributes, log.SerializeToString(deterministic=True)) == expected


def test_text_cannot_put_a_span_into_a_group(span, trace_body):
    """What a tool has printed is no attribute, even where an attribute of that name stood in the span before."""
    session = KeyValue(key=names.SESSION_ID, value={"string_value": "mine"})
    forged = KeyValue(key=names.SESSION_ID, value={"string_value": "theirs"}).SerializeToString().decode()
    output = KeyValue(key="output", value={"string_value": f"J{chr(len(forged))}{forged}"})
    first, second = items_from_protobuf(trace_body(span(attributes=[session]), span(attributes=[output])), "span").items
    assert first.links == (f"trace:{TRACE.hex()}", f"{names.SESSION_ID}:mine")
    assert second.links == (f"trace:{TRACE.hex()}",)


@settings(max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.builds(
                lambda found, name: Span(trace_id=TRACE, span_id=b"spanspan", name=name, attributes=found),
                attributes,
                st.sampled_from(["", "n", "n" * 40_000]),
            ).map(Span.SerializeToString),
            st.binary(max_size=12),
            st.sampled_from([b"", b"\x2a\x01\xff", Span(trace_id=TRACE).SerializeToString() + b"\xf8\x7f\x01"]),
        ),
        max_size=12,
    )
)
def test_a_group_gives_what_each_alone_gives(raws):
    """Items and reasons, in their order: of good spans, damaged ones, broken text, unknown fields, any size."""
    block = b"".join(_field(2, raw) for raw in raws)
    body = _field(1, _field(2, block))
    assert _together(body, "span") == _one_by_one(body, "span")


def test_items_with_something_between_them_are_read(span):
    """The URL of a schema may stand anywhere, and no length needs to be as short as it can be."""
    raw = span().SerializeToString()
    long_length = b"\x12" + bytes([len(raw) | 0x80, 0x80, 0]) + raw
    block = _field(2, raw) + _field(3, b"https://example.com") + _field(2, raw) + long_length + _field(2, raw)
    body = _field(1, _field(2, block))
    found = _together(body, "span")
    assert len(found) == 4
    assert len(set(map(repr, found))) == 1
    assert found == _one_by_one(body, "span")


@pytest.mark.parametrize("size", [10, GROUP_BYTES - 100, GROUP_BYTES, GROUP_BYTES + 100])
def test_the_size_of_an_item_does_not_matter(span, trace_body, size):
    """Small ones are read together, large ones alone."""
    body = trace_body(*[span(name="n" * size)] * 3, span())
    assert [type(outcome) for outcome in _together(body, "span")] == [Item] * 4
    assert _together(body, "span") == _one_by_one(body, "span")


def test_what_is_too_large_is_refused_in_any_company(span, trace_body):
    """A limit below the size of a group holds for each item."""
    limits = Limits(item_bytes=400)
    body = trace_body(span(), span(name="n" * 400), span())
    small, large, last = _together(body, "span", limits)
    assert large == "span larger than 400 bytes"
    assert small == last
    assert _one_by_one(body, "span", limits) == [small, large, last]


def test_log_records_are_read_in_groups_too(log_body):
    """A record of ours that comes back is passed over there as well."""
    body = log_body({"body": {"string_value": "a"}}, {"event_name": names.RUN_RECORD}, {"severity_text": "INFO"})
    assert _together(body, "log") == _one_by_one(body, "log")
    assert _together(body, "log")[1] is None
    assert items_from_protobuf(body, "log").ignored == 1


@pytest.mark.parametrize("size", [10, 20_000])
def test_a_resource_that_comes_again_says_the_same(span, trace_body, size):
    """Whether it is small enough to be remembered or not."""
    resource = Resource(attributes=[KeyValue(key="service.name", value={"string_value": "n" * size})])
    body = trace_body(span(), resource=resource.SerializeToString())
    first, again = (items_from_protobuf(body, "span").items for _ in range(2))
    assert first == again
    assert first[0].resource == resource.SerializeToString()
