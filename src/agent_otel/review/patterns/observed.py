"""What looking for patterns needs of a record: little enough to hold ten thousand of them."""

from __future__ import annotations

import msgspec

from agent_otel.model.record import RunRecord
from agent_otel.review.patterns.ground import Ground, ground_of
from agent_otel.review.patterns.requests import Requests, requests_of


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What was observed of a run; ``root`` is the run that it is part of, or it is that itself."""

    run_id: str
    root: str
    started: str
    repository: str
    requests: Requests
    ground: Ground


def observed(record: RunRecord) -> Observed:
    """The digest of a record."""
    return Observed(
        run_id=record.run_id,
        root=record.parent_run or record.run_id,
        started=record.started or "",
        repository=record.base.repository or "",
        requests=requests_of(record),
        ground=ground_of(record),
    )
