"""Whether the name of a check that nobody knows is one that was meant otherwise."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

_ALIKE: Final = 0.75


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` most likely stands for, if it is a slip.

    A slip is written otherwise (case, punctuation), is a part of the name, or has one word that is nearly the same. Two
    checks of one tool are none, however much they look alike: ``e2e: firefox`` is not ``e2e: chromium``, and
    ``test-3.10`` is not ``test-3.11``.
    """
    words = _words(name)
    return next((each for each in known if words and _is_slip(words, _words(each))), None)


def _words(name: str) -> list[str]:
    return re.findall(r"\w+", name.casefold())


def _is_slip(words: list[str], wanted: list[str]) -> bool:
    if _within(words, wanted):
        return True
    pairs = [pair for pair in zip(words, wanted, strict=False) if pair[0] != pair[1]]
    return len(words) == len(wanted) and len(pairs) == 1 and _alike(*pairs[0])


def _within(words: list[str], wanted: list[str]) -> bool:
    return any(wanted[place : place + len(words)] == words for place in range(len(wanted)))


def _alike(one: str, other: str) -> bool:
    same_numbers = re.findall(r"\d+", one) == re.findall(r"\d+", other)
    return same_numbers and difflib.SequenceMatcher(None, one, other).ratio() >= _ALIKE
