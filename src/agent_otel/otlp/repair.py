"""Parses encoded messages, and mends text in them that is not valid UTF-8.

upb refuses a whole message for one such string, and agents cut output in the middle of a character all the time.
"""

from __future__ import annotations

from typing import Final, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufError, Message

from agent_otel.errors import DecodeError
from agent_otel.otlp.limits import MAX_DEPTH
from agent_otel.otlp.schema import descriptor_of, table
from agent_otel.otlp.steps import Steps
from agent_otel.otlp.wire import LENGTH, encode_varint, fields

STEP_BYTES: Final = 1 << 10
"""So many bytes of a field take as long as one more step."""

MessageT = TypeVar("MessageT", bound=Message)


def parse(kind: type[MessageT], raw: bytes, steps: Steps) -> tuple[MessageT, bool]:
    """The message, and whether it had to be mended.

    Args:
        kind: its class.
        raw: the encoded message.
        steps: counts the fields that mending takes.

    Raises:
        DecodeError: the bytes are damaged, or nested too deeply.
        TooLarge: mending takes too many steps.
    """
    try:
        return kind.FromString(raw), False
    except ProtobufError:
        mended = repair(raw, descriptor_of(kind), steps) or raw
    try:
        return kind.FromString(mended), True
    except ProtobufError as exc:
        repair(raw, descriptor_of(kind), steps, thorough=True)  # says better what is wrong, where it finds that
        message = f"not a protobuf message: {exc}"
        raise DecodeError(message) from exc


def repair(
    raw: bytes,
    descriptor: Descriptor,
    steps: Steps,
    *,
    within: tuple[int, int] | None = None,
    depth: int = 1,
    thorough: bool = False,
) -> bytes | None:
    """The message with what is not valid UTF-8 in its strings replaced by U+FFFD; None where there is no such thing.

    Args:
        raw: holds the encoded message.
        descriptor: its type, which says where the strings are.
        steps: counts the fields, and the bytes that are looked at again at each level.
        within: where the message begins and ends; None for all of ``raw``. It is not cut out of it, for then each
            level of messages in messages would hold a copy.
        depth: how deep in other messages it lies.
        thorough: whether to look at messages in it that are all ASCII, too: there may be damage other than to text.

    Raises:
        DecodeError: the bytes are damaged, or nested too deeply.
        TooLarge: it takes too many steps.
    """
    if depth > MAX_DEPTH:
        message = f"values nested in more than {MAX_DEPTH} messages"
        raise DecodeError(message)
    known = table(descriptor).numbers
    first, last = within or (0, len(raw))
    mended, kept, position = bytearray(), first, first
    for number, wire_type, start, end in fields(raw, first, last):
        steps.take(1 + (end - start) // STEP_BYTES)
        begin, position = position, end
        if wire_type != LENGTH or (field := known.get(number)) is None:
            continue
        if not thorough and raw[start:end].isascii():
            continue
        if field.type == FieldDescriptor.TYPE_STRING:
            better = _as_text(raw[start:end])
        elif field.message is not None:
            better = repair(raw, field.message, steps, within=(start, end), depth=depth + 1, thorough=thorough)
        else:
            continue
        if better is not None:
            mended += raw[kept:begin] + encode_varint(number << 3 | LENGTH) + encode_varint(len(better)) + better
            kept = end
    return bytes(mended + raw[kept:last]) if mended else None


def _as_text(payload: bytes) -> bytes | None:
    better = payload.decode("utf-8", "replace").encode()
    return better if better != payload else None
