"""What only a reviewer caught: each marked run is an incident."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent_otel.model.record import NearMiss, RunRecord
from agent_otel.review.incidents.shape import Incident, stamp
from agent_otel.review.incidents.waste import moment
from agent_otel.review.wording import shortened
from agent_otel.text.terminal import printable

_LONG: Final = 160
_SHORT: Final = 60


def near_missed(record: RunRecord) -> Iterator[Incident]:
    """The incident of a run that was marked, whatever became of it, and even while it goes on."""
    for first in record.near_misses[:1]:
        started = moment(record.started) or moment(first.at)
        if started is not None:
            yield Incident(
                trigger="near-miss",
                why=_why(first, len(record.near_misses) - 1),
                runs=(record.run_id,),
                started=stamp(started),
                ended=stamp(max(moment(record.ended) or started, started)),
            )


def _why(first: NearMiss, more: int) -> str:
    who, what = (shortened(printable(text), most) for text, most in ((first.caught_by, _SHORT), (first.what, _LONG)))
    return f"only {who} caught it: {what}" + (f"; and {more} more" if more else "")
