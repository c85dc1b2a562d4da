"""What is counted day by day, until it is known how long the steps of the time axis are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from agent_otel.review.report.counting import Durations, Kept, share
from agent_otel.review.report.days import Axis
from agent_otel.review.report.shape import OverTime


class Ratio(NamedTuple):
    """A line that tells which part of ``whole`` the names of ``part`` are together."""

    name: str
    part: tuple[str, ...]
    whole: tuple[str, ...]


class Daily:
    """How often names were there, by day; a run whose day is not known is in no series."""

    def __init__(self) -> None:
        self._days: Kept[int, Counter[str]] = Kept(Counter)

    def add(self, day: int | None, name: str, number: int = 1) -> None:
        """Counts a name on a day."""
        if day is not None:
            self._days.of(day)[name] += number

    def over_time(self, axis: Axis, names: Iterable[str], *, divided_by: int = 1) -> OverTime:
        """A line for each of the names; those that were never there have none."""
        steps = self._steps(axis)
        found = {name: {step: count[name] / divided_by for step, count in steps.items()} for name in names}
        return axis.over_time({name: values for name, values in found.items() if any(values.values())})

    def ratios(self, axis: Axis, ratios: Iterable[Ratio]) -> OverTime:
        """A line for each ratio, with gaps where there is nothing to be a part of."""
        steps = self._steps(axis)
        return axis.over_time(
            {
                ratio.name: {
                    step: share(sum(count[name] for name in ratio.part), sum(count[name] for name in ratio.whole))
                    for step, count in steps.items()
                }
                for ratio in ratios
            },
            empty=None,
        )

    def _steps(self, axis: Axis) -> dict[int, Counter[str]]:
        steps: dict[int, Counter[str]] = {}
        for day, count in self._days.items():
            steps.setdefault(axis.step(day), Counter()).update(count)
        return steps


class DailyDurations:
    """How long things took, by day."""

    def __init__(self) -> None:
        self._days: Kept[int, Durations] = Kept(Durations, most=2_000)

    def add(self, day: int | None, seconds: float | None) -> None:
        """Adds a length of time on a day."""
        if day is not None:
            self._days.of(day).add(seconds)

    def over_time(self, axis: Axis) -> OverTime:
        """The median and the 90th percentile of each step."""
        steps: dict[int, Durations] = {}
        for day, durations in self._days.items():
            steps.setdefault(axis.step(day), Durations()).merge(durations)
        spreads = {step: spread for step, durations in steps.items() if (spread := durations.spread())}
        lines = {"median": {step: spread.p50 for step, spread in spreads.items()}}
        lines["p90"] = {step: spread.p90 for step, spread in spreads.items()}
        return axis.over_time(lines, empty=None)
