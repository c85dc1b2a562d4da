"""How often each tool was called, and the gates it passed or did not."""

from __future__ import annotations

from collections import defaultdict

from agent_otel.compaction.runs import Run
from agent_otel.model.fact import GateDecided, ToolCalled
from agent_otel.model.record import Gate, ToolCalls


def tool_calls_of(run: Run) -> tuple[ToolCalls, ...]:
    """One entry per tool, by name."""
    calls: dict[str, list[ToolCalled]] = defaultdict(list)
    for fact in run.all(ToolCalled):
        calls[fact.name].append(fact)
    return tuple(_entry(name, calls[name]) for name in sorted(calls))


def _entry(name: str, found: list[ToolCalled]) -> ToolCalls:
    outcomes = [fact.outcome for fact in found]
    durations = [fact.duration_s for fact in found if fact.duration_s is not None]
    return ToolCalls(
        name=name,
        calls=len(found),
        failed=outcomes.count("failed") + outcomes.count("denied"),
        denied=outcomes.count("denied"),
        cancelled=outcomes.count("cancelled"),
        duration_s=round(sum(durations), 6) if durations else None,
    )


def gates_of(run: Run) -> tuple[Gate, ...]:
    """The decisions of gates, in order."""
    return tuple(
        Gate(
            tool=fact.tool,
            outcome=fact.outcome,
            policy=fact.policy or None,
            reason=fact.reason or None,
            span=fact.ref or None,
        )
        for fact in run.all(GateDecided)
    )
