"""Time axes: the day on which a run started, and steps of whole days, weeks, months or years to count in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

from agent_otel.review.report.shape import Line, OverTime

MOST_STEPS: Final = 60
"""More bars than that are a carpet."""

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?=T|$)", re.ASCII)
_YEAR: Final = 12


def day_of(started: str | None) -> int | None:
    """The day of a time as records have it, as a number; None where it is none."""
    found = _DATE.match(started or "")
    try:
        return date.fromisoformat(found[0]).toordinal() if found else None
    except ValueError:
        return None


class Axis(NamedTuple):
    """Steps from the first day on: ``days`` long, or else ``months`` long."""

    unit: str
    starts: tuple[date, ...]
    days: int = 0
    months: int = 0

    def step(self, day: int) -> int:
        """The number of the step in which the day lies."""
        first = self.starts[0]
        if self.days:
            return (day - first.toordinal()) // self.days
        return (_month(date.fromordinal(day)) - _month(first)) // self.months

    def over_time(self, values: Mapping[str, Mapping[int, float | None]], *, empty: float | None = 0) -> OverTime:
        """Lines of the values that are given by step; ``empty`` where there is none."""
        steps = range(len(self.starts))
        lines = (Line(name=name, values=tuple(of.get(step, empty) for step in steps)) for name, of in values.items())
        return OverTime(unit=self.unit, starts=tuple(start.isoformat() for start in self.starts), lines=tuple(lines))


def axis(days: Collection[int], *, finest: str = "day", most: int = MOST_STEPS) -> Axis:
    """The axis on which the days lie, in the finest unit that gives no more than ``most`` steps.

    Args:
        days: as numbers.
        finest: no step is shorter: a ``day``, or a ``week``.
        most: how many steps there may be.
    """
    if not days:
        return Axis(finest, (), days=1)
    first, last = date.fromordinal(min(days)), date.fromordinal(max(days))
    for unit, length in (("day", 1), ("week", 7))[finest == "week" :]:
        # Weeks begin on Mondays; day 1 of the calendar is one.
        start = first.toordinal() - (first.toordinal() - 1) % length
        steps = range(start, last.toordinal() + 1, length)
        if len(steps) <= most:
            return Axis(unit, tuple(map(date.fromordinal, steps)), days=length)
    months = 1
    while (_month(last) - _month(first)) // months + 2 > most:
        months *= 10 if months >= _YEAR else _YEAR
    start = _month(first) - _month(first) % months
    return Axis(
        _UNITS.get(months, f"{months // _YEAR} years"), tuple(_starts(start, _month(last), months)), months=months
    )


_UNITS: Final = {1: "month", _YEAR: "year"}


def _starts(first: int, last: int, months: int) -> Iterable[date]:
    for month in range(first, last + 1, months):
        yield date(month // _YEAR + 1, month % _YEAR + 1, 1)


def _month(day: date) -> int:
    return (day.year - 1) * _YEAR + day.month - 1
