"""All figures of a report from judged records, one record at a time: neither order nor number of records matters."""

from __future__ import annotations

from typing import Final

from agent_otel.model.record import RunRecord
from agent_otel.review.report.budgets import BudgetsView
from agent_otel.review.report.case import Case, case_of
from agent_otel.review.report.days import axis
from agent_otel.review.report.evidence import EvidenceView
from agent_otel.review.report.processor import ProcessorView
from agent_otel.review.report.runs import TO_REVIEW, RunsView
from agent_otel.review.report.shape import Headline, Report, Stored
from agent_otel.review.report.tools import ToolsView

MOST_RUNS: Final = 30
"""Of so many runs a report tells more than numbers, where nothing else is asked for."""


class Figures:
    """Takes the records in, and gives the report.

    Args:
        most_runs: of how many runs to tell more than numbers.
    """

    def __init__(self, *, most_runs: int = MOST_RUNS) -> None:
        self._count = 0
        self._to_review = 0
        self._done = 0
        self._required = [0, 0]
        self._days: set[int] = set()
        self._runs = RunsView(most_runs=most_runs)
        self._tools = ToolsView()
        self._evidence = EvidenceView()
        self._budgets = BudgetsView()
        self._processor = ProcessorView()

    def add(self, record: RunRecord) -> None:
        """Counts a judged record, each run once."""
        case = case_of(record)
        self._headline(case)
        for view in (self._runs, self._tools, self._evidence, self._budgets, self._processor):
            view.add(case)

    def report(self, *, stored: Stored | None = None) -> Report:
        """The figures.

        Args:
            stored: what the store says of itself, where the records come from one.
        """
        steps = axis(self._days)
        runs, evidence = self._runs.figures(steps), self._evidence.figures(steps)
        return Report(
            headline=Headline(
                runs=self._count,
                done=self._done,
                to_review=self._to_review,
                required_checks=self._required[0],
                required_proved=self._required[1],
                stale=self._evidence.verdicts["stale"],
                contradicted=self._evidence.verdicts["contradicted"],
                contradicted_claims=self._evidence.claims["contradicted"],
                regressions=evidence.regressions,
            ),
            runs=runs,
            tools=self._tools.figures(steps),
            evidence=evidence,
            budgets=self._budgets.figures(steps),
            processor=self._processor.figures(stored),
        )

    def _headline(self, case: Case) -> None:
        self._count += 1
        self._done += case.record.review_state == "done"
        self._to_review += case.record.review_state in TO_REVIEW
        required = [check for check in case.checks if check.required]
        self._required[0] += len(required)
        self._required[1] += sum(check.verdict == "proved" for check in required)
        if case.day is not None:
            self._days = {min((*self._days, case.day)), max((*self._days, case.day))}
