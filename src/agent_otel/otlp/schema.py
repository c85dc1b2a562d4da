"""What the OTLP messages look like: the official descriptors, read once into plain tables."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, cast

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from agent_otel.otlp.wire import FIXED32, FIXED64, LENGTH, VARINT

HEX_FIELDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
"""OTLP/JSON writes these bytes as hex, not base64 (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding")."""

_WIRE_TYPES: Final = {
    FieldDescriptor.TYPE_DOUBLE: FIXED64,
    FieldDescriptor.TYPE_FIXED64: FIXED64,
    FieldDescriptor.TYPE_SFIXED64: FIXED64,
    FieldDescriptor.TYPE_FIXED32: FIXED32,
    FieldDescriptor.TYPE_STRING: LENGTH,
    FieldDescriptor.TYPE_BYTES: LENGTH,
    FieldDescriptor.TYPE_MESSAGE: LENGTH,
}


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a message. ``message`` is the type of a sub-message, ``labels`` are those of an enum."""

    name: str
    json_name: str
    number: int
    type: int
    wire_type: int
    repeated: bool
    message: Descriptor | None
    labels: dict[str, int]


class Table(msgspec.Struct, frozen=True):
    """The fields of one message type by number, and by each name that JSON may use."""

    numbers: dict[int, Field]
    names: dict[str, Field]


def descriptor_of(kind: type[Message]) -> Descriptor:
    """The descriptor of a message class; the type stubs leave open which implementation made it."""
    return cast("Descriptor", kind.DESCRIPTOR)


@lru_cache(maxsize=64)
def table(descriptor: Descriptor) -> Table:
    """The table of a message type; there are about twenty in OTLP."""
    found = [_field(field) for field in descriptor.fields]
    names = {name: field for field in found for name in (field.name, field.json_name)}
    return Table({field.number: field for field in found}, names)


def _field(field: FieldDescriptor) -> Field:
    labels = field.enum_type.values_by_name if field.enum_type else {}
    return Field(
        name=field.name,
        json_name=field.json_name,
        number=field.number,
        type=field.type,
        wire_type=_WIRE_TYPES.get(field.type, VARINT),
        # Said this way because ``label`` warns on new releases of protobuf, and ``is_repeated`` is missing on old ones.
        repeated=field.default_value == [],
        message=field.message_type,
        labels={label: value.number for label, value in labels.items()},
    )
