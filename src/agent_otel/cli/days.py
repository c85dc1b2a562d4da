"""Days as people type them on a command line, and the day it is."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any, Final

import click


class Day(click.ParamType[date]):
    """A day."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day that an ISO 8601 text names."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"expected a day such as 2026-05-18, got {value!r}", param, ctx)


today_option: Final = click.option(
    "--today", type=Day(), metavar="DAY", help="The day it is; by default today in UTC.", show_default=False
)


def today() -> date:
    """The day it is, in UTC."""
    return datetime.now(timezone.utc).date()
