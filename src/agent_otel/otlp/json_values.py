"""From parsed OTLP/JSON to the arguments of the official message classes, following their descriptors."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from agent_otel.errors import DecodeError
from agent_otel.otlp.schema import HEX_FIELDS, Field, table

_INTEGER: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBERS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_URL_SAFE: Final = str.maketrans("-_", "+/")


def message_arguments(value: object, descriptor: Descriptor) -> dict[str, Any]:
    """What to call the message class with to get what the JSON value says.

    Raises:
        DecodeError: a known field has a value of another kind; the message names the field, not the value.
    """
    if not isinstance(value, dict):
        raise _unexpected(descriptor.name, "an object", value)
    known = table(descriptor).names
    arguments: dict[str, Any] = {}
    for key, entry in value.items():
        field = known.get(key)
        if field is None or entry is None:
            continue
        convert = _message if field.message else _CONVERTERS.get(field.type, _integer)
        if not field.repeated:
            arguments[field.name] = convert(entry, field)
        elif isinstance(entry, list):
            arguments[field.name] = [convert(part, field) for part in entry]
        else:
            raise _unexpected(field.json_name, "an array", entry)
    return arguments


def _message(value: object, field: Field) -> dict[str, Any]:
    assert field.message is not None  # noqa: S101 - for the type checker; the caller chose by it
    return message_arguments(value, field.message)


def _text(value: object, field: Field) -> str:
    if not isinstance(value, str):
        raise _unexpected(field.json_name, "a string", value)
    return value


def _boolean(value: object, field: Field) -> bool:
    if not isinstance(value, bool):
        raise _unexpected(field.json_name, "true or false", value)
    return value


def _bytes(value: object, field: Field) -> bytes:
    text = _text(value, field)
    try:
        if field.name in HEX_FIELDS:
            return binascii.unhexlify(text)
        padding = "=" * (-len(text) % 4)
        return base64.b64decode(text.translate(_URL_SAFE) + padding, validate=True)
    except ValueError as exc:
        expected = "hex digits" if field.name in HEX_FIELDS else "base64"
        raise _unexpected(field.json_name, expected, value) from exc


def _integer(value: object, field: Field) -> int:
    """64-bit integers come as strings by the specification, and as numbers from many senders."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _unexpected(field.json_name, "an integer", value)


def _enum(value: object, field: Field) -> int:
    label = field.labels.get(value) if isinstance(value, str) else None
    return _integer(value, field) if label is None else label


def _double(value: object, field: Field) -> float:
    if isinstance(value, str) and value in _NUMBERS:
        return _NUMBERS[value]
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError) as exc:
            raise _unexpected(field.json_name, "a number", value) from exc
    raise _unexpected(field.json_name, "a number", value)


_CONVERTERS: Final[dict[int, Callable[[object, Field], Any]]] = {
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_BOOL: _boolean,
    FieldDescriptor.TYPE_DOUBLE: _double,
    FieldDescriptor.TYPE_ENUM: _enum,
}
"""Field type to the function that reads it; the others are integers."""

_KINDS: Final = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def _unexpected(name: str, expected: str, value: object) -> DecodeError:
    return DecodeError(f"{name}: expected {expected}, got {_KINDS.get(type(value), 'a number')}")
