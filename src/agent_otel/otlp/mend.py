"""Mends JSON text that strict parsers refuse as a whole for one broken character in one string.

In chunks, and only so much of it: a body may be nothing but broken characters, or hold millions of escapes.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import Final

from agent_otel.otlp.steps import Steps

MENDED: Final = rb"\ufdd0"
"""Stands where something was mended: a code point that Unicode reserves to never be a character."""

REPLACEMENT: Final = rb"\ufffd"
"""What it becomes in the end."""

_CHUNK: Final = 1 << 20

_NOT_TEXT: Final = re.compile("[\udc80-\udcff]+")
"""What "surrogateescape" makes of bytes that are no UTF-8, one for each."""

# A run of backslashes is taken whole; where they are even in number, they are escaped themselves, and "u" is a letter.
_SURROGATE: Final = re.compile(
    rb"(?<!\\)(?P<slashes>\\+)u"
    rb"[dD](?:[89abAB][0-9a-fA-F]{2}(?P<low>\\u[dD][c-fC-F][0-9a-fA-F]{2})?|[c-fC-F][0-9a-fA-F]{2})"
)


def mend(body: bytes, steps: Steps) -> bytes:
    r"""The JSON text with ``MENDED`` for each byte that is not UTF-8 and each lone surrogate (``\ud83d``).

    JavaScript agents cut text by UTF-16 units, and ``JSON.stringify`` writes the half pair as an escape.

    Raises:
        TooLarge: there is too much to mend.
    """
    return _escapes_mended(b"".join(_bytes_mended(body, steps)), steps)


def _bytes_mended(body: bytes, steps: Steps) -> Iterator[bytes]:
    """In chunks, since text takes up to four bytes a character."""

    def mended(match: re.Match[str]) -> str:
        count = len(match[0])
        steps.take(count)
        return MENDED.decode() * count

    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for start in range(0, len(body), _CHUNK):
        text = decoder.decode(body[start : start + _CHUNK], final=start + _CHUNK >= len(body))
        yield _NOT_TEXT.sub(mended, text).encode()


def _escapes_mended(text: bytes, steps: Steps) -> bytes:
    mended, kept = io.BytesIO(), 0
    for match in _SURROGATE.finditer(text):
        steps.take()
        start, end = match.span("low")
        if len(match["slashes"]) % 2:
            if match["low"]:
                continue
            start, end = match.end("slashes") - 1, match.end()
        if start >= 0:
            mended.write(text[kept:start] + MENDED)
            kept = end
    if not kept:
        return text
    mended.write(text[kept:])
    return mended.getvalue()
