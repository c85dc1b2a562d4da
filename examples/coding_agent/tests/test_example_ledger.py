"""The observation budget is never exceeded, and never used up in silence."""

from __future__ import annotations

import pytest
from coding_agent.ledger import CHARACTERS_PER_TOKEN, CUT, ObservationLedger, tokens
from hypothesis import given, strategies

import agent_otel

LIMIT = 100


def test_a_text_that_fits_comes_whole() -> None:
    """It costs its tokens, rounded up, and the run is told."""
    told: list[int] = []
    ledger = ObservationLedger(LIMIT, told.append)
    assert ledger.admit("12345") == "12345"
    assert (ledger.spent, ledger.left, told) == (2, LIMIT - 2, [2])


def test_a_text_that_does_not_fit_is_cut() -> None:
    """Its beginning comes, with a mark; together they cost what was left, and no more."""
    ledger = ObservationLedger(LIMIT)
    shown = ledger.admit("x" * (LIMIT * CHARACTERS_PER_TOKEN + 1))
    assert shown == "x" * (LIMIT * CHARACTERS_PER_TOKEN - len(CUT)) + CUT
    assert ledger.left == 0


def test_what_cannot_be_paid_for_is_refused_and_told() -> None:
    """With nothing left there is no observation; the run's own budget hears what was asked for."""
    told: list[int] = []
    ledger = ObservationLedger(1, told.append)
    with pytest.raises(agent_otel.BudgetExceeded) as refused:
        ledger.admit("x" * 40)
    assert (refused.value.limit, refused.value.consumed) == (1, 10)
    assert (ledger.spent, told) == (0, [10])


@given(strategies.integers(0, 60), strategies.lists(strategies.text(max_size=120), max_size=12))
def test_no_sequence_of_texts_exceeds_the_budget(limit: int, texts: list[str]) -> None:
    """Whatever comes, in whatever order: what was shown costs what was spent, and that is within the limit."""
    told: list[int] = []
    ledger = ObservationLedger(limit, told.append)
    shown: list[str] = []
    for text in texts:
        before = ledger.spent
        try:
            shown.append(ledger.admit(text))
        except agent_otel.BudgetExceeded:
            assert ledger.spent == before
            assert sum(told) > limit  # so the run's budget is seen to be crossed
            break
    assert sum(map(tokens, shown)) == ledger.spent <= limit
