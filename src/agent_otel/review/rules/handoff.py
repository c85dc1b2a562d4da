"""Rules about what a run leaves for its reader."""

from __future__ import annotations

from collections.abc import Iterator

from agent_otel.model import names
from agent_otel.model.record import RunRecord
from agent_otel.review.rules.base import Notice


def no_handoff(record: RunRecord) -> Iterator[Notice]:
    """A run that ended without a handoff; a sub-agent reports to its parent and owes none."""
    if record.handoff is not None or record.lifecycle == "open" or record.parent_run is not None:
        return
    if record.agent.dialect == names.SCOPE:
        yield Notice("the run left no handoff: no status, blockers or next action")
    elif record.agent.dialect is not None:  # of telemetry that nobody understood nothing can be said
        yield Notice("this telemetry carries no handoff; what the agent said last stands under claims", severity="info")


def only_summary(record: RunRecord) -> Iterator[Notice]:
    """The final words are all there is."""
    seen = (
        record.files_inspected, record.changed_files, record.commands, record.tool_calls, record.decisions,
        [each for each in record.verifications if each.added is None and each.verdict not in ("not_run", "claimed")],
    )  # fmt: skip
    refs = (*(["handoff"] if record.handoff is not None else []), *(f"claims[{n}]" for n in range(len(record.claims))))
    if not refs or any(seen) or record.lifecycle == "open":
        return
    if record.agent.dialect == names.SCOPE:
        yield Notice("only a final summary: no file, command, decision or observed check stands behind it", refs)
    else:
        yield Notice("only final words were recorded; what tools did, if any ran, is missing", refs, "info", "capture")


def event_field_missing(record: RunRecord) -> Iterator[Notice]:
    """An event that lacks a required field (requirements.md §1)."""
    for kind, ref, missing in _entries(record):
        if missing:
            yield Notice(f"{kind} {_of(kind, ref)}lacks {', '.join(missing)}", (ref,))


def _entries(record: RunRecord) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    yield "task_started", "task", record.task.missing
    yield from (("file_read", read.path, read.missing) for read in record.files_inspected)
    yield from (("command_run", run.id, run.missing) for run in record.commands)
    yield from (("failure_seen", failure.id, failure.missing) for failure in record.failures)
    for place, decision in enumerate(record.decisions):
        # That there are no alternatives is a finding of its own.
        yield "decision_made", f"decisions[{place}]", tuple(name for name in decision.missing if name != "alternatives")
    yield from (("verification_ran", check.id, check.missing) for check in record.verifications)
    yield "handoff_written", "handoff", record.handoff.missing if record.handoff is not None else ()


def _of(kind: str, ref: str) -> str:
    return "" if kind in ("task_started", "handoff_written") else f"({ref}) "
