"""The wire format: what a field is, and every way in which bytes fail to be one."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.wire import FIXED32, FIXED64, LENGTH, VARINT, encode_varint, fields, slices


@given(st.integers(0, 2**64 - 1))
def test_a_varint_comes_back(number):
    """Any 64-bit number is read to its last byte and no further."""
    raw = encode_varint(1 << 3 | VARINT) + encode_varint(number)
    assert list(fields(raw)) == [(1, VARINT, 1, len(raw))]


def test_each_wire_type_has_its_extent():
    """Numbers, fixed numbers and byte strings are stepped over whole."""
    raw = b"\x08\x96\x01" + b"\x11" + b"8" * 8 + b"\x1a\x02ab" + b"\x25" + b"4" * 4
    assert list(fields(raw)) == [(1, VARINT, 1, 3), (2, FIXED64, 4, 12), (3, LENGTH, 14, 16), (4, FIXED32, 17, 21)]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x0b\x0c", id="group"),
        pytest.param(b"\x0c", id="end of a group"),
        pytest.param(b"\x0e", id="wire type 6"),
        pytest.param(b"\x0f", id="wire type 7"),
        pytest.param(b"\x00\x01", id="field number 0"),
        pytest.param(b"\x80\x80\x80\x80\x10\x01", id="field number too large"),
        pytest.param(b"\x08" + b"\x80" * 10 + b"\x01", id="overlong number"),
        pytest.param(b"\x0a" + b"\xff" * 9 + b"\x01", id="length beyond everything"),
        pytest.param(b"\x0a\x05abc", id="length beyond the end"),
    ],
)
def test_what_is_no_message_is_a_decode_error(raw):
    """Each defect of the framing is a DecodeError."""
    with pytest.raises(DecodeError):
        list(fields(raw))


@given(st.binary(max_size=64))
def test_any_bytes_are_fields_or_a_decode_error(raw):
    """Garbage never raises anything else, and fields lie within the bytes and in order."""
    try:
        found = list(fields(raw))
    except DecodeError:
        return
    assert all(start <= end <= len(raw) for _, _, start, end in found)


@given(st.binary(max_size=64))
def test_any_bytes_are_slices_or_a_decode_error(raw):
    """A request of garbage is refused, or has its items within the body."""
    try:
        found = [item for part in slices(raw, items=10) for item in part.items]
    except (DecodeError, TooLarge):
        return
    assert all(begin < start <= end <= len(raw) for begin, start, end in found)


def test_a_resource_that_comes_last_or_in_parts_counts_for_all(field):
    """Fields may come in any order, and a singular message that occurs twice is the two joined."""
    body = field(1, field(2, field(2, b"item") + field(1, b"scope")) + field(1, b"one") + field(1, b"two"))
    (part,) = slices(body, items=10)
    assert (part.resource, part.scope, [body[start:end] for _, start, end in part.items]) == (
        b"onetwo",
        b"scope",
        [b"item"],
    )


def test_unknown_fields_and_other_types_are_skipped(field):
    """A field of a newer schema, or a known number with another type, is not an error."""
    body = field(1, field(9, b"new") + b"\x08\x01" + field(2, field(2, b"item") + b"\x10\x01")) + b"\x08\x01"
    assert [len(part.items) for part in slices(body, items=10)] == [1]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda field: b"\x18\x01" * 200_000, id="unknown fields of the request"),
        pytest.param(lambda field: b"\x0a\x00" * 200_000, id="empty resource blocks"),
        pytest.param(lambda field: field(1, b"\x0a\x00" * 200_000), id="parts of a resource"),
        pytest.param(lambda field: field(1, b"\x12\x00" * 200_000), id="empty scope blocks"),
        pytest.param(lambda field: field(1, field(2, b"\x18\x01" * 200_000)), id="unknown fields of a scope block"),
        pytest.param(lambda field: field(1, field(2, b"\x18\x01" * 90_000)) * 2, id="of several"),
    ],
)
def test_fields_that_are_no_items_are_bounded_too(field, make):
    """Stepping over tens of millions of them would take many seconds."""
    with pytest.raises(TooLarge):
        list(slices(make(field), items=1_000_000))


def test_too_many_items_are_refused_before_they_are_looked_at(field):
    """The limit is over all scopes of the request."""
    body = field(1, field(2, b"\x12\x00" * 3) + field(2, b"\x12\x00" * 3))
    assert sum(len(part.items) for part in slices(body, items=6)) == 6
    with pytest.raises(TooLarge):
        list(slices(body, items=5))
