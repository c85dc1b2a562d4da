"""From pieces of JSON to the messages they are."""

from __future__ import annotations

from typing import Final

import msgspec
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from agent_otel.errors import DecodeError
from agent_otel.otlp.build import Origin, origin
from agent_otel.otlp.json_values import message_arguments
from agent_otel.otlp.limits import MAX_ORIGIN_BYTES
from agent_otel.otlp.mend import MENDED, REPLACEMENT, mend
from agent_otel.otlp.schema import descriptor_of
from agent_otel.otlp.steps import Steps

JSON_TIMES: Final = 4
"""How much larger JSON is than the message it stands for, at most, where people have not made it so on purpose."""

_JSON: Final = msgspec.json.Decoder()


def origin_of(resource: msgspec.Raw, scope: msgspec.Raw, steps: Steps) -> Origin | str:
    """The origin that a resource and a scope describe, or the reason why they cannot be read.

    Raises:
        TooLarge: mending takes too many steps.
    """
    try:
        resource_bytes, resource_mended = encoded(resource, Resource, steps, most=MAX_ORIGIN_BYTES)
        scope_bytes, scope_mended = encoded(scope, InstrumentationScope, steps, most=MAX_ORIGIN_BYTES)
    except DecodeError as exc:
        return f"resource or scope: {exc}"
    return origin(resource_bytes, scope_bytes, steps, mended=resource_mended or scope_mended)


def encoded(raw: msgspec.Raw, kind: type[Message], steps: Steps, *, most: int) -> tuple[bytes, bool]:
    """The JSON value as the bytes of a message, and whether its text was mended.

    Args:
        raw: the JSON value.
        kind: the class of the message.
        steps: counts what mending takes.
        most: how many bytes the message may have, which the caller checks; what is far larger is not even read.

    Raises:
        DecodeError: it is no such message.
        TooLarge: mending takes too many steps.
    """
    text = bytes(raw)
    if len(text) > JSON_TIMES * most:
        message = f"larger than {JSON_TIMES * most} bytes of JSON"
        raise DecodeError(message)
    mended = MENDED in text
    try:
        value = _JSON.decode(text.replace(MENDED, REPLACEMENT) if mended else text)
    except UnicodeDecodeError:
        # Slicing sees to escapes, and passes over bytes.
        value, mended = _JSON.decode(mend(text, steps).replace(MENDED, REPLACEMENT)), True
    except msgspec.DecodeError as exc:
        message = "a number out of range"
        raise DecodeError(message) from exc
    if value is None:
        return b"", mended
    arguments = message_arguments(value, descriptor_of(kind))
    try:
        return kind(**arguments).SerializeToString(), mended
    except ValueError as exc:
        message = "a number out of range"
        raise DecodeError(message) from exc
