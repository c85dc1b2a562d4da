"""The view of evidence: what checks are worth, how much work is verified, and what broke or failed again and again."""

from __future__ import annotations

from collections import Counter
from typing import Final

from agent_otel.model.record import Failure
from agent_otel.review.next_step import REGRESSION
from agent_otel.review.report.case import Case
from agent_otel.review.report.counting import Kept, Top, share
from agent_otel.review.report.days import Axis
from agent_otel.review.report.reasons import LONGEST
from agent_otel.review.report.runs import VERDICTS, counts
from agent_otel.review.report.series import Daily, Ratio
from agent_otel.review.report.shape import CoverageRow, Evidence, FailureRow, RegressionRow
from agent_otel.review.wording import shortened

UNNAMED: Final = "without a fingerprint"
"""Stands for failures of records that were folded before there were fingerprints."""

_FEW: Final = 10
_MOST: Final = 15
_RATIOS: Final = (Ratio("proved", ("proved",), VERDICTS), Ratio("stale", ("stale",), VERDICTS))


class EvidenceView:
    """Counts for ``shape.Evidence``."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.claims: Counter[str] = Counter()
        self.regressions = 0
        self._daily = Daily()
        self._coverage: dict[str, Kept[str, Counter[str]]] = {"repository": Kept(Counter), "agent": Kept(Counter)}
        self._regressions: Top[RegressionRow] = Top(_FEW)
        self._failures: Kept[str, _Failure] = Kept(_Failure)

    def add(self, case: Case) -> None:
        """Counts a run."""
        record = case.record
        for check in case.checks:
            self.verdicts[check.verdict] += 1
            self._daily.add(case.day, check.verdict)
        for claim in record.claims:
            self.claims.update(statement.verdict for statement in claim.statements)
        names = {"repository": record.base.repository or "not recorded", "agent": record.agent.name or "not recorded"}
        for kind, name in names.items():
            self._coverage[kind].of(name).update(_covered(case))
        for place, finding in enumerate(record.findings):
            if finding.rule == REGRESSION:
                self.regressions += 1
                self._daily.add(case.day, REGRESSION)
                row = RegressionRow(
                    run_id=record.run_id, started=record.started, message=shortened(finding.message, LONGEST)
                )
                self._regressions.add((*case.key, place), row)

        for failure in record.failures:
            self._failures.of(failure.fingerprint or UNNAMED).add(failure)
        for fingerprint in {failure.fingerprint or UNNAMED for failure in record.failures}:
            self._failures.of(fingerprint).runs += 1

    def figures(self, axis: Axis) -> Evidence:
        """What was counted."""
        return Evidence(
            verdicts=counts(self.verdicts, VERDICTS),
            verdicts_over_time=self._daily.over_time(axis, VERDICTS),
            shares_over_time=self._daily.ratios(axis, _RATIOS),
            by_repository=_rows(self._coverage["repository"]),
            by_agent=_rows(self._coverage["agent"]),
            claims=counts(self.claims, VERDICTS),
            regressions=self.regressions,
            regressions_over_time=self._daily.over_time(axis, (REGRESSION,)),
            latest_regressions=tuple(self._regressions.entries()),
            most_frequent_failures=tuple(self._most_frequent()),
        )

    def _most_frequent(self) -> list[FailureRow]:
        rows = [failure.row(fingerprint) for fingerprint, failure in self._failures.items()]
        return sorted(rows, key=lambda row: (-row.failures, -row.runs, row.fingerprint))[:_FEW]


class _Failure:
    """The failures with one fingerprint."""

    __slots__ = ("example", "failures", "runs", "unresolved")

    def __init__(self) -> None:
        self.failures = 0
        self.runs = 0
        self.unresolved = 0
        self.example: str | None = None

    def add(self, failure: Failure) -> None:
        self.failures += 1
        self.unresolved += failure.resolved_by is None
        said = failure.error or failure.error_type or "error not recorded"
        self.example = said if self.example is None else min(said, self.example)

    def row(self, fingerprint: str) -> FailureRow:
        return FailureRow(
            fingerprint=fingerprint,
            failures=self.failures,
            runs=self.runs,
            unresolved=self.unresolved,
            example=shortened(self.example or "", LONGEST),
        )


def _covered(case: Case) -> dict[str, int]:
    required = [check for check in case.checks if check.required]
    changed = bool(case.record.changed_files)
    return {
        "runs": 1,
        "changed": int(changed),
        "verified": int(changed and any(check.verdict == "proved" for check in case.checks)),
        "required": len(required),
        "required_proved": sum(check.verdict == "proved" for check in required),
    }


def _rows(kept: Kept[str, Counter[str]]) -> tuple[CoverageRow, ...]:
    rows = (
        CoverageRow(name=name, coverage=share(count["verified"], count["changed"]), **count)
        for name, count in kept.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.changed, -row.runs, row.name))[:_MOST])
