"""What must hold at the end, looked up in what really went out, not in what the program believes it sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from coding_agent.report import AgentRunReport
from coding_agent.telemetry import Outputs

MAX_STEPS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SentSpan:
    """A span as it was sent, in either encoding; ``parent`` is empty for a root."""

    id: str
    parent: str
    name: str
    start_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a promise is judged by."""

    report: AgentRunReport
    otlp: tuple[SentSpan, ...]
    json: tuple[SentSpan, ...]
    exposition: str

    @classmethod
    def of(cls, report: AgentRunReport, outputs: Outputs) -> Evidence:
        """The evidence there is by now."""
        return cls(
            report=report,
            otlp=tuple(spans_of_otlp(outputs.otlp())),
            json=tuple(spans_of_json(outputs.json_lines())),
            exposition=outputs.exposition(),
        )


def solved_in_time(seen: Evidence) -> bool:
    """Solved, and in fewer than 12 steps."""
    return seen.report.solved and len(seen.report.steps) < MAX_STEPS


def budget_kept(seen: Evidence) -> bool:
    """The observations cost no more than their budget, by the ledger and by the steps."""
    spent = sum(step.tokens for step in seen.report.steps)
    return spent <= seen.report.observation_tokens <= seen.report.observation_budget


def nothing_legal_denied(seen: Evidence) -> bool:
    """No gate refused a call."""
    return all(step.outcome != "denied" for step in seen.report.steps)


def every_step_has_its_span(seen: Evidence) -> bool:
    """The tool spans right under the run's span are the steps, one for one and in order, in both encodings."""
    wanted = [f"execute_tool {step.tool}" for step in seen.report.steps]
    return step_spans(seen.otlp) == wanted and step_spans(seen.json) == wanted


def metrics_are_exposed(seen: Evidence) -> bool:
    """Prometheus would find the counter of ``read_file``, counted right, and the histogram of latencies."""
    families = {family.name: family for family in text_string_to_metric_families(seen.exposition)}
    counted = [
        sample.value
        for sample in (families["tools_called"].samples if "tools_called" in families else ())
        if sample.name == "tools_called_total" and sample.labels == {"tool": "read_file"}
    ]
    reads = sum(step.tool == "read_file" for step in seen.report.steps)
    latency = families.get("tool_latency_ms")
    return counted == [reads] and latency is not None and latency.type == "histogram"


PROMISES: Final[tuple[tuple[str, Callable[[Evidence], bool]], ...]] = (
    (f"solved in fewer than {MAX_STEPS} steps", solved_in_time),
    ("observation budget never exceeded", budget_kept),
    ("no gate denial on a legal tool", nothing_legal_denied),
    ("every step has its span, in OTLP and in JSON lines", every_step_has_its_span),
    ("Prometheus has tools_called_total and tool_latency_ms", metrics_are_exposed),
)


def step_spans(spans: Iterable[SentSpan]) -> list[str]:
    """The names of the spans right under the run's, in the order in which they started."""
    spans = tuple(spans)
    runs = {span.id for span in spans if span.name.startswith("invoke_agent ")}
    return [span.name for span in sorted(spans, key=lambda span: span.start_ns) if span.parent in runs]


def spans_of_otlp(bodies: Iterable[bytes]) -> Iterable[SentSpan]:
    """The spans of OTLP requests."""
    for body in bodies:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    yield SentSpan(
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        name=span.name,
                        start_ns=span.start_time_unix_nano,
                    )


def spans_of_json(lines: Iterable[str]) -> Iterable[SentSpan]:
    """The spans of OTLP/JSON lines."""
    for line in lines:
        request: dict[str, Any] = json.loads(line)
        for resource in request["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    yield SentSpan(
                        id=span["spanId"],
                        parent=span.get("parentSpanId", ""),
                        name=span["name"],
                        start_ns=int(span["startTimeUnixNano"]),
                    )
