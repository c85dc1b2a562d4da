"""How much may be seen: every text that reaches the policy is paid for in tokens, and cut where they run out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import agent_otel

CHARACTERS_PER_TOKEN: Final = 4
"""A common estimate for English and code; a model's own tokenizer would stand here."""

BUDGET: Final = "tokens"
"""The budget of the run's contract that it shares."""

CUT: Final = "\n[cut: the observation budget is used up]"


def tokens(text: str) -> int:
    """How many tokens a text costs, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


class ObservationLedger:
    """Spends a budget of tokens on observations, and never more.

    Args:
        limit: the budget.
        charge: told of what is spent, and of what was asked for when nothing is left: the run's own budget, so that
            trace and record know what the ledger knows.
    """

    def __init__(self, limit: int, charge: Callable[[int], object] = lambda _: None) -> None:
        self.limit = limit
        self.spent = 0
        self._charge = charge

    @property
    def left(self) -> int:
        """What can still be spent."""
        return self.limit - self.spent

    def admit(self, text: str) -> str:
        """Pays for a text; where too little is left, for its beginning and a mark that says so.

        Raises:
            BudgetExceeded: not even the mark can be paid for.
        """
        shown = text if tokens(text) <= self.left else self._cut(text)
        self.spent += tokens(shown)
        self._charge(tokens(shown))
        return shown

    def _cut(self, text: str) -> str:
        room = self.left * CHARACTERS_PER_TOKEN - len(CUT)
        if room <= 0:
            wanted = tokens(text)
            self._charge(wanted)
            raise agent_otel.BudgetExceeded(BUDGET, limit=self.limit, consumed=self.spent + wanted)
        return text[:room] + CUT
