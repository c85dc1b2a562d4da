"""Makes the work of coding agents observable and reviewable with OpenTelemetry.

Decorate the tools of an agent, open a run around its task, and read a run record: what the agent knew, what it did,
and why it believed it was done. Nothing happens at import.
"""

from __future__ import annotations

from agent_otel.configuration import Telemetry, configure, flush
from agent_otel.errors import AgentOtelError, BudgetExceeded, Denied
from agent_otel.model.contract import Budgets, Contract, RequiredCheck
from agent_otel.sdk.command_result import CommandResult
from agent_otel.sdk.context import current_run
from agent_otel.sdk.run import Run
from agent_otel.sdk.run_scope import run
from agent_otel.sdk.threads import instrument_threads
from agent_otel.sdk.tool import tool
from agent_otel.sdk.words import (
    command,
    command_async,
    context_source,
    decision,
    failure,
    file_changed,
    file_read,
    final_message,
    gate,
    handoff,
    record_command,
    risk,
    skipped,
    step,
    usage,
    verification,
)

__all__ = [
    "AgentOtelError",
    "BudgetExceeded",
    "Budgets",
    "CommandResult",
    "Contract",
    "Denied",
    "RequiredCheck",
    "Run",
    "Telemetry",
    "command",
    "command_async",
    "configure",
    "context_source",
    "current_run",
    "decision",
    "failure",
    "file_changed",
    "file_read",
    "final_message",
    "flush",
    "gate",
    "handoff",
    "instrument_threads",
    "record_command",
    "risk",
    "run",
    "skipped",
    "step",
    "tool",
    "usage",
    "verification",
]
