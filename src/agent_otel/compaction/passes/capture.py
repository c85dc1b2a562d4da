"""How complete the telemetry behind the record is."""

from __future__ import annotations

from agent_otel.compaction.passes.lifecycle import Life
from agent_otel.compaction.reading.values import count
from agent_otel.compaction.runs import Run
from agent_otel.compaction.times import rfc3339
from agent_otel.model import limits, names
from agent_otel.model.fact import LimitNoticed, RunAlive, RunFinished, SecretsRedacted
from agent_otel.model.record import Capture, Dropped, OpenSpan


def capture_of(run: Run, life: Life) -> Capture:
    """The capture of a run. ``late`` stays 0: what came late is not in the items, only in when they came."""
    dropped = Dropped(
        events=sum(span.dropped_events for span in run.spans),
        attributes=sum(item.dropped_attributes for item in run.items)
        + sum(event.dropped_attributes for span in run.spans if span.events for event in span.events),
    )
    open_spans = _open_spans(run, life)
    tops = {top.ref for top in run.tops}
    whole = life.root_seen and life.lifecycle == "settled" and dropped == Dropped()
    return Capture(
        traces=tuple(sorted({item.trace_id for item in run.items} - {""})),
        spans=len(run.spans),
        events=sum(len(span.events) for span in run.spans),
        logs=len(run.logs),
        duplicates=run.copies + _events_told_again(run),
        orphans=len(run.orphans - tops),
        unrecognised=run.unrecognised,
        repaired=sum(item.repaired for item in run.items),
        redactions=sum(fact.count for fact in run.all(SecretsRedacted)) + _masked_on_arrival(run),
        dropped=dropped,
        open_spans=open_spans,
        last_activity=rfc3339(life.last_ns),
        root_seen=life.root_seen,
        complete=whole and not open_spans and run.orphans <= tops,
        limits=_limits(run),
    )


def _limits(run: Run) -> tuple[str, ...]:
    """What the telemetry cannot show; the final diff of whoever launched the agent shows what a dialect could not."""
    noticed = {fact.limit for fact in run.all(LimitNoticed)}
    if any(finished.changed_total is not None for finished in run.all(RunFinished)):
        noticed.discard(limits.SHELL_EDITS_UNSEEN)
    return tuple(sorted(noticed))


def _masked_on_arrival(run: Run) -> int:
    """How many secrets the receiver masked in what others sent; what this SDK sends says so in facts."""
    said = (item.attributes.get(names.REDACTIONS) for item in run.items if item.scope != names.SCOPE)
    return sum(count(masked) or 0 for masked in said if masked is not None)


def _open_spans(run: Run, life: Life) -> tuple[OpenSpan, ...]:
    """Spans that never ended; where spans leave only when they end, the last heartbeat knows what was going on."""
    seen = [
        OpenSpan(span=span.ref, name=span.name, started=rfc3339(span.start_ns)) for span in run.spans if not span.end_ns
    ]
    beats = run.all(RunAlive)
    if not seen and beats and life.lifecycle != "settled":
        seen = [OpenSpan(span=beats[-1].ref, name=name) for name in beats[-1].open_spans]
    return tuple(seen)


def _events_told_again(run: Run) -> int:
    """How many events came over several signals: beyond the first of each id and name."""
    seen = [(event.attributes, event.name) for span in run.spans if span.events for event in span.events]
    seen += ((log.attributes, log.event_name) for log in run.logs)
    told = [
        (str(event_id), name) for attributes, name in seen if (event_id := attributes.get(names.EVENT_ID, "")) != ""
    ]
    return len(told) - len(set(told))
