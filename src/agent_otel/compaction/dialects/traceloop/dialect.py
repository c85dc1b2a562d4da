"""The dialect: spans with a ``traceloop.span.kind``, and model calls of OpenLLMetry before it took to the conventions.

Spans that name an operation of the GenAI conventions are the ``genai`` dialect's, kind or no kind: since 0.50 or so
these are all but the workflows, the tasks of LangGraph, and what is decorated by hand. Tasks are steps of a framework:
nothing is read from them. Seen from OpenLLMetry's instrumentations and Traceloop's SDK 0.47.5 and 0.62.4 (2026-11).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.traceloop.talk import Talk
from agent_otel.compaction.dialects.traceloop.tools import tool_facts
from agent_otel.compaction.reading.conversation import conversation
from agent_otel.compaction.reading.models import model_called
from agent_otel.compaction.reading.results import Result, ending
from agent_otel.compaction.reading.values import first, text
from agent_otel.compaction.sessions import session_of
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, names
from agent_otel.model.item import Log, Span

WORKFLOW: Final = "workflow"
AGENT: Final = "agent"
BOUNDS: Final = (WORKFLOW, AGENT)
SUFFIXES: Final = (".agent", ".workflow")


class Traceloop:
    """Reads what OpenLLMetry says in words of its own."""

    name = "traceloop"
    about = "OpenLLMetry's workflows, agents and tools, old and new, and functions decorated with Traceloop's SDK"
    scopes = ("traceloop.tracer", "opentelemetry.instrumentation.*")

    def claims(self, item: Span | Log) -> bool:
        """Spans with a kind, and model calls with a type of request."""
        return isinstance(item, Span) and (names.TRACELOOP_KIND in item.attributes or _is_model(item))

    def place(self, item: Span | Log) -> Place | None:  # noqa: ARG002 - the protocol's
        """None: agent spans say where they belong."""
        return None

    def backdrop(self, item: Span | Log) -> bool:  # noqa: ARG002 - the protocol's
        """Nothing: what is decorated is meant to be seen."""
        return False

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of the spans, and of what was said where no other dialect reads it."""
        spans = [item for item in items if isinstance(item, Span)]
        models = _outermost([span for span in spans if _is_model(span)], forest)
        bounds = [span for span in spans if _kind(span) in BOUNDS]
        tools = [span for span in spans if _kind(span) == "tool"]
        talk, inside = Talk(), _inside(bounds, forest)
        facts: list[tuple[fact.AnyFact, Span]] = [(_bound(span, inside[span.ref]), span) for span in bounds]
        facts += ((model_called(span), span) for span in models)
        facts += tool_facts(tools, models, talk)
        told = {span.trace_id for span in forest.spans.values() if names.INPUT_MESSAGES in span.attributes}
        facts += conversation([span for span in bounds if span.trace_id not in told], models, talk, forest)
        for seen, span in facts:
            yield Sighting(seen, span, self.name)


def _kind(span: Span) -> str:
    return text(span.attributes.get(names.TRACELOOP_KIND))


def _is_model(span: Span) -> bool:
    return names.LLM_REQUEST_TYPE in span.attributes and names.TRACELOOP_KIND not in span.attributes


def _outermost(calls: Sequence[Span], forest: Forest) -> list[Span]:
    """The model calls in order of time; of calls inside each other, as of LangChain and its provider, the outer one."""
    nearest = forest.nearest({span.ref for span in calls})
    found = (span for span in calls if (forest.parent(span.ref) or "") not in nearest)
    return sorted(found, key=lambda span: (span.start_ns, span.ref))


def _inside(bounds: Sequence[Span], forest: Forest) -> dict[str, set[str]]:
    """The names of the agents that are directly inside of workflows and agents, whoever reads them."""
    agents = {ref: span for ref, span in forest.spans.items() if _is_agent(span)}
    nearest = forest.nearest({*agents, *(span.ref for span in bounds)})
    found: dict[str, set[str]] = defaultdict(set)
    for ref, span in agents.items():
        found[nearest.get(forest.parent(ref) or "", "")].add(_name(span))
    return found


def _is_agent(span: Span) -> bool:
    return _kind(span) == AGENT or span.attributes.get(names.OPERATION_NAME) == names.INVOKE_AGENT


def _name(span: Span) -> str:
    said = text(first(span.attributes, names.AGENT_NAME, names.TRACELOOP_NAME))
    return said or next((span.name.removesuffix(end) for end in SUFFIXES if span.name.endswith(end)), span.name)


def _bound(span: Span, inside: set[str]) -> fact.AgentInvoked:
    """An agent, or a workflow: around agents it has the name of the only one, without any it is the agent."""
    around = _kind(span) == WORKFLOW and bool(inside)
    end = ending(span, Result({}, ""))
    return fact.AgentInvoked(
        **_about(span),
        boundary="workflow" if around else "agent",
        name=(next(iter(inside)) if len(inside) == 1 else "") if around else _name(span),
        session=session_of(span),
        end_ns=span.end_ns,
        outcome=end.outcome if span.end_ns else "open",
        error_type=end.error_type,
        error=end.error,
    )


def _about(span: Span) -> dict[str, Any]:
    return {"ref": span.ref, "time_ns": span.start_ns}
