"""Times as people type them on a command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import click

_AGO: Final = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, *, now: datetime) -> str:
    """The RFC 3339 time, in UTC with milliseconds as records have it, that ``7d`` or ``2026-05-18`` means.

    Raises:
        ValueError: the text is neither a length of time nor a date.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago:
        when = now - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
    else:
        when = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    utc = when.astimezone(timezone.utc) if when.tzinfo else when.replace(tzinfo=timezone.utc)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Moment(click.ParamType[str]):
    """A length of time before now, or a date or time in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The time as records have it."""
        try:
            return moment(value, now=datetime.now(timezone.utc))
        except (ValueError, OverflowError):
            self.fail(f"expected a time such as 7d, 12h or 2026-05-18, got {value!r}", param, ctx)
