"""Wire names: each spelled once, ours under our own namespace."""

from __future__ import annotations

import ast
import inspect

from agent_otel.model import names

OTHERS = (
    "gen_ai.", "process.", "file.", "test.", "vcs.", "cicd.", "session.", "error.", "exception.", "service.", "event.",
    "mcp.",
    "pydantic_ai.", "gcp.vertex.", "conversation.", "lmnr.", "traceloop.", "opencode.",  # read, never written
)  # fmt: skip
THEIRS = (
    "CLAUDE_", "CODEX_", "COPILOT_", "OPENCODE_", "AI_", "GEMINI_", "QWEN_", "FORK_", "OI_", "LLM_", "LMNR_", "OWN_",
    "LITELLM_", "OPENAI_", "HTTP_", "USER_AGENT",
)  # fmt: skip
"""How constants begin that spell names of agents and libraries, and of other conventions: read, never written."""
NO_NAMESPACE = {
    "tools_called_total", "tool_latency_ms",  # named by the requirements, in Prometheus form
}  # fmt: skip


def constants() -> dict[str, str]:
    """Every text constant of the module."""
    return {name: value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}


def test_no_name_is_spelled_twice() -> None:
    """Two constants for one attribute would drift apart."""
    values = [value for name, value in constants().items() if "." in value]
    assert sorted(values) == sorted(set(values))


def test_no_constant_is_assigned_twice() -> None:
    """A second assignment would silently win."""
    targets = [
        node.target.id
        for node in ast.parse(inspect.getsource(names)).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    assert sorted(targets) == sorted(set(targets))


def test_ours_live_under_our_own_namespace() -> None:
    """Dotted names are OpenTelemetry's, or ours under ``agent_otel``."""
    for name, value in constants().items():
        if name.startswith(THEIRS):
            continue
        if "." in value:
            assert value.startswith((*OTHERS, "agent_otel.")), name
        elif "_total" in value or value.endswith("_ms"):
            assert value in NO_NAMESPACE, name


def test_seven_events_are_the_seven_of_the_requirements() -> None:
    """The closed list, in the order of a run."""
    assert [event.removeprefix("agent_otel.") for event in names.SEVEN_EVENTS] == [
        "task_started", "file_read", "command_run", "failure_seen", "decision_made", "verification_ran",
        "handoff_written",
    ]  # fmt: skip


def test_budget_attributes_are_made_from_the_budget() -> None:
    """One pair of attributes per budget."""
    assert names.budget_limit("steps") == "agent_otel.budget.steps.limit"
    assert names.budget_consumed("wall_time") == "agent_otel.budget.wall_time.consumed"
    assert names.BUDGETS == ("steps", "tokens", "tool_calls", "wall_time")
