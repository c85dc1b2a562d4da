"""Rules about the harness around the agent: gates, budgets, branch, secrets, and how much was captured."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from agent_otel.model.record import RunRecord
from agent_otel.review.gaps import losses
from agent_otel.review.rules.base import Notice
from agent_otel.review.wording import count


def wrong_branch(record: RunRecord) -> Iterator[Notice]:
    """Work on another branch than the contract demands."""
    pattern, branch = record.task.branch, record.base.branch
    if pattern and branch and not fnmatch.fnmatchcase(branch, pattern):
        yield Notice(f"the run worked on branch {branch!r}; the contract demands {pattern!r}", ("task",))


def budget_exceeded(record: RunRecord) -> Iterator[Notice]:
    """More was used than allowed."""
    for name, budget in record.budgets.items():
        over = None not in (budget.limit, budget.consumed) and (budget.consumed or 0) > (budget.limit or 0)
        if budget.exceeded or over:
            numbers = ", ".join(
                f"{word} {number:g}"
                for word, number in (("limit", budget.limit), ("consumed", budget.consumed))
                if number is not None
            )
            yield Notice(f"budget {name!r} was exceeded" + (f": {numbers}" if numbers else ""), (f"budgets.{name}",))


def gate_denied(record: RunRecord) -> Iterator[Notice]:
    """A tool call or a command that was refused; one refusal is told once, with the command where it was one."""
    refused = [command for command in record.commands if command.result == "denied"]
    commands = {command.span: command for command in refused if command.span}
    told: set[str] = set()
    for place, gate in enumerate(record.gates):
        if gate.outcome == "deny":
            command = commands.get(gate.span or "")
            by = f" by {gate.policy}" if gate.policy else ""
            why = f": {gate.reason}" if gate.reason else ""
            what, refs = (f" {command.command!r}", (command.id,)) if command else ("", ())
            told.update(refs)
            yield Notice(f"{gate.tool} was denied{what}{by}{why}", (f"gates[{place}]", *refs))
    for command in refused:
        if command.id not in told:
            yield Notice(f"{command.command!r} was denied", (command.id,))


def secret_redacted(record: RunRecord) -> Iterator[Notice]:
    """Secrets stood in what the run recorded, and were masked."""
    number = record.capture.redactions
    if number:
        yield Notice(f"{count(number, 'secret was', 'secrets were')} masked in the run's telemetry", ("capture",))


def incomplete_capture(record: RunRecord) -> Iterator[Notice]:
    """Telemetry is missing, so the record may be."""
    capture = record.capture
    if record.lifecycle == "open":
        return  # what a running run has not sent yet is not missing
    gaps = losses(record)
    if gaps or not capture.complete:
        yield Notice(f"the capture is incomplete: {'; '.join(gaps) or 'the reason was not recorded'}", ("capture",))
    if capture.limits:
        yield Notice(f"this telemetry cannot show everything: {', '.join(capture.limits)}", ("capture",), "info")
