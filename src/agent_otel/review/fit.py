"""Fitting what there is to say into a budget: the first blocks first, and of each the first entries.

Where not everything fits, no block takes more than half of what those before it left.

What is left out is counted where it would stand, so that nobody takes a part for the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple


class Block(NamedTuple):
    """Entries under a title, the most telling first; at most ``most`` of them are worth the room."""

    title: str
    entries: tuple[str, ...]
    most: int = 50


class Measure(NamedTuple):
    """What a text takes, and how to say that so many entries were left out."""

    size: Callable[[str], int]
    more: Callable[[int], str]

    def least(self, blocks: Sequence[Block]) -> int:
        """What the blocks take when nothing of them is shown but how much there is."""
        return sum(self._line(block.title) + self._line(self.more(len(block.entries))) for block in blocks)

    def fitted(self, blocks: Sequence[Block], room: int) -> Iterator[str]:
        """The lines of the blocks, which with a line feed each take no more than ``room``, if that is the ``least``."""
        left = room - self.least(blocks)
        later = sum(map(self._wanted, blocks))
        for block in blocks:
            later -= self._wanted(block)
            entries = self._first(block, max(left // 2, left - later))
            left -= sum(map(self._line, entries))
            yield from (block.title, *entries)
            if len(entries) < len(block.entries):
                yield self.more(len(block.entries) - len(entries))

    def _first(self, block: Block, room: int) -> tuple[str, ...]:
        entries = block.entries[: block.most]
        for place, entry in enumerate(entries):
            room -= self._line(entry)
            if room < 0:
                return entries[:place]
        return entries

    def _wanted(self, block: Block) -> int:
        return sum(map(self._line, block.entries[: block.most]))

    def _line(self, text: str) -> int:
        return self.size(text) + 1
