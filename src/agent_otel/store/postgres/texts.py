"""Text as PostgreSQL can hold it: it refuses the character NUL, and so do its JSON documents.

NUL and the character after it are written as two characters each. Different texts stay different, their order (by code
point, as in ``COLLATE "C"``) stays the same, and a text that holds neither, which is nearly every one, is what it was.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

LONGEST_INDEXED: Final = 1_000
"""Bytes of a text that is kept whole where an index must find it; PostgreSQL's limit is about 2 700."""

_ESCAPES: Final = (("\x01", "\x01\x02"), ("\x00", "\x01\x01"))
_JSON_ESCAPE: Final = re.compile(rb"\\(?:u000[01]|.)")
_JSON: Final = {rb"\u0001": rb"\u0001\u0002", rb"\u0000": rb"\u0001\u0001"}


def stored(text: str) -> str:
    """The text as it is stored."""
    if "\x00" in text or "\x01" in text:
        for plain, escaped in _ESCAPES:
            text = text.replace(plain, escaped)
    return text


def optional(text: str | None) -> str | None:
    """``stored``, where there is a text."""
    return None if text is None else stored(text)


def read(text: str) -> str:
    """What ``stored`` was given."""
    if "\x01" in text:
        for plain, escaped in reversed(_ESCAPES):
            text = text.replace(escaped, plain)
    return text


def stored_json(document: bytes) -> bytes:
    """An encoded JSON document, with all its texts as they are stored."""
    if rb"\u000" not in document:
        return document
    return _JSON_ESCAPE.sub(lambda found: _JSON.get(found[0], found[0]), document)


def indexed(text: str) -> str:
    """A name for the text that fits into an index: itself, or its digest where it is very long."""
    name = stored(text)
    encoded = name.encode()
    return name if len(encoded) <= LONGEST_INDEXED else f"blake2b:{digest(encoded).hex()}"


def digest(content: bytes) -> bytes:
    """Stands for the content where an index must find it."""
    return hashlib.blake2b(content, digest_size=16).digest()
