"""The series that Prometheus has of agents, and their labels: what dashboards may ask for."""

from __future__ import annotations

from typing import Final

JOB: Final = "job"
"""The service's name."""

INSTANCE: Final = "instance"
"""The process's, where it tells what it has so far; the collector's, where processes add up: spans, and differences."""

_TOOL: Final = frozenset({JOB, INSTANCE, "tool"})
_SPAN: Final = frozenset(
    {
        JOB,
        INSTANCE,
        "service_name",
        "status_code",
        "gen_ai_operation_name",
        "gen_ai_tool_name",
        "gen_ai_agent_name",
        "gen_ai_request_model",
        "agent_otel_run_outcome",
        "error_type",
    }
)
_RUN: Final = frozenset({JOB, INSTANCE, "gen_ai_operation_name", "gen_ai_agent_name", "error_type"})


def _histogram(name: str, labels: frozenset[str]) -> dict[str, frozenset[str]]:
    return {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}


SERIES: Final[dict[str, frozenset[str]]] = {
    "traces_span_metrics_calls_total": _SPAN,
    **_histogram("traces_span_metrics_duration_seconds", _SPAN),
    "tools_called_total": _TOOL,
    **_histogram("tool_latency_ms", _TOOL),
    **_histogram("gen_ai_execute_tool_duration_seconds", _RUN | {"gen_ai_tool_name"}),
    **_histogram("gen_ai_invoke_agent_duration_seconds", _RUN),
    **_histogram("gen_ai_invoke_agent_tool_calls", _RUN),
    **_histogram("gen_ai_invoke_agent_inference_calls", _RUN),
}
"""Name to the labels that it may have."""
