"""What reviewers marked as caught by them alone: each once, as of when it was said first."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, get_args

from msgspec.structs import replace

from agent_otel.compaction.order import canonical
from agent_otel.compaction.reading.values import text, texts
from agent_otel.compaction.times import rfc3339
from agent_otel.model import names
from agent_otel.model.item import Log
from agent_otel.model.record import Layer, NearMiss, RunRecord

_LAYERS: Final[Mapping[str, Layer]] = {layer: layer for layer in get_args(Layer)}


def near_misses_in(logs: Iterable[Log]) -> Mapping[str, tuple[NearMiss, ...]]:
    """The near-misses of each run, by run id; what does not say who caught what is none.

    Args:
        logs: events that others add to runs, in any order.
    """
    by_run: dict[str, list[NearMiss]] = defaultdict(list)
    for log in logs:
        run_id = text(log.attributes.get(names.RUN_ID))
        if log.event_name == names.NEAR_MISS and run_id and (entry := _entry(log)) is not None:
            by_run[run_id].append(entry)
    return {run_id: _once(found) for run_id, found in by_run.items()}


def with_near_misses(record: RunRecord, found: Sequence[NearMiss]) -> RunRecord:
    """The record with these beside those that it has, the earliest first."""
    return replace(record, near_misses=_once([*record.near_misses, *found])) if found else record


def identity(caught_by: str, what: str, files: Sequence[str], layer: str) -> str:
    """The id of a near-miss: that of the same marked again, whenever."""
    return hashlib.sha256(canonical([caught_by, what, list(files), layer])).hexdigest()[:32]


def _entry(log: Log) -> NearMiss | None:
    get = log.attributes.get
    caught_by, what = text(get(names.NEAR_MISS_CAUGHT_BY)), text(get(names.NEAR_MISS_WHAT))
    if not (caught_by and what):
        return None
    files, layer = texts(get(names.NEAR_MISS_FILES)), _LAYERS.get(text(get(names.NEAR_MISS_LAYER)))
    return NearMiss(
        id=identity(caught_by, what, files, layer or ""),
        caught_by=caught_by,
        what=what,
        at=rfc3339(log.time_ns),
        files=files,
        layer=layer,
        span=log.ref or None,
    )


def _once(found: Iterable[NearMiss]) -> tuple[NearMiss, ...]:
    """Each as it was said first."""
    last_first = sorted(found, key=_order, reverse=True)
    return tuple(sorted({entry.id: entry for entry in last_first}.values(), key=_order))


def _order(entry: NearMiss) -> tuple[str, str, str]:
    return (entry.at or "", entry.id, entry.span or "")
