"""Small parts of SQL statements."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

_PARAMETERS: Final = 500
"""Parameters of one statement; SQLite may have been built with a limit of 999."""


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values, in parts that fit into one statement."""
    for start in range(0, len(values), _PARAMETERS):
        yield values[start : start + _PARAMETERS]


def marks(values: Collection[object]) -> str:
    """A question mark for each value."""
    return ", ".join("?" * len(values))
