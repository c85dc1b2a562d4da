"""Globs over paths relative to the repository, as scopes, exclusions and off-limits lists use them.

``**`` crosses folders, ``*`` and ``?`` do not; every other character means itself, brackets too, because
``src/routes/[token].ts`` is a path people have. A pattern that ends in the plain name of a folder covers everything
below it. A pattern without a slash may match at any depth; a plain word (``dashboard``) also matches a file of that
name whatever its extension. No pattern is expensive: only the last star is ever tried again.

Agents that nobody decorated write absolute paths, and where their repository lies is often not in their telemetry. Any
folder of an absolute path may be that repository: it is covered where one of its ends is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache


def first_match(path: str, patterns: Iterable[str]) -> str | None:
    """The first of ``patterns`` that covers ``path``, or ``None``."""
    return next((pattern for pattern in patterns if matches(path, pattern)), None)


@lru_cache(maxsize=4096)
def matches(path: str, pattern: str) -> bool:
    """True when ``pattern`` covers ``path``."""
    folders, wanted = _segments(path), _segments(pattern)
    if not folders or not wanted:
        return False
    if len(wanted) == 1 and not pattern.startswith(("/", "./")):
        return _anywhere(folders, wanted[0])
    below = [] if _has_star(wanted[-1]) else ["**"]
    ends = range(len(folders)) if _is_absolute(path) else range(1)
    return any(_wild(folders[start:], [*wanted, *below], star="**", same=_segment) for start in ends)


def is_path_pattern(text: str) -> bool:
    """True when ``text`` can be a pattern at all; scopes are also written as prose, which matches no path."""
    return "/" in text or len(text.split()) == 1


def _anywhere(folders: list[str], word: str) -> bool:
    if _has_star(word):
        return word == "**" or _segment(folders[-1], word)
    return any(word in (folder, _stem(folder)) for folder in folders)


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or path[1:2] == ":"


def _has_star(segment: str) -> bool:
    return "*" in segment or "?" in segment


def _segments(path: str) -> list[str]:
    return [segment for segment in path.replace("\\", "/").split("/") if segment not in ("", ".")]


def _stem(segment: str) -> str:
    return segment.partition(".")[0]


def _segment(segment: str, pattern: str) -> bool:
    return _wild(segment, pattern, star="*", same=lambda have, want: want in ("?", have))


def _wild(items: Sequence[str], pattern: Sequence[str], *, star: str, same: Callable[[str, str], bool]) -> bool:
    """True when ``items`` match ``pattern``, in which ``star`` stands for any number of them.

    The greedy algorithm: on a mismatch only the last star takes one item more, which is enough for wildcards.
    """
    place = wanted = 0
    retry: tuple[int, int] | None = None
    while place < len(items):
        if wanted < len(pattern) and pattern[wanted] == star:
            retry = (wanted, place)
            wanted += 1
        elif wanted < len(pattern) and same(items[place], pattern[wanted]):
            place, wanted = place + 1, wanted + 1
        elif retry is not None:
            retry = (retry[0], retry[1] + 1)
            wanted, place = retry[0] + 1, retry[1]
        else:
            return False
    return all(part == star for part in pattern[wanted:])
