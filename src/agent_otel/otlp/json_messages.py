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
from agent_otel.otlp.mend import MENDED, REPLACEMENT, mend
from agent_otel.otlp.schema import descriptor_of
from agent_otel.otlp.steps import Steps

_JSON: Final = msgspec.json.Decoder()


def origin_of(resource: msgspec.Raw, scope: msgspec.Raw, steps: Steps) -> Origin | str:
    """The origin that a resource and a scope describe, or the reason why they cannot be read."""
    try:
        resource_bytes, resource_mended = encoded(resource, Resource)
        scope_bytes, scope_mended = encoded(scope, InstrumentationScope)
    except DecodeError as exc:
        return f"resource or scope: {exc}"
    return origin(resource_bytes, scope_bytes, steps, mended=resource_mended or scope_mended)


def encoded(raw: msgspec.Raw, kind: type[Message]) -> tuple[bytes, bool]:
    """The JSON value as the bytes of a message, and whether its text was mended.

    Raises:
        DecodeError: it is no such message.
    """
    text = bytes(raw)
    mended = MENDED in text
    try:
        value = _JSON.decode(text.replace(MENDED, REPLACEMENT) if mended else text)
    except UnicodeDecodeError:
        # Slicing sees to escapes, and passes over bytes.
        value, mended = _JSON.decode(mend(text).replace(MENDED, REPLACEMENT)), True
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
