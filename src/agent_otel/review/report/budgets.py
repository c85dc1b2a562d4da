"""The view of budgets and cost: tokens, calls, money where it was told, and how far limits were used."""

from __future__ import annotations

from collections import Counter
from typing import Final

from agent_otel.model.record import Budget, RunRecord, Usage
from agent_otel.review.report.case import Case
from agent_otel.review.report.counting import Durations, Kept, Sum, sane
from agent_otel.review.report.days import Axis
from agent_otel.review.report.series import Daily
from agent_otel.review.report.shape import BudgetRow, Budgets, SpendRow

_MOST: Final = 15
_MICRO: Final = 10**6
_HOUR_S: Final = 3600
_TOKENS: Final = ("input", "output")


class BudgetsView:
    """Counts for ``shape.Budgets``."""

    def __init__(self) -> None:
        self._all = _Spent()
        self._tokens_known = 0
        self._daily = Daily()
        self._budgets: Kept[str, _Budget] = Kept(_Budget)
        self._spent: dict[str, Kept[str, _Spent]] = {kind: Kept(_Spent) for kind in ("agent", "model", "repository")}

    def add(self, case: Case) -> None:
        """Counts what a run used."""
        record, usage = case.record, case.record.usage
        self._all.add(record)
        self._tokens_known += usage.input_tokens is not None or usage.output_tokens is not None
        for name, tokens in zip(_TOKENS, (usage.input_tokens, usage.output_tokens), strict=True):
            self._daily.add(case.day, name, tokens or 0)
        if sane(usage.cost_usd):
            self._daily.add(case.day, "US dollars", round(usage.cost_usd * _MICRO))
        for kind, name in _names(record).items():
            self._spent[kind].of(name).add(record)
        for budget, spent in record.budgets.items():
            self._budgets.of(budget).add(spent)

    def figures(self, axis: Axis) -> Budgets:
        """What was counted."""
        count = self._all.counts
        return Budgets(
            model_calls=count["model_calls"],
            failed_model_calls=count["failed_model_calls"],
            input_tokens=count["input_tokens"],
            output_tokens=count["output_tokens"],
            cache_read_tokens=count["cache_read_tokens"],
            tokens_known=self._tokens_known,
            cost_usd=self._all.cost.known,
            cost_known=self._all.cost.count,
            tokens_over_time=self._daily.over_time(axis, _TOKENS),
            cost_over_time=self._daily.over_time(axis, ("US dollars",), divided_by=_MICRO),
            budgets=tuple(budget.row(name) for name, budget in self._budgets.items())[:_MOST],
            by_agent=_rows(self._spent["agent"]),
            by_model=_rows(self._spent["model"]),
            by_repository=_rows(self._spent["repository"]),
        )


def _names(record: RunRecord) -> dict[str, str]:
    """What the run counts for. Which of several models used how much is not told: they count together."""
    models = " + ".join(sorted(set(record.agent.models)))
    return {
        "agent": record.agent.name or "not recorded",
        "model": models or "not recorded",
        "repository": record.base.repository or "not recorded",
    }


class _Spent:
    """What some runs used."""

    __slots__ = ("cost", "counts", "wall")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.cost = Sum()
        self.wall = Sum()

    def add(self, record: RunRecord) -> None:
        self.counts["runs"] += 1
        for name in _COUNTED:
            self.counts[name] += getattr(record.usage, name) or 0
        self.cost.add(record.usage.cost_usd)
        self.wall.add(record.duration_s)

    def row(self, name: str) -> SpendRow:
        count = self.counts
        return SpendRow(
            name=name,
            runs=count["runs"],
            model_calls=count["model_calls"],
            input_tokens=count["input_tokens"],
            output_tokens=count["output_tokens"],
            cost_usd=self.cost.known,
            hours=round(self.wall.total / _HOUR_S, 2),
        )


_COUNTED: Final = tuple(field for field in Usage.__struct_fields__ if field.endswith(("_tokens", "_calls")))


class _Budget:
    """One budget over some runs."""

    __slots__ = ("consumed", "exceeded", "limited", "runs", "used")

    def __init__(self) -> None:
        self.runs = 0
        self.limited = 0
        self.exceeded = 0
        self.consumed = Sum()
        self.used = Durations()

    def add(self, budget: Budget) -> None:
        self.runs += 1
        self.exceeded += budget.exceeded
        self.consumed.add(budget.consumed)
        if budget.limit:
            self.limited += 1
            if budget.consumed is not None:
                self.used.add(budget.consumed / budget.limit)

    def row(self, name: str) -> BudgetRow:
        return BudgetRow(
            budget=name,
            runs=self.runs,
            limited=self.limited,
            exceeded=self.exceeded,
            consumed=self.consumed.known,
            used_share=self.used.spread(),
        )


def _rows(kept: Kept[str, _Spent]) -> tuple[SpendRow, ...]:
    rows = (spent.row(name) for name, spent in kept.items())
    return tuple(sorted(rows, key=lambda row: (-row.input_tokens - row.output_tokens, -row.runs, row.name))[:_MOST])
