"""How far long work is, on a terminal alone: what it makes can be piped, and logs stay short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TextIO, TypeVar

EVERY: Final = 100
"""After so many it is said again how many they are."""

_CLEARED: Final = "\r\x1b[K"

ThingT = TypeVar("ThingT")


def counted(things: Iterable[ThingT], label: str, *, terminal: TextIO) -> Iterator[ThingT]:
    """The things, and on the terminal how many there were so far; nothing is said where it is none.

    Args:
        things: what the work is done for.
        label: what is counted.
        terminal: where it is said.
    """
    if not terminal.isatty():
        yield from things
        return
    for number, thing in enumerate(things, start=1):
        if number % EVERY == 0:
            terminal.write(f"\r{label}: {number}")
            terminal.flush()
        yield thing
    terminal.write(_CLEARED)
    terminal.flush()
