"""Nanoseconds as the record writes them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

_EPOCH = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
_LAST_NS = 253_402_300_800 * 10**9  # the year 10000, which RFC 3339 cannot write
NS = 1_000_000_000


def rfc3339(time_ns: int) -> str | None:
    """RFC 3339 text in UTC with milliseconds, or None for 0 and for times that cannot be."""
    if not 0 < time_ns < _LAST_NS:
        return None
    days, milliseconds = divmod(time_ns // 1_000_000, _DAY_MS)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{_day(days)}T{hours:02d}:{minutes:02d}:{milliseconds / 1000:06.3f}Z"


@lru_cache(maxsize=64)
def _day(days: int) -> str:
    return date.fromordinal(_EPOCH + days).isoformat()


def seconds(start_ns: int, end_ns: int) -> float | None:
    """The time between, rounded to a microsecond, or None where one end is missing or they are the wrong way round."""
    return round((end_ns - start_ns) / NS, 6) if 0 < start_ns <= end_ns else None
