"""The protobuf wire format: walks its fields, and slices an export request down to the bytes of each span or record.

Nothing is parsed here: slicing first keeps memory bounded by one item, and lets a bad item be refused alone
(design.md §5). Every defect of the framing is a ``DecodeError``. The format: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NoReturn

import msgspec

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.limits import MAX_OTHER_FIELDS

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
FIXED32: Final = 5

_CONTINUED: Final = 0x80
_LONGEST_VARINT: Final = 10
_LARGEST_TAG: Final = 0xFFFFFFFF

# ExportTraceServiceRequest, ExportLogsServiceRequest and ExportMetricsServiceRequest number these fields alike.
_RESOURCE_BLOCKS: Final = 1
_OWNER: Final = 1  # resource, or scope
_PARTS: Final = 2  # scope blocks, or items
_PART_TAG: Final = _PARTS << 3 | LENGTH

Place = tuple[int, int, int]
"""Where a length-delimited field lies: the beginning of the field, and start and end of what is in it."""


class Slice(msgspec.Struct, frozen=True):
    """The items of one resource and scope in a request."""

    resource: bytes
    scope: bytes
    items: list[Place]


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int, int]]:
    """Each field of the message at ``data[start:end]``: number, wire type, start and end of its payload.

    Raises:
        DecodeError: the bytes are cut short or are not a message; groups, gone from protobuf since 2008, are refused.
    """
    position, stop = start, len(data) if end is None else end
    while position < stop:
        number, wire_type, begin, position = _field(data, position, stop)
        yield number, wire_type, begin, position


def slices(body: bytes, *, items: int) -> Iterator[Slice]:
    """The request cut into its resources and scopes, with at most ``items`` spans or log records in all.

    Unknown fields, and known ones of another type, are skipped, as protobuf demands. A singular field that occurs more
    than once is merged, which for encoded messages is to join the bytes.

    Raises:
        DecodeError: the body is not a request.
        TooLarge: it holds more items.
    """
    left, others = items, MAX_OTHER_FIELDS
    for number, wire_type, start, end in fields(body):
        others -= 1
        if number == _RESOURCE_BLOCKS and wire_type == LENGTH:
            resource, blocks, others = _parts(body, start, end, others, others)
            for _, block_start, block_end in blocks:
                scope, found, others = _parts(body, block_start, block_end, left, others - 1)
                left -= len(found)
                yield Slice(resource, scope, found)
        _check(others)


def varint(data: bytes, start: int, end: int) -> int:
    """The number that the payload of a field of wire type ``VARINT`` is."""
    return _varint(data, start, end)[0]


def encode_varint(value: int) -> bytes:
    """A non-negative integer as a varint."""
    encoded = bytearray()
    while value >= _CONTINUED:
        encoded.append(value & 0x7F | _CONTINUED)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _check(others: int) -> None:
    if others < 0:
        message = f"a request of more than {MAX_OTHER_FIELDS} fields that are no items"
        raise TooLarge(message)


def _parts(body: bytes, position: int, end: int, most: int, others: int) -> tuple[bytes, list[Place], int]:
    """Field 1, joined, and where each field 2 lies: the shape of ResourceSpans and ScopeSpans alike.

    At most ``most`` fields 2, and ``others`` further ones, of which it gives how many are left.
    """
    owner: list[bytes] = []
    found: list[Place] = []
    while position < end:
        begin = position
        # Nearly every field is a part of 128 bytes to 16 KiB: stepping over these here is three times as fast.
        if (
            body[position] == _PART_TAG
            and position + 2 < end
            and (low := body[position + 1]) >= _CONTINUED
            and (high := body[position + 2]) < _CONTINUED
            and (after := (start := position + 3) + (low & 0x7F | high << 7)) <= end
        ):
            number, wire_type, position = _PARTS, LENGTH, after
        else:
            number, wire_type, start, position = _field(body, position, end)
        if number == _PARTS and wire_type == LENGTH:
            if len(found) == most:
                message = "too many spans or log records in one request: send fewer at a time"
                raise TooLarge(message)
            found.append((begin, start, position))
            continue
        others -= 1
        _check(others)
        if number == _OWNER and wire_type == LENGTH:
            owner.append(body[start:position])
    return b"".join(owner), found, others


def _field(data: bytes, position: int, stop: int) -> tuple[int, int, int, int]:
    """The field at ``position``; see ``fields``."""
    tag, position = _varint(data, position, stop)
    wire_type = tag & 7
    if wire_type == LENGTH:
        size, position = _varint(data, position, stop)
        after = position + size
    elif wire_type == VARINT:
        _, after = _varint(data, position, stop)
    elif wire_type == FIXED64:
        after = position + 8
    elif wire_type == FIXED32:
        after = position + 4
    else:
        _fail(f"wire type {wire_type}")
    if after > stop:
        _fail("a field longer than its message")
    if tag < 8 or tag > _LARGEST_TAG:  # noqa: PLR2004 - a tag below 8 has field number 0, which does not exist
        _fail("an impossible field number")
    return tag >> 3, wire_type, position, after


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """The number at ``position``, and where the next thing starts."""
    if position < end and (first := data[position]) < _CONTINUED:
        return first, position + 1
    value = 0
    for index in range(position, min(end, position + _LONGEST_VARINT)):
        byte = data[index]
        value |= (byte & 0x7F) << (7 * (index - position))
        if byte < _CONTINUED:
            return value & 0xFFFFFFFFFFFFFFFF, index + 1
    return _fail("a number cut short or too long")


def _fail(what: str) -> NoReturn:
    # Without the position: it ends up in reasons of rejections, which are counted by their text.
    message = f"not a protobuf message: {what}"
    raise DecodeError(message)
