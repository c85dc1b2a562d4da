"""Which runs a run does again, said of it by others, or by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from agent_otel.compaction.reading.values import text
from agent_otel.model import names
from agent_otel.model.item import Log
from agent_otel.model.record import RunRecord


def redos_in(logs: Iterable[Log]) -> Mapping[str, tuple[str, ...]]:
    """The runs that each run is said to do again, by its id.

    Args:
        logs: events that others add to runs, in any order.
    """
    by_run: dict[str, set[str]] = defaultdict(set)
    for log in logs:
        run_id, of = text(log.attributes.get(names.RUN_ID)), text(log.attributes.get(names.RUN_REDO_OF))
        if log.event_name == names.REDO and run_id and of:
            by_run[run_id].add(of)
    return {run_id: tuple(sorted(found)) for run_id, found in by_run.items()}


def with_redos(record: RunRecord, found: Sequence[str]) -> RunRecord:
    """The record with these beside those that it names itself; no run is a redo of itself, whoever says so."""
    every = tuple(sorted({*record.redo_of, *found} - {record.run_id}))
    return record if every == record.redo_of else replace(record, redo_of=every)
