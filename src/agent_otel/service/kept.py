"""Records that stay although the items behind them have expired, or are out of sight in a group that was cut.

To fold what is left of a run would make its record poorer than it is. So the record stays, and only says that something
came late, and that it is not complete.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from agent_otel.model.record import RunRecord
from agent_otel.review.judge import judge


def beside_sealed(fresh: Sequence[RunRecord], sealed: Sequence[RunRecord]) -> list[RunRecord]:
    """The records of a group some of whose items have expired.

    Args:
        fresh: what the items that are left were folded into: late parts of the old runs, and runs that are new.
        sealed: the records of the old runs.
    """
    ids, traces = {record.run_id for record in sealed}, _traces(sealed)
    late = [
        each for each in fresh if each.run_id in ids or (each.capture.traces and traces.issuperset(each.capture.traces))
    ]
    return [*(_with_late(record, late) for record in sealed), *(each for each in fresh if each not in late)]


def beside_cut(fresh: Sequence[RunRecord], known: Sequence[RunRecord]) -> list[RunRecord]:
    """The records of a group that is too large to be folded whole: those of runs that are out of sight stay."""
    ids, traces = {record.run_id for record in fresh}, _traces(fresh)
    return [
        *fresh,
        *(each for each in known if each.run_id not in ids and traces.isdisjoint(each.capture.traces)),
    ]


def _with_late(record: RunRecord, late: Collection[RunRecord]) -> RunRecord:
    traces = _traces([record])
    came = sum(
        each.capture.spans + each.capture.logs
        for each in late
        if each.run_id == record.run_id or not traces.isdisjoint(each.capture.traces)
    )
    if record.lifecycle == "open":  # nothing came for so long that its items have expired
        record = replace(record, lifecycle="abandoned")
    if came > record.capture.late:
        record = replace(record, capture=replace(record.capture, late=came, complete=False))
    return judge(record)


def _traces(records: Collection[RunRecord]) -> set[str]:
    return {trace for record in records for trace in record.capture.traces}
