"""How many bytes of requests may be in work."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent_otel.errors import Overloaded
from agent_otel.service.budget import EACH, Budget

CAPACITY = 10 * EACH


def test_room_is_given_back_at_the_end():
    """Whoever leaves takes nothing along, also after a mistake."""
    budget = Budget(CAPACITY)
    room = budget.reserve(100)
    assert budget.used == 100 + EACH
    with pytest.raises(RuntimeError), room:
        raise RuntimeError
    assert budget.used == 0


def test_who_does_not_fit_is_sent_away_and_costs_nothing():
    """A refusal changes nothing for those who are in."""
    budget = Budget(CAPACITY)
    with budget.reserve(CAPACITY - EACH):
        with pytest.raises(Overloaded, match="in work"):
            budget.reserve(0)
        assert budget.used == CAPACITY
    with budget.reserve(0):
        assert budget.used == EACH


def test_the_most_that_was_in_work_is_known_until_it_is_asked_for():
    """Then it is what is in work now, and grows from there."""
    budget = Budget(CAPACITY)
    with budget.reserve(100), budget.reserve(EACH):
        pass
    with budget.reserve(50):
        assert budget.most() == 100 + 3 * EACH
        assert budget.most() == 50 + EACH
    assert budget.most() == 50 + EACH
    assert budget.most() == 0


def test_the_only_one_is_let_in_however_large():
    """The largest request is always possible when nothing else is in work."""
    budget = Budget(CAPACITY)
    with budget.reserve(100 * CAPACITY):
        with pytest.raises(Overloaded):
            budget.reserve(0)


def test_a_request_that_grows_is_sent_away_where_others_are():
    """The only one may grow as it likes; beside others it may not pass the capacity."""
    budget = Budget(CAPACITY)
    first = budget.reserve(0)
    with first:
        first.reach(2 * CAPACITY)
        assert budget.used == 2 * CAPACITY + EACH
    first = budget.reserve(0)
    with first, budget.reserve(0):
        first.reach(CAPACITY - 2 * EACH)
        with pytest.raises(Overloaded):
            first.reach(CAPACITY)
    assert budget.used == 0


def test_room_does_not_shrink():
    """What is there already is not taken again."""
    budget = Budget(CAPACITY)
    room = budget.reserve(1000)
    with room:
        room.reach(10)
        assert budget.used == 1000 + EACH


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2 * CAPACITY)), max_size=60))
def test_the_books_are_right_whatever_happens(steps):
    """Whoever comes, grows, is refused and leaves: the sum is that of those who are in."""
    budget = Budget(CAPACITY)
    rooms = {}
    for who, size in steps:
        try:
            if who not in rooms:
                rooms[who] = budget.reserve(size)
                rooms[who].__enter__()
            elif size % 3:
                rooms[who].reach(size)
            else:
                rooms.pop(who).__exit__(None, None, None)
        except Overloaded:
            assert rooms
        assert budget.used == sum(room.size for room in rooms.values())
    for room in rooms.values():
        room.__exit__(None, None, None)
    assert budget.used == 0
