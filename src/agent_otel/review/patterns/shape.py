"""What a sighting of a pattern is, and what else than runs the patterns are looked for in."""

from __future__ import annotations

import msgspec


class Sighting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pattern, where it shows.

    ``runs`` are those that show it, the earliest first; none where the repository shows it. ``said`` tells it in one
    sentence of what was recorded. ``refs`` are entries (``RUN c3``, see ``ref``) or places (``AGENTS.md:12``).
    """

    pattern: str
    runs: tuple[str, ...]
    said: str
    refs: tuple[str, ...] = ()
    layer: str
    area: str


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of runs: that they show a pattern; ``where`` is the page that says so, ``title`` its title."""

    pattern: str
    runs: tuple[str, ...]
    where: str
    title: str


def ref(run_id: str, entry: str) -> str:
    """An entry among those of many runs."""
    return f"{run_id} {entry}"
