"""Counting in little memory: exact where it is told as exact, and the same whatever came first."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given, settings, strategies as st

from agent_otel.review.report.counting import Durations, Kept, Sum, Top, rounded, share

NAMES = st.lists(st.text(max_size=3) | st.tuples(st.integers(0, 9), st.text(max_size=2)), max_size=60)


def kept(names: list[object], most: int) -> dict[object, int]:
    """How often each name that is kept was there."""
    counted: Kept[object, Counter[str]] = Kept(Counter, most=most)
    for name in names:
        counted.of(name)["times"] += 1
    return {name: count["times"] for name, count in counted.items()}


@settings(deadline=None)
@given(names=NAMES, most=st.integers(1, 8), data=st.data())
def test_names_that_are_kept_are_counted_whole_in_any_order(names, most, data) -> None:
    """Which ones stay depends on all names, never on which came first; and none of them misses a count."""
    found = kept(names, most)
    assert found == kept(data.draw(st.permutations(names)), most)
    assert len(found) == min(most, len(set(names)))
    assert found.items() <= Counter(names).items()


@settings(deadline=None)
@given(keys=st.lists(st.integers(0, 20), max_size=30), most=st.integers(1, 5), data=st.data())
def test_top_keeps_the_greatest(keys, most, data) -> None:
    """They come with the greatest first."""
    top: Top[int] = Top(most)
    for key in data.draw(st.permutations(keys)):
        top.add((key,), key)
    assert top.entries() == sorted(keys, reverse=True)[:most]


@settings(deadline=None)
@given(numbers=st.lists(st.none() | st.floats() | st.integers(-3, 9)), data=st.data())
def test_sums_are_exact_and_leave_out_what_is_no_amount(numbers, data) -> None:
    """Neither the order nor an infinite duration that somebody sends makes a difference."""
    one, other = Sum(), Sum()
    for number in numbers:
        one.add(number)
    for number in data.draw(st.permutations(numbers)):
        other.add(number)
    sane = [number for number in numbers if number is not None and 0 <= number <= 2**63]
    assert (one.nano, one.count) == (other.nano, other.count)
    assert one.count == len(sane)
    assert math.isclose(one.total, math.fsum(sane), rel_tol=1e-9, abs_tol=1e-6)
    assert one.known == (one.total if sane else None)


@settings(deadline=None)
@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=700), cut=st.integers(0, 700))
def test_few_durations_are_told_exactly_and_pieces_come_together(values, cut) -> None:
    """Percentiles are those of the values (nearest rank), to three digits; so they are of two halves merged."""
    whole, half, rest = Durations(), Durations(), Durations()
    for place, value in enumerate(values):
        whole.add(value)
        (half if place < cut else rest).add(value)
    half.merge(rest)
    spread = whole.spread()
    assert spread == half.spread()
    ranked = sorted(values)
    assert spread is not None
    assert (spread.count, spread.max) == (len(values), rounded(ranked[-1]))
    expected = ranked[math.ceil(0.9 * len(values)) - 1]
    assert math.isclose(spread.p90, expected, rel_tol=0.001, abs_tol=1e-9)


def test_many_durations_are_told_within_two_percent() -> None:
    """Past some hundreds they are counted in buckets."""
    durations = Durations()
    for number in range(1, 20_001):
        durations.add(number / 10)
    durations.add(math.nan)
    durations.add(-1.0)
    spread = durations.spread()
    assert spread is not None
    assert spread.count == 20_000
    assert math.isclose(spread.p50, 1000, rel_tol=0.021)
    assert math.isclose(spread.p90, 1800, rel_tol=0.021)
    assert spread.p99 == 1980  # among the largest, which stay exact
    assert spread.max == 2000


def test_nothing_has_no_spread_and_no_share() -> None:
    """None is told, where zero would be a lie."""
    assert Durations().spread() is None
    assert Sum().known is None
    assert share(0, 0) is None
    assert share(1, 3) == 0.3333
