"""Time axes of reports."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.review.report.days import MOST_STEPS, axis, day_of


@pytest.mark.parametrize(
    ("started", "day"),
    [
        ("2026-05-18T09:12:03.120Z", date(2026, 5, 18)),
        ("2026-05-18", date(2026, 5, 18)),
        ("2026-02-30T00:00:00Z", None),
        ("2026-05-18 or so", None),
        ("٢٠٢٦-05-18T00:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_the_day_is_read_where_there_is_one(started, day) -> None:
    """Whatever a sender writes as the start of a run."""
    assert day_of(started) == (day and day.toordinal())


@pytest.mark.parametrize(
    ("last", "unit", "steps"),
    [
        (date(2026, 5, 18), "day", 1),
        (date(2026, 7, 16), "day", 60),
        (date(2026, 7, 17), "week", 9),
        (date(2027, 7, 4), "week", 59),
        (date(2028, 5, 18), "month", 25),
        (date(2036, 5, 18), "year", 11),
        (date(2426, 5, 18), "10 years", 41),
        (date(9999, 12, 31), "1000 years", 8),
    ],
)
def test_the_unit_is_the_finest_that_can_be_read(last, unit, steps) -> None:
    """From days to thousands of years, should a sender's clock be that wrong."""
    found = axis([date(2026, 5, 18).toordinal(), last.toordinal()])
    assert (found.unit, len(found.starts)) == (unit, steps)


@settings(deadline=None)
@given(st.lists(st.dates(), min_size=1, max_size=5))
def test_every_day_lies_in_a_step(days) -> None:
    """In the last one that does not begin after it."""
    found = axis([day.toordinal() for day in days])
    assert len(found.starts) <= MOST_STEPS
    for day in days:
        step = found.step(day.toordinal())
        assert found.starts[step] <= day
        assert step == len(found.starts) - 1 or day < found.starts[step + 1]


def test_no_days_are_no_steps() -> None:
    """A report of nothing has an empty axis."""
    assert axis([]).starts == ()
