"""Remembering what short texts come to: names of tools, keys and paths are the same few, over and over."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, TypeVar

T = TypeVar("T")

_TEXTS: Final = 4096
_LONGEST: Final = 256
"""Longer texts are worked out each time, so that what is remembered stays around a megabyte, whoever sends it."""


def remembered(function: Callable[[str], T]) -> Callable[[str], T]:
    """The function of one text, which must be pure and give what nobody changes, with a bounded memory."""
    known = lru_cache(maxsize=_TEXTS)(function)

    @wraps(function)
    def recall(text: str) -> T:
        return known(text) if len(text) <= _LONGEST else function(text)

    return recall
