"""Values of unknown make: attributes that should be text, JSON that may be cut, Python reprs in the place of JSON."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from agent_otel.text.sanitise import clean

STATUS_ERROR: Final = 2
"""Status code ERROR of a span."""

LARGEST_LITERAL: Final = 20_000
_OPENERS = ("{", "[", '"')
_from_json = msgspec.json.Decoder().decode
_skim = msgspec.json.Decoder(msgspec.Raw).decode
_INT64 = 1 << 63
"""OTLP has no integers beyond; JSON does, and nothing that is counted or timed needs them."""
CUT: Final = "…"
"""Ends a text that ``remains`` found only the beginning of."""
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)("?)(\s*:)?', re.DOTALL)
_SURROGATE = re.compile(r"\\[uU](?:0000)?[dD][89a-fA-F]")
# What Python's own parser would warn of on standard error.
_BAD_ESCAPE = re.compile(r"""\\(?:[^\\'"abfnrtvxuUN0-7\n]|[4-7][0-7]{2})""")


def text(value: object) -> str:
    """The value if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list; a lone text is a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list | tuple) else ()


def whole(value: object) -> int | None:
    """The value as an integer of 64 bits: a number, or digits as some senders write them."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if -_INT64 <= value < _INT64 and value == int(value) else None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return None


def count(value: object) -> int | None:
    """The value as a number of things: an integer that is not negative."""
    number = whole(value)
    return number if number is not None and number >= 0 else None


def number(value: object) -> float | None:
    """The value as a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return float(value) if -_INT64 <= value < _INT64 else None
    return value if abs(value) < float("inf") else None


def flag(value: object) -> bool | None:
    """The value if it is true or false."""
    return value if isinstance(value, bool) else None


def truth(value: object) -> bool | None:
    """The value if it is true or false, or the text of it as some senders write it."""
    return {"true": True, "false": False}.get(value.casefold()) if isinstance(value, str) else flag(value)


def loads(value: object) -> Any:
    """What a text holds: JSON, else a Python literal, else the text itself. Other values are themselves."""
    if not isinstance(value, str):
        return value
    stripped = value.strip()
    if not stripped.startswith(_OPENERS):
        return value
    try:
        return _from_json(stripped)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _literal(stripped, value)


def is_cut(value: object) -> bool:
    """True for text that begins as JSON and does not end as JSON: an attribute limit went through it."""
    stripped = value.strip() if isinstance(value, str) else ""
    if not stripped.startswith(('{"', '[{"')):
        return stripped in ("{", "[", "[{")  # nothing else is left
    try:
        _skim(stripped)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return isinstance(loads(stripped), str)
    return False


def remains(value: str) -> Mapping[str, str]:
    """The texts in JSON that an attribute limit cut, by the names of their fields, at any depth; the first of each."""
    found: dict[str, str] = {}
    key = ""
    for token in _TOKEN.finditer(value):
        if token[3]:
            key = token[1]
        elif key:
            found.setdefault(key, unescaped(token[1]) + ("" if token[2] else CUT))
            key = ""
    return found


def unescaped(inner: str) -> str:
    """What stands between the quotes of JSON text, as it was meant."""
    try:
        return text(_from_json(f'"{inner}"'))
    except (msgspec.MsgspecError, ValueError):
        return inner


def mapping(value: object) -> Mapping[str, Any]:
    """The mapping a value is or holds as text, else an empty one."""
    found = loads(value)
    return found if isinstance(found, dict) else {}


def first(attributes: Mapping[str, Any], *keys: str) -> Any:
    """The value of the first key that is there and not empty."""
    for key in keys:
        value = attributes.get(key)
        if value is not None and value != "":
            return value
    return None


def _literal(stripped: str, value: str) -> Any:
    if len(stripped) > LARGEST_LITERAL or _BAD_ESCAPE.search(stripped):
        return value
    try:
        found = ast.literal_eval(stripped)
        if not isinstance(found, dict | list | str):
            return value
        return _mended(found) if _SURROGATE.search(stripped) else found
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value


def _mended(value: Any) -> Any:
    """The value with its texts as text can be: Python can spell half of a surrogate pair, and so can bad JSON."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    return type(value)(map(_mended, value)) if isinstance(value, list | tuple) else value
