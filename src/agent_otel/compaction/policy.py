"""What compaction is told: when silence means the end, and how large a record may get."""

from __future__ import annotations

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of compaction.

    A run without an end is ``abandoned`` after ``abandoned_after_s`` of silence (runs of this SDK send a heartbeat
    every 30 s). A list of a record holds at most ``max_entries`` entries, the first and the last; a text of a record
    at most ``max_text`` bytes.
    """

    abandoned_after_s: float = 900.0
    max_entries: int = 1000
    max_text: int = 4000
