"""The view of runs: where they stand, which required checks are open, what was found, what to review first."""

from __future__ import annotations

from collections import Counter
from typing import Final, get_args

from agent_otel.model.record import Finding, Layer, Lifecycle, Outcome, ReviewState, RunRecord, Verdict
from agent_otel.review.audit import SEVERITIES
from agent_otel.review.next_step import next_step
from agent_otel.review.report.case import Case
from agent_otel.review.report.counting import Durations, Kept, Top
from agent_otel.review.report.days import Axis
from agent_otel.review.report.reasons import LONGEST, reasons
from agent_otel.review.report.series import Daily, DailyDurations
from agent_otel.review.report.shape import CheckRow, Count, RuleRow, RunRow, Runs
from agent_otel.review.rules.table import RULES
from agent_otel.review.standing import standings
from agent_otel.review.wording import shortened

STATES: Final[tuple[ReviewState, ...]] = ("done", "in progress", "incomplete", "missing required evidence", "failing")
"""In the order of charts, from good to bad."""
TO_REVIEW: Final = frozenset({"failing", "missing required evidence", "incomplete"})
VERDICTS: Final[tuple[Verdict, ...]] = (
    "proved", "claimed", "unverifiable", "stale", "not_run", "contradicted", "failed",
)  # fmt: skip
"""In the order of charts, from good to bad."""

_MOST_CHECKS: Final = 10
_SUMMARIES: Final = {rule.id: rule.summary for rule in RULES}
_UNJUDGED: Final = "not judged"


class RunsView:
    """Counts for ``shape.Runs``.

    Args:
        most_runs: of how many runs to tell, those that need a reviewer first, then the latest.
    """

    def __init__(self, *, most_runs: int) -> None:
        self._states: Counter[str] = Counter()
        self._lifecycles: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._daily = Daily()
        self._durations = Durations()
        self._daily_durations = DailyDurations()
        self._required: Counter[str] = Counter()
        self._checks: Kept[str, Counter[str]] = Kept(Counter)
        self._rules: Kept[str, _Rule] = Kept(_Rule)
        self._layers: Counter[str] = Counter()
        self._started: tuple[str, str] | None = None
        self._top: Top[RunRecord] = Top(most_runs)

    def add(self, case: Case) -> None:
        """Counts a run."""
        record = case.record
        state = record.review_state or _UNJUDGED
        self._states[state] += 1
        self._lifecycles[record.lifecycle] += 1
        self._outcomes[record.outcome] += 1
        self._daily.add(case.day, state)
        self._durations.add(record.duration_s)
        self._daily_durations.add(case.day, record.duration_s)
        for check in case.checks:
            if check.required:
                self._required[check.verdict] += 1
                self._checks.of(check.check)[check.verdict] += 1
        for finding in record.findings:
            self._rules.of(finding.rule).add(finding)
            self._layers[finding.layer or "no layer"] += 1
        for rule in {finding.rule for finding in record.findings}:
            self._rules.of(rule).runs += 1
        if case.day is not None and record.started:
            first, last = self._started or (record.started, record.started)
            self._started = min(first, record.started), max(last, record.started)
        self._top.add((state in TO_REVIEW, *case.key), record)

    def figures(self, axis: Axis) -> Runs:
        """What was counted."""
        return Runs(
            first_started=self._started and self._started[0],
            last_started=self._started and self._started[1],
            states=counts(self._states, (*STATES, _UNJUDGED)),
            lifecycles=counts(self._lifecycles, get_args(Lifecycle)),
            outcomes=counts(self._outcomes, get_args(Outcome)),
            duration=self._durations.spread(),
            states_over_time=self._daily.over_time(axis, (*STATES, _UNJUDGED)),
            duration_over_time=self._daily_durations.over_time(axis),
            required_checks=counts(self._required, VERDICTS),
            worst_checks=tuple(self._worst_checks()),
            findings_by_rule=tuple(self._found()),
            findings_by_layer=counts(self._layers, sorted(self._layers, key=lambda name: (-self._layers[name], name))),
            first_to_review=tuple(map(_row, self._top.entries())),
        )

    def _worst_checks(self) -> list[CheckRow]:
        rows = [
            CheckRow(
                check=name,
                runs=verdicts.total(),
                unproved_otherwise=verdicts["claimed"] + verdicts["unverifiable"],
                **{verdict: verdicts[verdict] for verdict in ("proved", "failed", "not_run", "stale", "contradicted")},
            )
            for name, verdicts in self._checks.items()
        ]
        return sorted(rows, key=lambda row: (row.proved - row.runs, row.check))[:_MOST_CHECKS]

    def _found(self) -> list[RuleRow]:
        rows = [rule.row(name) for name, rule in self._rules.items()]
        return sorted(rows, key=lambda row: (SEVERITIES.index(row.severity), -row.findings, row.rule))


class _Rule:
    """The findings of one rule."""

    __slots__ = ("layers", "runs", "severities")

    def __init__(self) -> None:
        self.runs = 0
        self.severities: Counter[str] = Counter()
        self.layers: Counter[Layer] = Counter()

    def add(self, finding: Finding) -> None:
        self.severities[finding.severity] += 1
        if finding.layer:
            self.layers[finding.layer] += 1

    def row(self, name: str) -> RuleRow:
        ranked = sorted(self.layers, key=lambda layer: (-self.layers[layer], layer))
        return RuleRow(
            rule=name,
            summary=_SUMMARIES.get(name, ""),
            severity=next(severity for severity in SEVERITIES if self.severities[severity]),
            layer=ranked[0] if ranked else None,
            findings=self.severities.total(),
            runs=self.runs,
        )


def counts(counted: Counter[str], names: tuple[str, ...] | list[str]) -> tuple[Count, ...]:
    """What was there of the names, in their order."""
    return tuple(Count(name=name, count=counted[name]) for name in names if counted[name])


def _row(record: RunRecord) -> RunRow:
    required = [check for check in standings(record) if check.required]
    severities = Counter(finding.severity for finding in record.findings)
    return RunRow(
        run_id=record.run_id,
        started=record.started,
        agent=record.agent.name,
        repository=record.base.repository,
        objective=record.task.objective and shortened(record.task.objective, LONGEST),
        state=record.review_state,
        required_checks=len(required),
        required_proved=sum(check.verdict == "proved" for check in required),
        errors=severities["error"],
        warnings=severities["warning"],
        duration_s=record.duration_s,
        next_step=shortened(next_step(record), LONGEST),
        why=reasons(record),
    )
