"""Turning any Python value into one that OpenTelemetry accepts.

The SDK drops an attribute whose value it cannot encode, and with a lone surrogate in a span name the whole batch; so
values are repaired when they are set. Nothing here raises, whatever the value's own methods do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Set as AbstractSet
from typing import Any, cast

Scalar = str | bool | int | float
Attribute = Scalar | list[str] | list[bool] | list[int] | list[float]

_INT64 = 1 << 63
_DEPTH = 6
_ITEMS = 128
_REPR = 1024


def clean(text: str) -> str:
    """The text without what UTF-8 and C strings cannot hold: lone surrogates and NUL become U+FFFD.

    Returns the same object when there is nothing to repair.
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # A pair of surrogates that belongs together becomes the character it stands for.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def attribute_value(value: Any) -> Attribute:
    """A valid attribute value that says as much of ``value`` as one can.

    Scalars stay; integers beyond 64 bits become text; bytes become text or base64; a list of one kind of scalar stays a
    list, without its ``None``; a mixed list becomes a list of strings, a mapping or set JSON, anything else its bounded
    ``repr``.
    """
    scalar = _scalar(value)
    if scalar is not None:
        return scalar
    if isinstance(value, (list, tuple)):
        return _sequence(value)
    if isinstance(value, (Mapping, AbstractSet)):
        return _json(value)
    return printed(value)


def printed(value: Any) -> str:
    """The value's bounded ``repr``, or ``<unprintable TypeName>`` when it has none."""
    try:
        text = repr(value)
        return clean(text if len(text) <= _REPR else text[: _REPR - 1] + "\u2026")
    except Exception:  # noqa: BLE001 - foreign code; the instrumented program must survive it
        return f"<unprintable {clean(type(value).__name__)}>"


def _scalar(value: Any) -> Scalar | None:
    """The value as a scalar attribute, subclasses (enums, numpy floats) as the plain type; ``None`` when it is none."""
    if isinstance(value, str):
        return clean(str.__str__(value))
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        number = int.__int__(value)
        return number if -_INT64 <= number < _INT64 else _long(number)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value))
    return None


def _long(number: int) -> str:
    # Python refuses to print integers of thousands of digits in decimal; hexadecimal has no limit.
    return str(number) if number.bit_length() < 4096 else hex(number)  # noqa: PLR2004 - 4096 bits are 1234 digits


def _bytes(data: bytes) -> str:
    try:
        return clean(data.decode("utf-8"))
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii")


def _sequence(values: list[Any] | tuple[Any, ...]) -> Attribute:
    try:
        present = [value for value in values if value is not None]
        items = [_scalar(value) for value in present]
    except Exception:  # noqa: BLE001 - a subclass may iterate badly; the instrumented program must survive it
        return printed(values)
    if len({type(item) for item in items}) <= 1 and None not in items:
        return cast("Attribute", items)
    return [item if isinstance(item, str) else _json(value) for item, value in zip(items, present, strict=True)]


def _json(value: Any) -> str:
    return json.dumps(_plain(value, _DEPTH, ()), ensure_ascii=False, allow_nan=True)


def _plain(value: Any, depth: int, above: tuple[int, ...]) -> Any:
    """The value in JSON's terms; too deep, endless or foreign parts as text."""
    scalar = _scalar(value)
    if scalar is not None or value is None:
        return scalar
    if not isinstance(value, (Mapping, list, tuple, AbstractSet)):
        return printed(value)
    if id(value) in above or depth == 0:
        return "\u2026"
    try:
        above = (*above, id(value))
        if isinstance(value, Mapping):
            pairs = list(value.items())[:_ITEMS]
            return {_key(key): _plain(item, depth - 1, above) for key, item in pairs}
        return [_plain(item, depth - 1, above) for item in list(value)[:_ITEMS]]
    except Exception:  # noqa: BLE001 - foreign containers; the instrumented program must survive them
        return f"<unprintable {clean(type(value).__name__)}>"


def _key(key: Any) -> str:
    return clean(key) if isinstance(key, str) else printed(key)
