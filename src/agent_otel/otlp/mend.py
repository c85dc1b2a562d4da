"""Mends JSON text that strict parsers refuse as a whole for one broken character in one string."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

MENDED: Final = rb"\ufdd0"
"""Stands where something was mended: a code point that Unicode reserves to never be a character."""

REPLACEMENT: Final = rb"\ufffd"
"""What it becomes in the end."""

_CHUNK: Final = 1 << 20

# Well-formed escapes are taken whole (group 1), so that what follows "\\" is not mistaken for one. JSON has no "\x".
_ESCAPE: Final = re.compile(
    rb"(\\[^ux]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\x[0-9a-f]{2}"
)


def mend(body: bytes) -> bytes:
    r"""The JSON text with ``MENDED`` for each byte that is not UTF-8 and each lone surrogate (``\ud83d``).

    JavaScript agents cut text by UTF-16 units, and ``JSON.stringify`` writes the half pair as an escape.
    """
    return _ESCAPE.sub(lambda match: match[1] or MENDED, b"".join(_escaped(body)))


def _escaped(body: bytes) -> Iterator[bytes]:
    r"""The text with bytes that are not UTF-8 as ``\xff``; in chunks, since text takes up to four bytes a character."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    for start in range(0, len(body), _CHUNK):
        yield decoder.decode(body[start : start + _CHUNK], final=start + _CHUNK >= len(body)).encode()
