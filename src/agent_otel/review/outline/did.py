"""What did the run do? Commands with their results, changed files, failures, tools, gates, budgets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from agent_otel.model.record import Budget, ChangedFile, Command, CommandResult, Failure, Gate, RunRecord, ToolCalls
from agent_otel.review.outline.shape import Code, Line, Own, Part, Tone, fact, line, listed, part
from agent_otel.review.wording import count, duration, result

_TONES: Final[dict[CommandResult, Tone]] = {"passed": "good", "unknown": "dim", "denied": "warn"}


def did(record: RunRecord) -> Iterator[Part]:
    """The parts that answer the second question."""
    yield from listed("Commands", (_command(command) for command in record.commands))
    yield from listed("Changed files", (_change(file) for file in record.changed_files))
    yield from part("Failures", (_failure(failure) for failure in record.failures))
    yield from part("Tool calls", (_tool(calls) for calls in record.tool_calls))
    yield from part("Gates", _gates(record.gates))
    yield from part("Budgets and usage", (*_budgets(record.budgets), *_usage(record)))


def _command(command: Command) -> Line:
    tone = _TONES.get(command.result, "bad")
    last = _last_line(command) if tone == "bad" else ""
    below = (line(last, tone="dim"),) if last else ()
    return line(command.id, Own("  "), Code(command.command), Own(f": {result(command)}"), tone=tone, below=below)


def _last_line(command: Command) -> str:
    """Where the output of a failed command says what went wrong, more often than not."""
    lines = [text.strip() for text in ((command.output and command.output.tail) or "").splitlines()]
    return next((text for text in reversed(lines) if text), "")


def _change(file: ChangedFile) -> Line:
    details = [f"+{file.lines_added}"] if file.lines_added is not None else []
    details += [f"-{file.lines_removed}"] if file.lines_removed is not None else []
    read = {True: "read before", False: "not read before", None: ""}[file.read_before]
    details += [read] if read else []
    moved = (Own(" from "), Code(file.old_path)) if file.old_path else ()
    return line(file.operation, Own(" "), Code(file.path), *moved, Own(f" ({', '.join(details)})" if details else ""))


def _failure(failure: Failure) -> Line:
    what = failure.command or failure.tool
    pieces = [failure.id, Own("  "), *((Code(what), Own(": ")) if what else ())]
    pieces.append(failure.error or failure.error_type or Own("error not recorded"))
    resolved = (Own("resolved by "), failure.resolved_by) if failure.resolved_by else (Own("not resolved"),)
    below = (*fact("suspected cause", failure.suspected_cause), line(*resolved))
    return line(*pieces, tone="plain" if failure.resolved_by else "bad", below=below)


def _tool(calls: ToolCalls) -> Line:
    notes = ((calls.failed - calls.denied, "failed"), (calls.denied, "denied"), (calls.cancelled, "cancelled"))
    parts = [f"{number} {word}" for number, word in notes if number > 0]
    parts += [duration(calls.duration_s)] if calls.duration_s is not None else []
    return line(calls.name, Own(f": {count(calls.calls, 'call')}" + (f" ({', '.join(parts)})" if parts else "")))


def _gates(gates: Sequence[Gate]) -> Iterator[Line]:
    """What was not simply allowed, one by one; what was, counted by tool: a clean run asks a gate at every step."""
    yield from (_gate(gate) for gate in gates if gate.outcome != "allow")
    allowed = Counter(gate.tool for gate in gates if gate.outcome == "allow")
    yield from (line(tool, Own(f" allow: {count(number, 'time')}")) for tool, number in sorted(allowed.items()))


def _gate(gate: Gate) -> Line:
    by = (Own(" by "), gate.policy) if gate.policy else ()
    why = (Own(": "), gate.reason) if gate.reason else ()
    return line(gate.tool, Own(" "), gate.outcome, *by, *why, tone="warn" if gate.outcome == "deny" else "plain")


def _budgets(budgets: dict[str, Budget]) -> Iterator[Line]:
    for name, budget in budgets.items():
        if budget.limit is None and not budget.consumed:
            continue
        used = "not recorded" if budget.consumed is None else _amount(name, budget.consumed)
        limit = "" if budget.limit is None else f" of {_amount(name, budget.limit)}"
        exceeded = ", exceeded" if budget.exceeded else ""
        yield line(name, Own(f": {used}{limit}{exceeded}"), tone="bad" if budget.exceeded else "plain")


def _amount(budget: str, number: float) -> str:
    return duration(number) if budget == "wall_time" else f"{number:g}"


def _usage(record: RunRecord) -> Iterable[Line]:
    usage = record.usage
    parts = [count(usage.model_calls, "model call")] if usage.model_calls else []
    parts += [f"{usage.failed_model_calls} of them failed"] if usage.failed_model_calls else []
    parts += [f"{usage.input_tokens} input tokens"] if usage.input_tokens is not None else []
    parts += [f"{usage.output_tokens} output tokens"] if usage.output_tokens is not None else []
    return (line(Own(", ".join(parts))),) if parts else ()
