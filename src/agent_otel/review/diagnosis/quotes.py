"""The entries of a record by what refers to them: an id, a path, or the place of what has no name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from agent_otel.model.record import (
    ChangedFile,
    Command,
    Decision,
    Failure,
    Gate,
    Handoff,
    RunRecord,
    Task,
    Verification,
)
from agent_otel.review.diagnosis.shape import Quote
from agent_otel.review.wording import line, shortened

LONGEST: Final = 300
"""Characters of an entry that are quoted; the whole stands in the record."""

MOST: Final = 20
"""Entries that are quoted for one thing; the most telling come first."""


def entries(record: RunRecord) -> Mapping[str, Quote]:
    """Everything in a record that can be referred to."""
    found: dict[str, Quote] = {}
    for tell in _TELLERS:
        for ref, text, span in tell(record):
            found.setdefault(ref, Quote(ref=ref, text=shortened(text, LONGEST), span=span))
    return found


def quoted(refs: Iterable[str], known: Mapping[str, Quote]) -> tuple[Quote, ...]:
    """The first of the entries that are referred to, each once."""
    return tuple(known[ref] for ref in dict.fromkeys(refs) if ref in known)[:MOST]


_Told = Iterator[tuple[str, str, str | None]]
"""What refers to an entry, what it says, and the span that it came from."""


def _places(record: RunRecord) -> _Told:
    yield "task", _task(record.task), None
    if record.handoff is not None:
        yield "handoff", _handoff(record.handoff), record.handoff.span
    yield "outcome", f"{record.outcome}, {record.lifecycle}", None
    yield "capture", _capture(record), None
    for name, budget in record.budgets.items():
        numbers = (("limit", budget.limit), ("consumed", budget.consumed))
        yield f"budgets.{name}", ", ".join(f"{word} {n:g}" for word, n in numbers if n is not None), None


def _named(record: RunRecord) -> _Told:
    yield from ((each.id, _verification(each), each.span) for each in record.verifications)
    yield from ((each.id, _command(each), each.span) for each in record.commands)
    yield from ((each.id, _failure(each), each.span) for each in record.failures)


def _files(record: RunRecord) -> _Told:
    yield from ((each.path, _change(each), each.span) for each in record.changed_files)
    for read in record.files_inspected:
        yield read.path, f"read{f': {read.reason}' if read.reason else ''}", read.span


def _numbered(record: RunRecord) -> _Told:
    yield from ((f"decisions[{n}]", _decision(each), each.span) for n, each in enumerate(record.decisions))
    yield from ((f"gates[{n}]", _gate(each), each.span) for n, each in enumerate(record.gates))
    yield from ((f"claims[{n}]", each.text, each.span) for n, each in enumerate(record.claims))
    yield from ((f"context_sources[{n}]", each.name, each.span) for n, each in enumerate(record.context_sources))
    yield from ((f"open_risks[{n}]", text, None) for n, text in enumerate(record.open_risks))


def _required(record: RunRecord) -> _Told:
    for check in record.task.required_checks:
        yield check.name, f"required{f': a command like {check.command}' if check.command else ''}", None


_TELLERS: Final[tuple[Callable[[RunRecord], _Told], ...]] = (_places, _named, _files, _numbered, _required)
"""What can be referred to; where two have one name, the first is meant."""


def _task(task: Task) -> str:
    required = ", ".join(check.name for check in task.required_checks) or "nothing"
    accepted = f"; accepted when {task.acceptance}" if task.acceptance else ""
    return f"{task.objective or 'no objective'}; required: {required}{accepted}"


def _handoff(handoff: Handoff) -> str:
    told = (
        ("", (handoff.status or "no status",)),
        ("blockers: ", handoff.blockers),
        ("risks: ", handoff.risks),
        ("next action: ", (handoff.next_action,) if handoff.next_action else ()),
    )
    return "; ".join(f"{name}{', '.join(texts)}" for name, texts in told if texts)


def _capture(record: RunRecord) -> str:
    capture = record.capture
    complete = "complete" if capture.complete else "incomplete"
    return f"{complete}; cannot show: {', '.join(capture.limits)}" if capture.limits else complete


def _verification(check: Verification) -> str:
    verdict = (check.verdict or check.outcome).replace("_", " ")
    why = check.verdict_reason or check.reason
    told = f"{verdict}{f': {why}' if why else ''}"
    # The reason of a check that is named as its command line begins with it.
    return told if why and why.startswith(check.check) else f"{check.check}: {told}"


def _command(command: Command) -> str:
    printed = [each.strip() for each in ((command.output and command.output.tail) or "").splitlines() if each.strip()]
    return f"{line(command)}{f': {printed[-1]}' if printed else ''}"


def _failure(failure: Failure) -> str:
    what = failure.command or failure.tool or "a failure"
    cause = f"; suspected cause: {failure.suspected_cause}" if failure.suspected_cause else ""
    return f"{what}: {failure.error or failure.error_type or 'no error was recorded'}{cause}"


def _change(file: ChangedFile) -> str:
    numbers = (("+", file.lines_added), ("-", file.lines_removed))
    lines = ", ".join(f"{sign}{number}" for sign, number in numbers if number is not None)
    return f"{file.operation}{f' ({lines})' if lines else ''}"


def _decision(decision: Decision) -> str:
    rejected = ", ".join(other.option for other in decision.alternatives)
    return f"{decision.option}{f'; rejected: {rejected}' if rejected else ''}"


def _gate(gate: Gate) -> str:
    by = f" by {gate.policy}" if gate.policy else ""
    return f"{gate.tool}: {gate.outcome}{by}{f': {gate.reason}' if gate.reason else ''}"
