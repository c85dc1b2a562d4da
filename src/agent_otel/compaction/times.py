"""Nanoseconds as the record writes them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_NS = 253_402_300_800 * 10**9  # the year 10000, which RFC 3339 cannot write
NS = 1_000_000_000


def rfc3339(time_ns: int) -> str | None:
    """RFC 3339 text in UTC with milliseconds, or None for 0 and for times that cannot be."""
    if not 0 < time_ns < _LAST_NS:
        return None
    moment = _EPOCH + timedelta(milliseconds=time_ns // 1_000_000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def seconds(start_ns: int, end_ns: int) -> float | None:
    """The time between, rounded to a microsecond, or None where one end is missing or they are the wrong way round."""
    return round((end_ns - start_ns) / NS, 6) if 0 < start_ns <= end_ns else None
