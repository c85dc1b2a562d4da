"""What looking for patterns needs of a record: little enough to hold ten thousand of them."""

from __future__ import annotations

from typing import Final

import msgspec

from agent_otel.model.record import RunRecord
from agent_otel.review.patterns.ground import Ground, ground_of
from agent_otel.review.patterns.names import path_of
from agent_otel.review.patterns.request import Request, request_of
from agent_otel.review.patterns.requests import Requests, requests_of

MOST_SOURCES: Final = 20


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What was observed of a run.

    ``root`` is the run that it is part of, or it is that itself. ``sources`` are files that it was told to work from.
    """

    run_id: str
    root: str
    started: str
    repository: str
    request: Request
    requests: Requests
    ground: Ground
    sources: tuple[str, ...] = ()


def observed(record: RunRecord) -> Observed:
    """The digest of a record."""
    told = (source.name for source in record.context_sources if source.digest is None)
    return Observed(
        run_id=record.run_id,
        root=record.parent_run or record.run_id,
        started=record.started or "",
        repository=record.base.repository or "",
        request=request_of(record),
        requests=requests_of(record),
        ground=ground_of(record),
        sources=tuple(path for path in map(path_of, told) if path)[:MOST_SOURCES],
    )
