"""Patterns in runs, as data: what shows in them, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from agent_otel.review.patterns.find import sightings
from agent_otel.review.patterns.observed import observed
from agent_otel.review.patterns.shape import Sighting
from pattern_runs import cases, records_of

CASES = cases()


def _told(sighting: Sighting) -> list[str]:
    return [sighting.pattern, ", ".join(sighting.runs), sighting.said, ", ".join(sighting.refs)]


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_pattern_shows_where_it_is_and_nowhere_else(case: dict[str, Any]) -> None:
    """Every sighting, in words, with its runs and entries; the order of the runs does not matter."""
    seen = [observed(record) for record in records_of(case["runs"])]
    assert [_told(each) for each in sightings(seen)] == case["expected"]
    assert sightings(seen) == sightings(reversed(seen))
