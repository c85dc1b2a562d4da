"""What one run did differently from another, such as a rerun from the first try.

Each aspect is a table: what a record says of it, by name. Two tables are compared line by line. Ids of entries, times
and lengths of time differ between any two runs and are left out, but for how long the runs took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from agent_otel.model.record import Command, Counts, RunRecord
from agent_otel.review.standing import standings
from agent_otel.review.wording import RESULTS, count, duration
from agent_otel.text.terminal import printable, uncommanding

_Table = Mapping[str, str]


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is not the same; absent on the side that has nothing of it."""

    name: str
    before: str | None = None
    after: str | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs, and by aspect what differs; an aspect in which nothing does is absent."""

    before: str
    after: str
    differences: dict[str, tuple[Difference, ...]]


def compare(before: RunRecord, after: RunRecord) -> Comparison:
    """What differs between two judged records."""
    found = {name: tuple(_differences(aspect(before), aspect(after))) for name, aspect in _ASPECTS.items()}
    return Comparison(
        before=before.run_id,
        after=after.run_id,
        differences={name: differences for name, differences in found.items() if differences},
    )


def as_text(comparison: Comparison) -> str:
    """The comparison for a terminal, ending in a line feed; ``-`` is gone, ``+`` is new, ``~`` is different."""
    lines = [f"{printable(comparison.before)} → {printable(comparison.after)}"]
    for aspect, differences in comparison.differences.items():
        lines += ["", aspect, *(f"  {_told(difference)}" for difference in differences)]
    return uncommanding("\n".join(lines if comparison.differences else [*lines, "nothing differs"]) + "\n")


def _told(difference: Difference) -> str:
    name, before, after = (printable(text or "") for text in (difference.name, difference.before, difference.after))
    if difference.before is None:
        return f"+ {name}: {after}"
    if difference.after is None:
        return f"- {name}: {before}"
    return f"~ {name}: {before} → {after}"


def _differences(before: _Table, after: _Table) -> list[Difference]:
    names = dict.fromkeys((*before, *after))
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return [Difference(name=name, before=was, after=now) for name, was, now in pairs if was != now]


def _state(record: RunRecord) -> _Table:
    return _present(
        {
            "review state": record.review_state,
            "outcome": record.outcome,
            "final status": record.final_status,
            "next action": record.handoff.next_action if record.handoff else None,
        }
    )


def _task(record: RunRecord) -> _Table:
    task = record.task
    return _present(
        {
            "objective": task.objective,
            "asked later": "; ".join(task.follow_ups),
            "active behavior": task.active_behavior,
            "acceptance": task.acceptance,
            "scope": ", ".join(task.scope),
            "exclusions": ", ".join(task.exclusions),
            "off limits": ", ".join(task.off_limits),
            "branch": task.branch,
            "required checks": ", ".join(_required(check.name, check.command) for check in task.required_checks),
            "base commit": record.base.commit,
            "agent": " ".join(filter(None, (record.agent.name, record.agent.version))),
            "models": ", ".join(record.agent.models),
            "context": ", ".join(source.name for source in record.context_sources),
        }
    )


def _required(name: str, command: str | None) -> str:
    return f"{name} = {command}" if command else name


def _files(record: RunRecord) -> _Table:
    told = {}
    for file in record.changed_files:
        numbers = (("+", file.lines_added), ("-", file.lines_removed))
        lines = [f"{sign}{number}" for sign, number in numbers if number is not None]
        told[file.path] = " ".join((file.operation, *lines))
    return told


def _commands(record: RunRecord) -> _Table:
    """The results of each command line, in the order in which it was run."""
    told: dict[str, list[str]] = {}
    for command in record.commands:
        told.setdefault(command.command, []).append(_result(command))
    return {line: ", then ".join(results) for line, results in told.items()}


def _result(command: Command) -> str:
    exited = f" (exit {command.exit_code})" if command.exit_code else ""
    return RESULTS[command.result] + exited


def _checks(record: RunRecord) -> _Table:
    told = {}
    for check in standings(record):
        counts = _counts(check.verification.counts if check.verification else None)
        told[check.check] = check.verdict.replace("_", " ") + counts
    return told


def _counts(counts: Counts | None) -> str:
    numbers = msgspec.structs.asdict(counts) if counts else {}
    parts = [f"{number} {name}" for name, number in numbers.items() if number is not None]
    return f" ({', '.join(parts)})" if parts else ""


def _findings(record: RunRecord) -> _Table:
    severities: dict[str, Counter[str]] = {}
    for finding in record.findings:
        severities.setdefault(finding.rule, Counter())[finding.severity] += 1
    return {
        rule: ", ".join(count(number, word, _PLURALS[word]) for word, number in found.items())
        for rule, found in severities.items()
    }


_PLURALS: Final = {"error": "errors", "warning": "warnings", "info": "info"}


def _usage(record: RunRecord) -> _Table:
    usage = record.usage
    return _present(
        {
            "duration": None if record.duration_s is None else duration(record.duration_s),
            "model calls": usage.model_calls,
            "failed model calls": usage.failed_model_calls,
            "input tokens": usage.input_tokens,
            "output tokens": usage.output_tokens,
            "cost": None if usage.cost_usd is None else f"{usage.cost_usd:.4f} USD",
            "tool calls": sum(calls.calls for calls in record.tool_calls),
            "files inspected": len(record.files_inspected),
        }
    )


def _present(values: Mapping[str, Any]) -> _Table:
    return {name: str(value) for name, value in values.items() if value not in (None, "", 0)}


_ASPECTS: Final[Mapping[str, Callable[[RunRecord], _Table]]] = {
    "state": _state,
    "task": _task,
    "checks": _checks,
    "findings": _findings,
    "files": _files,
    "commands": _commands,
    "usage": _usage,
}
"""Aspect to what a record says of it, in the order to tell them."""
