"""Rules about failures and decisions."""

from __future__ import annotations

from collections.abc import Iterator

from agent_otel.model import names
from agent_otel.model.record import Failure, RunRecord, Severity
from agent_otel.review.rules.base import Notice


def failure_not_resolved(record: RunRecord) -> Iterator[Notice]:
    """A failure that nothing in the run overcame."""
    if record.lifecycle == "open":
        return
    handed_on = record.handoff is not None and (record.handoff.blockers or record.handoff.risks)
    # The same failure again and again is one thing to look at.
    alike: dict[tuple[str, bool], list[str]] = {}
    for failure in record.failures:
        if failure.resolved_by is None and failure.error_type != names.ERROR_DENIED:
            minor = bool(handed_on) or (failure.command is None and failure.source == "observed")
            alike.setdefault((_unresolved(failure), minor), []).append(failure.id)
    for (message, minor), refs in alike.items():
        times = f" ({len(refs)} times)" if len(refs) > 1 else ""
        yield Notice(message + times, tuple(refs), "info" if minor else None)


def decision_without_alternatives(record: RunRecord) -> Iterator[Notice]:
    """A decision that does not say what it was against, or why not."""
    for place, decision in enumerate(record.decisions):
        ref = (f"decisions[{place}]",)
        # Read off a text, its alternatives may stand in the sentence after.
        severity: Severity | None = "info" if decision.source == "inferred" else None
        if not decision.alternatives:
            yield Notice(f"decision {decision.option!r} names no rejected alternative", ref, severity)
        for other in decision.alternatives:
            if not other.reason:
                yield Notice(f"decision {decision.option!r} rejects {other.option!r} without a reason", ref, severity)


def _unresolved(failure: Failure) -> str:
    what = failure.command or failure.tool or "something"
    error = failure.error or failure.error_type
    return f"{what} failed and nothing later resolved it" + (f": {error}" if error else "")
