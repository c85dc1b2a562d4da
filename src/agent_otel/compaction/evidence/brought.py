"""All that others say of runs, read together. It makes no run, and nothing of how a run went depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent_otel.compaction.evidence.added import Late, evidence_in, with_evidence
from agent_otel.compaction.evidence.near_misses import near_misses_in, with_near_misses
from agent_otel.compaction.evidence.redos import redos_in, with_redos
from agent_otel.model.item import Log
from agent_otel.model.record import NearMiss, RunRecord


class Brought(NamedTuple):
    """What others say, by the id of the run that it is about."""

    evidence: Mapping[str, tuple[Late, ...]]
    near_misses: Mapping[str, tuple[NearMiss, ...]]
    redos: Mapping[str, tuple[str, ...]]

    def to(self, record: RunRecord) -> RunRecord:
        """The record with what was said of its run."""
        record = with_evidence(record, self.evidence.get(record.run_id, ()))
        record = with_near_misses(record, self.near_misses.get(record.run_id, ()))
        return with_redos(record, self.redos.get(record.run_id, ()))


def brought(logs: Sequence[Log]) -> Brought:
    """What these events say; their order does not matter.

    Args:
        logs: events of ``names.SAID_BY_OTHERS``; others are passed over.
    """
    return Brought(evidence_in(logs), near_misses_in(logs), redos_in(logs))
