"""The shape of an outline: sections of parts of lines of pieces. A renderer needs to know nothing else.

A piece that is plain ``str`` may come from telemetry, and renderers make it inert; ``Own`` marks our words, ``Code``
what is shown as code (foreign too). Forgetting a mark therefore costs looks, never safety.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Tone = Literal["plain", "good", "bad", "warn", "dim"]


class Own(str):
    """Our own words, safe as they are."""

    __slots__ = ()


class Code(str):
    """Foreign text that is a command, path or id."""

    __slots__ = ()


class Line(NamedTuple):
    """One line; ``below`` are lines that belong to it."""

    pieces: tuple[str, ...]
    tone: Tone = "plain"
    below: tuple[Line, ...] = ()


class Part(NamedTuple):
    """Lines under a label."""

    label: str
    lines: tuple[Line, ...]


class Section(NamedTuple):
    """Parts under a question."""

    title: str
    parts: tuple[Part, ...]


class Outline(NamedTuple):
    """All there is to tell: the state first, then who and what, then the sections."""

    state: str
    tone: Tone
    run: str
    about: tuple[Line, ...]
    sections: tuple[Section, ...]


def line(*pieces: str, tone: Tone = "plain", below: Iterable[Line] = ()) -> Line:
    """A line of pieces."""
    return Line(pieces, tone, tuple(below))


def part(label: str, lines: Iterable[Line]) -> Iterable[Part]:
    """One part, or none where there is nothing to say."""
    found = tuple(lines)
    return (Part(label, found),) if found else ()


def listed(label: str, lines: Iterable[Line]) -> Iterable[Part]:
    """A part whose label counts its lines, or one that says that there are none."""
    found = tuple(lines)
    return (Part(f"{label} ({len(found)})" if found else f"{label}: none recorded", found),)


def fact(name: str, *pieces: str | None, tone: Tone = "plain") -> Iterable[Line]:
    """``name: pieces``, or nothing where one of the pieces is not recorded."""
    if None in pieces or not pieces:
        return ()
    return (line(Own(f"{name}: "), *(piece for piece in pieces if piece is not None), tone=tone),)


def joined(texts: Iterable[str], kind: type[str] = str) -> tuple[str, ...]:
    """Texts as pieces with commas between them."""
    pieces: list[str] = []
    for text in texts:
        pieces += [Own(", "), kind(text)] if pieces else [kind(text)]
    return tuple(pieces)
