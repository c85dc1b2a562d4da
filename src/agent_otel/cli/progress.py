"""How far long work is, on a terminal alone: what it makes can be piped, and logs stay short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TextIO, TypeVar

import click

EVERY: Final = 100
"""After so many it is said again how many they are."""

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
    with click.progressbar(things, label=label, show_pos=True, update_min_steps=EVERY, file=terminal) as bar:
        yield from bar
