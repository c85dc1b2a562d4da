"""Counting the lines that differ between two versions of a file, without paying for a full diff."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from io import BytesIO
from typing import Final

_SMALL: Final = 400
"""Differing lines up to which the count is that of a real diff; it costs the square of them."""


def changed_lines(before: bytes, after: bytes) -> tuple[int, int]:
    """How many lines were added and removed; (0, 0) for what is no text.

    Between a common beginning and a common end, small changes are counted by a diff. In large ones, lines that moved
    count as unchanged.
    """
    if before == after or b"\0" in before or b"\0" in after:
        return 0, 0
    old, new = _middles(BytesIO(before).readlines(), BytesIO(after).readlines())
    if max(len(old), len(new)) > _SMALL:
        was, now = Counter(old), Counter(new)
        return (now - was).total(), (was - now).total()
    kept = sum(block.size for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    return len(new) - kept, len(old) - kept


def _middles(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Both without the lines they share at the beginning and at the end."""
    shorter = min(len(old), len(new))
    start = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    room = shorter - start
    end = next((index for index in range(room) if old[-1 - index] != new[-1 - index]), room)
    return old[start : len(old) - end], new[start : len(new) - end]
