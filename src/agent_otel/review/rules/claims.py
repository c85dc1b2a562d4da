"""Rules about words that no run stands behind, or that a run stands against."""

from __future__ import annotations

from collections.abc import Iterator

from agent_otel.model.record import RunRecord, Statement
from agent_otel.review.claims import statements
from agent_otel.review.rules.base import Notice
from agent_otel.review.standing import standings


def claim_without_command(record: RunRecord) -> Iterator[Notice]:
    """A pass that is only said: a verification without evidence, or "tests pass" in the run's own words."""
    for check in standings(record):
        if check.verification is not None and check.verdict == "claimed":
            yield Notice(
                f"{check.check!r} passes by the agent's word alone: {check.verification.verdict_reason}",
                check.refs,
                "error" if check.required else None,
            )
    for ref, stated in _stated(record):
        if stated.verdict == "claimed":
            yield Notice(f'"{stated.text}": {stated.verdict_reason}', (ref, *stated.refs))
        elif stated.verdict == "unverifiable":
            why = f'"{stated.text}" cannot be checked: {stated.verdict_reason}'
            yield Notice(why, (ref, *stated.refs), "info", "capture")


def contradicted_claim(record: RunRecord) -> Iterator[Notice]:
    """The run's own words, and what was seen of the checks they speak of."""
    for ref, stated in _stated(record):
        if stated.verdict == "contradicted":
            yield Notice(f'"{stated.text}", but {stated.verdict_reason}', (ref, *stated.refs))


def _stated(record: RunRecord) -> Iterator[tuple[str, Statement]]:
    """What the run states of checks in prose, with its place in the record."""
    for place, claim in enumerate(record.claims):
        yield from ((f"claims[{place}]", stated) for stated in claim.statements)
    if record.handoff is not None:
        yield from (("handoff", stated) for stated in statements(record.handoff.status or "", record))
