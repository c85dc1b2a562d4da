"""What may be missing from a record, by the limits that its capture names.

Rules that judge by absence ("was it read", "did it run") ask here first: where something of the kind may be missing,
its absence proves nothing.
"""

from __future__ import annotations

from agent_otel.model.limits import HIDING_COMMANDS, HIDING_EDITS, HIDING_READS, OF_SEEN_CALLS
from agent_otel.model.record import Capture, RunRecord
from agent_otel.review.wording import count


def hiding_commands(record: RunRecord) -> tuple[str, ...]:
    """The limits for which commands may have run unseen; where no tool was called, none is hidden in a call."""
    hiding = HIDING_COMMANDS if record.tool_calls else HIDING_COMMANDS - OF_SEEN_CALLS
    return _noticed(record.capture, hiding)


def hiding_reads(record: RunRecord) -> tuple[str, ...]:
    """The limits for which files may have been read unseen."""
    return _noticed(record.capture, HIDING_READS)


def hides_edits(capture: Capture) -> bool:
    """True where an edit may be missing: named as a limit, dropped on the way, or cut."""
    return not capture.complete or capture.truncated or bool(_noticed(capture, HIDING_EDITS))


def losses(record: RunRecord) -> list[str]:
    """What telemetry is known to be missing, each in words; nothing where it is complete."""
    return [text for number, text in _losses(record) if number]


def _noticed(capture: Capture, limits: frozenset[str]) -> tuple[str, ...]:
    return tuple(limit for limit in capture.limits if limit in limits)


def _losses(record: RunRecord) -> tuple[tuple[int, str], ...]:
    capture, dropped = record.capture, record.capture.dropped
    return (
        (record.agent.dialect is None and capture.unrecognised, "nothing in it was recognised as the work of an agent"),
        (not capture.root_seen, "the root span was not seen"),
        (len(capture.open_spans), f"{count(len(capture.open_spans), 'span')} never ended"),
        (capture.orphans, f"{count(capture.orphans, 'span')} without the parent"),
        (dropped.spans, f"{count(dropped.spans, 'span')} dropped by the sender"),
        (dropped.events, f"{count(dropped.events, 'event')} dropped by the sender"),
        (dropped.attributes, f"{count(dropped.attributes, 'attribute')} dropped by the sender"),
        (capture.truncated, "the record was cut to its limits"),
    )
