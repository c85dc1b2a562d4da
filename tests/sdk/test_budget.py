"""Counting against limits."""

from __future__ import annotations

import itertools

from hypothesis import given, strategies as st

from agent_otel.model.contract import Budgets
from agent_otel.sdk.budget import BudgetLedger, Crossing


def test_a_limit_itself_is_allowed() -> None:
    """Forty steps of forty are fine, the next one crosses."""
    ledger = BudgetLedger(Budgets(steps=2))
    assert ledger.spend("steps", 2) == []
    assert ledger.spend("steps", 1) == [Crossing(budget="steps", limit=2, consumed=3)]
    assert ledger.spend("steps", 1) == [], "told once"


def test_wall_time_runs_by_itself() -> None:
    """Looking is enough to notice that time is over."""
    clock = itertools.count().__next__
    ledger = BudgetLedger(Budgets(wall_time=2.5), clock)
    assert ledger.look() == []
    assert ledger.look() == []
    assert ledger.look() == [Crossing(budget="wall_time", limit=2.5, consumed=3)]
    assert ledger.consumed()["wall_time"] == 4
    assert ledger.limits == {"wall_time": 2.5}


@given(st.lists(st.integers(0, 5)), st.integers(0, 20))
def test_a_budget_is_crossed_once_and_exactly(amounts: list[int], limit: int) -> None:
    """However it is spent, the crossing is told once, when the sum first exceeds the limit."""
    ledger = BudgetLedger(Budgets(tokens=limit))
    crossings = [crossing for amount in amounts for crossing in ledger.spend("tokens", amount)]
    sums = list(itertools.accumulate(amounts))
    over = [total for total in sums if total > limit]
    assert [crossing.consumed for crossing in crossings] == over[:1]
    assert ledger.consumed()["tokens"] == sum(amounts)
