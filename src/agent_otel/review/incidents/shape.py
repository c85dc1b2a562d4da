"""What an incident is."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal

import msgspec

Trigger = Literal["redo", "recurrence", "near-miss"]


class Incident(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that deserves a post-mortem.

    ``runs`` are those it is about, the earliest first; ``why`` says it in one sentence. ``cost_s`` is what it cost,
    where that is known; ``fingerprints`` name the failures.
    """

    trigger: Trigger
    why: str
    runs: tuple[str, ...]
    started: str
    ended: str
    cost_s: float | None = None
    fingerprints: tuple[str, ...] = ()


def stamp(when: datetime) -> str:
    """A moment as records have it: RFC 3339 in UTC with milliseconds."""
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
