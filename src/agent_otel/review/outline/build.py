"""The whole outline of a record: state, who and what, the three questions, findings, and how much was captured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent_otel.model.record import Finding, NearMiss, ReviewState, RunRecord, Severity
from agent_otel.review.outline.believed import believed
from agent_otel.review.outline.did import did
from agent_otel.review.outline.knew import knew
from agent_otel.review.outline.shape import (
    Code,
    Line,
    Outline,
    Own,
    Part,
    Section,
    Tone,
    fact,
    joined,
    line,
    listed,
    part,
)
from agent_otel.review.wording import count, duration

STATE_TONES: Final[dict[ReviewState, Tone]] = {"done": "good", "failing": "bad", "in progress": "dim"}
_SEVERITY_TONES: Final[dict[Severity, Tone]] = {"error": "bad", "warning": "warn", "info": "dim"}
_ORDER: Final = tuple(_SEVERITY_TONES)


def outline(record: RunRecord) -> Outline:
    """What to tell about a record, in the order to tell it."""
    return Outline(
        state=record.review_state or "not judged",
        tone=tone_of(record),
        run=record.run_id,
        about=tuple(_about(record)),
        sections=(
            Section("What did it know?", tuple(knew(record))),
            Section("What did it do?", tuple(did(record))),
            Section("Why did it believe it was complete?", tuple(believed(record))),
            Section("What to look at", tuple(_findings(record))),
            Section("How much was captured", (Part("", tuple(_capture(record))),)),
        ),
    )


def tone_of(record: RunRecord) -> Tone:
    """How the review state should strike the eye."""
    return STATE_TONES.get(record.review_state, "warn") if record.review_state else "dim"


def _about(record: RunRecord) -> Iterator[Line]:
    yield line(record.task.objective or Own("no objective recorded"))
    agent = " ".join(text for text in (record.agent.name, record.agent.version) if text)
    who = [agent or Own("unnamed agent"), *((Own(" in "), record.agent.service) if record.agent.service else ())]
    ended = Own(f"; {record.lifecycle}, {record.outcome}")
    yield line(*who, *((Own(" with "), *joined(record.agent.models)) if record.agent.models else ()), ended)
    when = (Code(record.started), Own(" ")) if record.started else ()
    took = (Own(f"for {duration(record.duration_s)}, "),) if record.duration_s is not None else ()
    yield line(*when, *took, Own(f"revision {record.revision}"), tone="dim")
    if record.parent_run:
        yield line(Own("part of run "), record.parent_run, tone="dim")
    if record.redo_of:
        yield line(Own("a redo of run "), *joined(record.redo_of), tone="dim")
    if record.final_status:
        yield line(Own("final status: "), record.final_status)


def _findings(record: RunRecord) -> Iterator[Part]:
    yield from part("Near-misses, which only a reviewer caught", map(_near_miss, record.near_misses))
    worst_first = sorted(record.findings, key=lambda finding: _ORDER.index(finding.severity))
    yield from listed("Findings", (_finding(finding) for finding in worst_first))


def _near_miss(entry: NearMiss) -> Line:
    when = (Own(", "), Code(entry.at)) if entry.at else ()
    layer = Own(f" [{entry.layer}]" if entry.layer else "")
    below = fact("in", *joined(entry.files, Code))
    return line(entry.caught_by, *when, Own(": "), entry.what, layer, tone="warn", below=below)


def _finding(finding: Finding) -> Line:
    layer = Own(f" [{finding.layer}]" if finding.layer else "")
    head = (Own(f"{finding.severity}  "), finding.rule, Own(": "))
    return line(*head, finding.message, layer, tone=_SEVERITY_TONES[finding.severity])


def _capture(record: RunRecord) -> Iterator[Line]:
    capture = record.capture
    numbers = ((capture.spans, "span"), (capture.events, "event"), (capture.logs, "log record"))
    seen = ", ".join(count(number, word) for number, word in numbers)
    whole = "complete" if capture.complete else "incomplete"
    yield line(
        Own(f"{whole}: {seen}, in {count(len(capture.traces), 'trace')}"), tone="dim" if capture.complete else "warn"
    )
    for span in capture.open_spans:
        yield line(Own("never ended: "), span.name, tone="warn")
    if capture.limits:
        yield line(Own("cannot show: "), *joined(capture.limits), tone="warn")
