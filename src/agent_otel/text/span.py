"""A stretch of text to mask."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """Where a secret stands, and what it is: the middle part of its marker."""

    start: int
    end: int
    kind: str
