"""Where the marks of charts stand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.review.report.amounts import AMOUNTS
from agent_otel.review.report.charts import HEIGHT, WIDTH, durations, shares, since, stacked
from agent_otel.review.report.shape import Line, OverTime

WHOLE, SECONDS, PERCENT = (AMOUNTS[name] for name in ("whole", "seconds", "percent"))
STARTS = ("2026-05-18", "2026-05-19", "2026-05-20", "2026-05-21", "2026-05-22")


def over(*values: tuple[float | None, ...], unit: str = "day") -> OverTime:
    """Lines named a, b and so on."""
    lines = tuple(Line(name=name, values=line) for name, line in zip("ab", values, strict=False))
    return OverTime(unit=unit, starts=STARTS[: len(values[0])] if values else (), lines=lines)


def test_bars_are_as_high_as_their_values() -> None:
    """Parts stand on one another, and zero has none."""
    chart = stacked(over((3, 0, 1), (1, 2, 0)), WHOLE)
    assert [(bar.name, bar.title) for bar in chart.bars] == [
        ("a", "a, 18 May: 3"),
        ("b", "b, 18 May: 1"),
        ("b", "b, 19 May: 2"),
        ("a", "a, 20 May: 1"),
    ]
    first, second, *_ = chart.bars
    assert math.isclose(first.height, 3 * second.height, abs_tol=0.2)
    assert math.isclose(second.y + second.height, first.y, abs_tol=0.2)
    assert [tick.text for tick in chart.up] == ["0", "2", "4"]


def test_lines_have_gaps_where_nothing_is_known() -> None:
    """A value between two gaps is a point, and so is the last one."""
    (curve,) = shares(over((0.5, 1.0, None, 0.25, None)), PERCENT).curves
    assert len(curve.pieces) == 1
    assert len(curve.points) == 1
    assert curve.label.text == "a 25 %"
    (known,) = shares(over((0.5, 1.0)), PERCENT).curves
    assert known.points == ((known.points[0][0], known.points[0][1]),)
    (nothing,) = shares(over((None, None)), PERCENT).curves
    assert (nothing.pieces, nothing.points, nothing.label.text) == ((), (), "a \N{EN DASH}")


def test_labels_of_lines_do_not_cover_each_other() -> None:
    """Not even where the lines end in one place, at the bottom or at the top."""
    for value in (0.0, 0.5, 1.0):
        labels = [curve.label.at for curve in shares(over((value,), (value,)), PERCENT).curves]
        assert abs(labels[0] - labels[1]) >= 12.9
        assert all(0 < at < HEIGHT for at in labels)


@pytest.mark.parametrize(
    ("largest", "texts"),
    [
        (0, ["0 ms", "1.0 s", "2.0 s"]),
        (5e-324, ["0 ms", "1.0 s", "2.0 s"]),
        (0.3, ["0 ms", "200 ms", "400 ms"]),
        (1, ["0 ms", "1.0 s", "2.0 s"]),
        (45, ["0 ms", "30.0 s", "1 min 00 s"]),
        (700, ["0 ms", "10 min 00 s", "20 min 00 s"]),
        (5000, ["0 ms", "1 h 00 min", "2 h 00 min"]),
    ],
)
def test_durations_have_scales_of_whole_minutes_and_hours(largest, texts) -> None:
    """Nobody thinks in thousands of seconds."""
    assert [tick.text for tick in durations(over((largest, None)), SECONDS).up] == texts


@pytest.mark.parametrize(
    ("steps", "texts"),
    [
        (0, []),
        (1, ["18 May"]),
        (2, ["18 May", "19 May"]),
        (4, ["18 May", "21 May"]),
        (5, ["18 May", "20 May", "22 May"]),
    ],
)
def test_few_dates_stand_below(steps, texts) -> None:
    """The first, the last, and the middle where there is room."""
    chart = stacked(over((1,) * steps), WHOLE)
    assert [tick.text for tick in chart.across] == texts


def test_dates_are_as_precise_as_their_unit() -> None:
    """Days, months, years."""
    assert [since(unit, "2026-05-18") for unit in ("day", "week", "month", "year", "10 years")] == [
        "18 May", "18 May", "May 2026", "2026", "2026",
    ]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(st.none() | st.floats(0, 2**63), st.none() | st.floats(0, 1)), max_size=5))
def test_all_marks_lie_in_the_picture(values) -> None:
    """Whatever the numbers."""
    lines = over(*zip(*values, strict=True))
    for form in (stacked, shares, durations):
        chart = form(lines, WHOLE)
        for bar in chart.bars:
            assert -1 <= bar.y <= bar.y + bar.height <= HEIGHT
            assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        for curve in chart.curves:
            assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in curve.points)
