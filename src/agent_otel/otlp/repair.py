"""Mends text that is not valid UTF-8 inside an encoded message.

upb refuses a whole message for one such string, and agents cut output in the middle of a character all the time.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from agent_otel.errors import DecodeError
from agent_otel.otlp.limits import MAX_DEPTH
from agent_otel.otlp.schema import Field, table
from agent_otel.otlp.wire import LENGTH, encode_varint, fields


def repair(raw: bytes, descriptor: Descriptor, depth: int = 1) -> bytes:
    """The message with what is not valid UTF-8 in its strings replaced by U+FFFD.

    Args:
        raw: the encoded message.
        descriptor: its type, which says where the strings are.
        depth: how deep in other messages it lies.

    Raises:
        DecodeError: the bytes are damaged, or nested too deeply.
    """
    if depth > MAX_DEPTH:
        message = f"values nested in more than {MAX_DEPTH} messages"
        raise DecodeError(message)
    known = table(descriptor).numbers
    mended = bytearray()
    for number, wire_type, start, end in fields(raw):
        field = known.get(number)
        payload = raw[start:end]
        if wire_type == LENGTH:
            if field is not None:
                payload = _mended(payload, field, depth)
            payload = encode_varint(len(payload)) + payload
        mended += encode_varint(number << 3 | wire_type) + payload
    return bytes(mended)


def _mended(payload: bytes, field: Field, depth: int) -> bytes:
    if field.type == FieldDescriptor.TYPE_STRING:
        return payload.decode("utf-8", "replace").encode()
    if field.message is not None:
        return repair(payload, field.message, depth + 1)
    return payload
