"""When the next quarterly review is due, by what was held, written and run so far."""

from __future__ import annotations

from datetime import date, timezone
from pathlib import Path

from agent_otel.cli.pages import all_pages, held_reviews
from agent_otel.cli.records import Records
from agent_otel.review.incidents.waste import moment
from agent_otel.review.quarter.held import Due, due
from agent_otel.store.base import RecordQuery

_EVER = "0001-01-01T00:00:00.000Z"


def next_review(records: Records, folder: Path, *, today: date, days: int) -> Due | None:
    """When it is due; None where there is nothing to review yet.

    Args:
        records: the runs.
        folder: the pages of post-mortems, and the reviews that are kept beside them.
        today: what is overdue depends on it.
        days: how long after the last one it is.
    """
    written, _ = all_pages(folder)
    pages = [each.page.written for each in written]
    return due(held_reviews(folder), pages, _first_run(records), today=today, days=days)


def _first_run(records: Records) -> date | None:
    """The day of the earliest run that says when it was."""
    earliest = RecordQuery(since=_EVER, earliest_first=True, limit=1)
    started = next((moment(record.started) for record in records.records(earliest)), None)
    return None if started is None else started.astimezone(timezone.utc).date()
