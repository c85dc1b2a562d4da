"""Completes a record with what is computed and never read from telemetry: verdicts, review state, findings."""

from __future__ import annotations

from msgspec.structs import replace

from agent_otel.model.record import Final, RunRecord, Verification
from agent_otel.review.claims import held
from agent_otel.review.fingerprints.identity import fingerprinted
from agent_otel.review.ground import Ground, ground
from agent_otel.review.later import worth
from agent_otel.review.rules.base import findings
from agent_otel.review.rules.table import RULES
from agent_otel.review.state import final_status, review_state
from agent_otel.review.verdicts import judgement


def judge(record: RunRecord) -> RunRecord:
    """The record with verdicts, review state, final status, findings and fingerprints; twice equals once."""
    judged = _with_verdicts(record)
    judged = replace(judged, claims=tuple(held(claim, judged) for claim in judged.claims))
    judged = replace(judged, review_state=review_state(judged), final_status=final_status(judged))
    return fingerprinted(replace(judged, findings=tuple(findings(RULES, judged))))


def _with_verdicts(record: RunRecord) -> RunRecord:
    base = ground(record)
    return replace(record, verifications=tuple(_judged(each, base, record.final) for each in record.verifications))


def _judged(verification: Verification, base: Ground, final: Final) -> Verification:
    if verification.added is not None:
        level, verdict, reason = worth(verification, verification.added, final)
        return replace(verification, level=level, verdict=verdict, verdict_reason=reason)
    verdict, reason = judgement(verification, base)
    return replace(verification, verdict=verdict, verdict_reason=reason)
