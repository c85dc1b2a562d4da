"""How figures are written."""

from __future__ import annotations

import pytest

from agent_otel.review.report.amounts import AMOUNTS

CASES = [
    ("whole", 0, "0"),
    ("whole", 1204, "1\u202f204"),
    ("whole", 88_213, "88.2 k"),
    ("whole", 1_500_000, "1.5 M"),
    ("whole", 2.5e9, "2.5 G"),
    ("whole", 3e12, "3 T"),
    ("percent", 0, "0 %"),
    ("percent", 1, "100 %"),
    ("percent", 0.79, "79 %"),
    ("percent", 0.034, "3.4 %"),
    ("seconds", 8.1, "8.1 s"),
    ("about", 0, "0"),
    ("about", 0.25, "250 ms"),
    ("about", 384, "6.4 min"),
    ("about", 9000, "2.5 h"),
    ("dollars", 0, "$ 0.00"),
    ("dollars", 0.0421, "$ 0.042"),
    ("dollars", 12.5, "$ 12.50"),
    ("hours", 2.5, "2 h 30 min"),
]


@pytest.mark.parametrize(("name", "number", "text"), CASES, ids=range(len(CASES)))
def test_figures_have_few_digits_and_a_unit(name, number, text) -> None:
    """As many as are read."""
    assert AMOUNTS[name](number) == text


@pytest.mark.parametrize("name", AMOUNTS)
def test_what_is_not_known_is_no_zero(name) -> None:
    """A dash stands for it."""
    assert AMOUNTS[name](None) == "\N{EN DASH}"
