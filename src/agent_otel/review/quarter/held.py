"""Whether a review was held, and when the next is due: one that is kept says in its front matter when it was held.

The front matter is TOML between two lines of ``+++``, as that of the pages is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import msgspec

from agent_otel.review.postmortems.page import FENCE
from agent_otel.review.wording import count

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class _Front(msgspec.Struct, frozen=True, kw_only=True):
    """What the front matter of a review says."""

    held: date


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """The day on which the next review is due, and whether it is past; ``after`` is what it is counted from."""

    day: date
    after: str
    overdue: bool


def front(day: date) -> Iterator[str]:
    """The front matter of a review that is held on that day."""
    yield from (FENCE, f'held = "{day.isoformat()}"', FENCE)


def held_on(text: str) -> date | None:
    """The day on which the review was held that a text is; None where it is none."""
    before, opened, rest = text.partition(f"{FENCE}\n")
    said, closed, _ = rest.partition(f"\n{FENCE}\n")
    if before.strip() or not opened or not closed:
        return None
    try:
        return msgspec.convert(tomllib.loads(said), _Front).held
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        return None


def due(held: Iterable[date], pages: Iterable[date], first_run: date | None, *, today: date, days: int) -> Due | None:
    """When the next review is due; None where there is nothing to review yet.

    Args:
        held: the days on which one was held.
        pages: the days on which post-mortems were written.
        first_run: the day of the earliest run.
        today: what is overdue depends on it.
        days: how long after the last one it is.
    """
    last, first_page = max(held, default=None), min(pages, default=None)
    beginnings = (("the last one", last), ("the first post-mortem", first_page), ("the first run", first_run))
    found = next(((what, day) for what, day in beginnings if day is not None), None)
    if found is None:
        return None
    what, day = found
    until = day + timedelta(days=days)
    return Due(day=until, after=f"{count(days, 'day')} after {what}", overdue=today >= until)


def reminder(due: Due) -> str:
    """The sentence that says it."""
    day = due.day.isoformat()
    if due.overdue:
        return f"a review is due since {day}, {due.after}: agent-otel review"
    return f"the next review is due on {day}, {due.after}"
