"""Rules about required checks and what verifications are worth."""

from __future__ import annotations

from collections.abc import Iterator

from agent_otel.model.record import Layer, RunRecord, Severity, Verdict
from agent_otel.review.diagnosis.case import Case
from agent_otel.review.diagnosis.skipped import SKIPPED
from agent_otel.review.rules.base import Notice
from agent_otel.review.standing import Standing, standings


def missing_required_check(record: RunRecord) -> Iterator[Notice]:
    """A required check that did not run, or whose run proves nothing."""
    if record.lifecycle == "open":
        return
    for check in _required(record, "not_run"):
        yield Notice(
            f"required check {check.check!r} did not run: {_reason(check)}",
            check.refs,
            severity=_certainty(record, check),
            layer=_why_skipped(record, check),
        )
    for check in _required(record, "unverifiable"):
        yield Notice(
            f"required check {check.check!r} is not proved: {_reason(check)}", check.refs, "warning", "capture"
        )


def failing_required_check(record: RunRecord) -> Iterator[Notice]:
    """A required check that failed when it last ran."""
    for check in _required(record, "failed"):
        yield Notice(f"required check {check.check!r} failed: {_reason(check)}", check.refs)


def stale_verification(record: RunRecord) -> Iterator[Notice]:
    """A check that last ran before the files became what they are."""
    for check in _standing(record, "stale"):
        yield Notice(f"{check.check!r} is stale: {_reason(check)}", check.refs, _weight(check))


def contradicted_verification(record: RunRecord) -> Iterator[Notice]:
    """A declared pass that the record itself speaks against."""
    for check in _standing(record, "contradicted"):
        yield Notice(f"{check.check!r}: {_reason(check)}", check.refs)


def _standing(record: RunRecord, verdict: Verdict) -> Iterator[Standing]:
    return (check for check in standings(record) if check.verdict == verdict)


def _required(record: RunRecord, verdict: Verdict) -> Iterator[Standing]:
    return (check for check in _standing(record, verdict) if check.required)


def _reason(check: Standing) -> str:
    return (check.verification and check.verification.verdict_reason) or "the record has no verification of it"


def _weight(check: Standing) -> Severity:
    return "error" if check.required else "warning"


def _certainty(record: RunRecord, check: Standing) -> Severity:
    """An error, unless nobody said that it was skipped and its run may be among what the capture lost."""
    stated = check.verification is not None and (check.verification.reason or check.verification.span)
    dropped = record.capture.dropped
    lost = dropped.spans or dropped.events or record.capture.truncated or record.capture.limits
    return "warning" if lost and not stated else "error"


def _why_skipped(record: RunRecord, check: Standing) -> Layer:
    """The part that a diagnosis of the check names; where the record does not decide, the layer of the rule."""
    answers = (explain(Case(record, check)) for explain in SKIPPED)
    return next((answer.part for answer in answers if answer is not None), None) or "judging"
