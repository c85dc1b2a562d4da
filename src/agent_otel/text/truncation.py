"""Cutting long text without losing what it was: head and tail stay, size and digest are told.

The pass or fail line of a tool stands at the end of its output, so a cut is made in the middle. Mask before cutting.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import NamedTuple

_JOINER = "\u200d"
_CONTINUATION = 0b1000_0000
_LEAD_MASK = 0b1100_0000
_LONGEST_CLUSTER = 16


class Truncated(NamedTuple):
    """A text within its limit, and what it was before.

    ``sha256`` is the hex digest of the original in UTF-8, and empty when nothing was cut.
    """

    text: str
    characters: int
    size: int
    sha256: str
    cut: bool


def truncate(text: str, limit: int, *, head: float = 0.5) -> Truncated:
    """The text in at most ``limit`` bytes of UTF-8; a marker in the middle tells what is gone.

    Args:
        text: what to cut; lone surrogates count as the replacement character.
        limit: the most bytes the result may have, marker included.
        head: the share of the kept bytes that comes from the beginning.
    """
    if len(text) <= limit // 4:  # no character has more than four bytes
        return Truncated(text, len(text), len(text.encode("utf-8", "replace")), "", cut=False)
    data = _encoded(text)
    if len(data) <= limit:
        return Truncated(text, len(text), len(data), "", cut=False)
    digest = hashlib.sha256(data).hexdigest()
    return Truncated(_cut(data, limit, digest, head), len(text), len(data), digest, cut=True)


def tail(text: str, limit: int) -> Truncated:
    """The end of the text in at most ``limit`` bytes of UTF-8, behind a marker when something was cut."""
    return truncate(text, limit, head=0.0)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _cut(data: bytes, limit: int, digest: str, head: float) -> str:
    # The number of bytes cut is part of the marker and decides its length; reserve for the longest it can be.
    room = limit - len(_encoded(_marker(len(data), digest)))
    if room <= 0:
        return _end(data, max(limit, 0))  # no room to say so: what is most telling stands at the end
    first = _start(data, int(room * head))
    last = _end(data, room - len(_encoded(first)))
    return first + _marker(len(data) - len(_encoded(first)) - len(_encoded(last)), digest) + last


def _marker(size: int, digest: str) -> str:
    spaced = f"{size:,}".replace(",", " ")
    return f"\u2026[{spaced} bytes cut, sha256 {digest[:12]}\u2026]\u2026"


def _start(data: bytes, size: int) -> str:
    """At most ``size`` bytes from the beginning, ending between two characters as people see them."""
    while size > 0 and data[size] & _LEAD_MASK == _CONTINUATION:
        size -= 1
    text = data[:size].decode("utf-8")
    following = data[size : size + 4].decode("utf-8", "ignore")[:1]
    for _ in range(_LONGEST_CLUSTER):
        if not text or not _joined(text[-1], following):
            break
        text, following = text[:-1], text[-1]
    return text


def _end(data: bytes, size: int) -> str:
    """At most ``size`` bytes from the end, beginning between two characters as people see them."""
    begin = len(data) - size
    while begin < len(data) and data[begin] & _LEAD_MASK == _CONTINUATION:
        begin += 1
    text = data[begin:].decode("utf-8")
    start = 0
    before = data[max(begin - 4, 0) : begin].decode("utf-8", "ignore")[-1:]
    while start < min(len(text), _LONGEST_CLUSTER) and _joined(before, text[start]):
        before, start = text[start], start + 1
    return text[start:]


def _joined(left: str, right: str) -> bool:
    """True when a reader sees both characters as one: combining marks, variation selectors, joined emoji."""
    return bool(right) and (_JOINER in (left, right) or unicodedata.category(right) in ("Mn", "Me"))
