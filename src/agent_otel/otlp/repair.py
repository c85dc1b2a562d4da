"""Parses encoded messages, and mends text in them that is not valid UTF-8.

upb refuses a whole message for one such string, and agents cut output in the middle of a character all the time.
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufError, Message

from agent_otel.errors import DecodeError
from agent_otel.otlp.limits import MAX_DEPTH
from agent_otel.otlp.schema import Field, descriptor_of, table
from agent_otel.otlp.wire import LENGTH, encode_varint, fields

MessageT = TypeVar("MessageT", bound=Message)


def parse(kind: type[MessageT], raw: bytes) -> tuple[MessageT, bool]:
    """The message, and whether it had to be mended.

    Raises:
        DecodeError: the bytes are damaged, or nested too deeply.
    """
    try:
        return kind.FromString(raw), False
    except ProtobufError:
        mended = repair(raw, descriptor_of(kind))
    try:
        return kind.FromString(mended), True
    except ProtobufError as exc:
        message = f"not a protobuf message: {exc}"
        raise DecodeError(message) from exc


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
