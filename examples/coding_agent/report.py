"""What a run comes to, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "failed", "denied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """One call of a tool, and what became of it. ``tokens`` is what its observation cost."""

    tool: str
    phase: str
    outcome: Outcome
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRunReport:
    """What became of a run.

    ``halted`` says what stopped it, ``checks`` which required checks passed, ``differences`` what the eval found.
    """

    run_id: str
    steps: tuple[StepReport, ...]
    halted: str
    observation_tokens: int
    observation_budget: int
    checks: dict[str, bool]
    differences: tuple[str, ...]

    @property
    def solved(self) -> bool:
        """Whether it came to its own end, with the checks passed and the tree as expected: one alone is not enough."""
        return not self.halted and all(self.checks.values()) and not self.differences

    @property
    def status(self) -> str:
        """``solved``, ``halted`` or ``unsolved``."""
        return "solved" if self.solved else "halted" if self.halted else "unsolved"
