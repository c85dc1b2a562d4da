"""The view of the processor: what arrived, how often records were written anew, what telemetry could not show."""

from __future__ import annotations

from collections import Counter
from typing import Final

from agent_otel.review.report.case import Case
from agent_otel.review.report.counting import Kept
from agent_otel.review.report.shape import Count, Processor, Stored

_MOST: Final = 20
_REVISIONS: Final = ((1, "1"), (2, "2"), (5, "3 to 5"), (20, "6 to 20"))
_MANY: Final = "more than 20"
_SUMMED: Final = ("spans", "events", "logs", "duplicates", "late", "orphans", "unrecognised", "repaired", "redactions")


class ProcessorView:
    """Counts for ``shape.Processor``."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._dropped = 0
        self._incomplete = 0
        self._truncated = 0
        self._revisions: Counter[str] = Counter()
        self._dialects: Kept[str, Counter[str]] = Kept(Counter)
        self._limits: Kept[str, Counter[str]] = Kept(Counter)

    def add(self, case: Case) -> None:
        """Counts the telemetry behind a run."""
        capture, revision = case.record.capture, case.record.revision
        for name in _SUMMED:
            self._counts[name] += getattr(capture, name)
        self._dropped += capture.dropped.spans + capture.dropped.events + capture.dropped.attributes
        self._incomplete += not capture.complete
        self._truncated += capture.truncated
        self._revisions[next((name for most, name in _REVISIONS if revision <= most), _MANY)] += 1
        self._dialects.of(case.record.agent.dialect or "not recorded")["runs"] += 1
        for limit in set(capture.limits):
            self._limits.of(limit)["runs"] += 1

    def figures(self, stored: Stored | None) -> Processor:
        """What was counted, beside what the store says of itself."""
        names = (*(name for _, name in _REVISIONS), _MANY)
        return Processor(
            stored=stored,
            dropped_by_senders=self._dropped,
            incomplete_runs=self._incomplete,
            truncated_runs=self._truncated,
            revisions=tuple(Count(name=name, count=self._revisions[name]) for name in names if self._revisions[name]),
            dialects=_most(self._dialects),
            limits=_most(self._limits),
            **{name: self._counts[name] for name in _SUMMED},
        )


def _most(kept: Kept[str, Counter[str]]) -> tuple[Count, ...]:
    found = [Count(name=name, count=count["runs"]) for name, count in kept.items()]
    return tuple(sorted(found, key=lambda count: (-count.count, count.name))[:_MOST])
