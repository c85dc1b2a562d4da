"""The names of metrics as Prometheus has them: what the SDK, the collector and the processor measure.

Everything is named by the constants that instruments are made with, so that no panel asks for what nobody measures.
"""

from __future__ import annotations

from typing import Final, Literal

from agent_otel.model import names

Kind = Literal["counter", "histogram", "gauge"]

_UNITS: Final = {"s": "_seconds", "By": "_bytes", "ms": "_milliseconds"}


def series(name: str, kind: Kind, unit: str = "") -> str:
    """The name that Prometheus knows a metric by: that of a histogram lacks ``_bucket``, ``_count`` and ``_sum``."""
    written = name.replace(".", "_") + _UNITS.get(unit, "")
    return written if kind != "counter" or written.endswith("_total") else f"{written}_total"


def label(name: str) -> str:
    """The name of the label that an attribute becomes."""
    return name.replace(".", "_")


TOOL_DURATION: Final = series(names.METRIC_TOOL_DURATION, "histogram", "s")
TOOLS_CALLED: Final = series(names.METRIC_TOOLS_CALLED, "counter")
TOOL_LATENCY: Final = series(names.METRIC_TOOL_LATENCY, "histogram")
AGENT_DURATION: Final = series(names.METRIC_AGENT_DURATION, "histogram", "s")
AGENT_TOOL_CALLS: Final = series(names.METRIC_AGENT_TOOL_CALLS, "histogram")
AGENT_MODEL_CALLS: Final = series(names.METRIC_AGENT_INFERENCE_CALLS, "histogram")
UNMEASURED: Final = series(names.METRIC_DROPPED, "counter")

SPANS: Final = "traces_span_metrics_calls_total"
"""Spans, as the collector's span_metrics connector counts them (collector-config/)."""
SPAN_DURATION: Final = "traces_span_metrics_duration_seconds"
FAILED: Final = 'status_code="STATUS_CODE_ERROR"'
TOOL_CALLS: Final = f'{label(names.OPERATION_NAME)}="{names.EXECUTE_TOOL}"'
"""Which of them are tool calls."""

AGENT: Final = label(names.AGENT_NAME)
CHOSEN_AGENTS: Final = f'{{{AGENT}=~"$agent"}}'
"""Which series belong to the agents that a reader chose; only without a format is it escaped as PromQL needs it."""
TOOL: Final = label(names.TOOL_NAME)
ERROR: Final = label(names.ERROR_TYPE)
