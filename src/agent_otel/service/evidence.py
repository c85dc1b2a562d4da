"""Where runs meet the telemetry of pipelines: by the commit and the tree that a run left.

Items of a pipeline lie in a group of their own, which the commit and the tree name. A run that ended leaves a note
there; whichever comes first, the group is folded when the other comes, and gives the run its evidence as items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent_otel.compaction.evidence.added import left_something
from agent_otel.compaction.evidence.pipelines import meetings
from agent_otel.model import names
from agent_otel.model.item import Item, Signals
from agent_otel.model.record import RunRecord
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import statement


def met(signals: Iterable[Signals]) -> Iterator[Item]:
    """The items of evidence for the runs that left what pipelines in this group are about."""
    for event in meetings(signals):
        body = statement(
            names.EVIDENCE_ADDED,
            event.attributes,
            time_ns=event.time_ns,
            trace_id=event.trace_id,
            span_id=event.span_id,
        )
        yield from items_from_protobuf(body, "log").items


def left_by(records: Iterable[RunRecord], *, known: Callable[[str], RunRecord | None]) -> Iterator[Item]:
    """The notes of runs that ended on another state than is known of them, and changed something.

    Args:
        records: of the runs.
        known: gives the record of a run as it was saved before.
    """
    for record in records:
        final = record.final
        commit = final.commit if final.dirty is False else None
        if record.lifecycle == "open" or not left_something(record) or not (commit or final.tree):
            continue
        before = known(record.run_id)
        if before is not None and before.lifecycle != "open" and before.final == final:
            continue
        said = {names.LEFT_BY: record.run_id, names.EVIDENCE_COMMIT: commit, names.EVIDENCE_TREE: final.tree}
        # Without a time: whatever of the run was known when it was written, it is the same note.
        body = statement(names.RUN_LEFT, said, time_ns=0)
        yield from items_from_protobuf(body, "log").items
