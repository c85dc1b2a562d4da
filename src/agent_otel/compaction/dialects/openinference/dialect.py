"""The dialect: spans with an ``openinference.span.kind``, and the facts of agents and model calls.

Seen from openinference-instrumentation-langchain 0.1.80, -openai-agents 2.6.0, -smolagents 0.1.43, -agno 1.0.15,
-llama-index 4.6.1, -crewai 1.1.21 (2026-11). Not to be had from it: the texts of tool errors in OpenAI Agents (redacted
by that), model calls in crewai (without the instrumentation of its provider), sessions (unless the caller sets one).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.openinference.bounds import HANDOFF, Bound, Kinds, bounds_of
from agent_otel.compaction.dialects.openinference.talk import SCOPES, Talk
from agent_otel.compaction.dialects.openinference.tools import tool_facts
from agent_otel.compaction.reading.results import Result, ending
from agent_otel.compaction.reading.stitched import spoken
from agent_otel.compaction.reading.values import STATUS_ERROR, count, number, text
from agent_otel.compaction.sessions import session_of
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Log, Span

BACKDROP: Final = frozenset(["EMBEDDING", "RETRIEVER", "RERANKER", "EVALUATOR", "PROMPT"])
"""Kinds that make no run where there is nothing else: indexing, searching, judging."""
LANGCHAIN: Final = f"{SCOPES}langchain"
"""Where every chain with "agent" in its name is an AGENT, also the node of a graph that calls the model."""
_RESPONSE_ID: Final = re.compile(r'\{"id": ?"((?:resp|chatcmpl|msg)[\w-]{1,200})"')


class OpenInference:
    """Reads the OpenInference conventions, whoever emits them."""

    name = "openinference"
    about = (
        "OpenInference spans of LangChain, LangGraph, OpenAI Agents, smolagents, agno, llama-index, crewai and others"
    )
    scopes = ("openinference.instrumentation.*",)

    def claims(self, item: Span | Log) -> bool:
        """Spans with a kind of the conventions."""
        return isinstance(item, Span) and names.OI_KIND in item.attributes

    def place(self, item: Span | Log) -> Place | None:  # noqa: ARG002 - the protocol's
        """None: agent spans say where they belong."""
        return None

    def backdrop(self, item: Span | Log) -> bool:
        """Indexing, searching and judging are not running an agent."""
        return text(item.attributes.get(names.OI_KIND)) in BACKDROP

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of the spans, and of what was said between agent and model."""
        kinds = _kinds([item for item in items if isinstance(item, Span)], forest)
        talk = Talk(kinds.models)
        bounds = list(bounds_of(kinds, talk, forest))
        facts: list[tuple[fact.AnyFact, Span]] = [(_agent(bound), bound.span) for bound in bounds]
        facts += ((_model(span), span) for span in kinds.models)
        facts += tool_facts(kinds.tools, kinds.models, talk)
        facts += spoken([bound.span for bound in bounds], kinds.models, talk, forest)
        facts += _untold(kinds.models, talk)
        for seen, span in facts:
            yield Sighting(seen, span, self.name)


def _kinds(spans: Sequence[Span], forest: Forest) -> Kinds:
    by_kind: dict[str, list[Span]] = {}
    for span in spans:
        by_kind.setdefault(text(span.attributes.get(names.OI_KIND)).upper(), []).append(span)
    tools = by_kind.get("TOOL", [])
    handoffs = [span for span in tools if span.name.startswith(HANDOFF) and names.OI_TOOL_NAME not in span.attributes]
    passed = {span.ref for span in handoffs}
    agents = by_kind.get("AGENT", [])
    return Kinds(
        agents=[span for span in agents if span.scope != LANGCHAIN],
        chains=[*by_kind.get("CHAIN", []), *(span for span in agents if span.scope == LANGCHAIN)],
        models=_each_once(by_kind.get("LLM", []), forest),
        tools=[span for span in tools if span.ref not in passed],
        handoffs=handoffs,
    )


def _each_once(models: Sequence[Span], forest: Forest) -> list[Span]:
    """The model calls in order of time; of calls inside each other (llama-index, two instrumentations) the outermost.

    Where that tells nothing of the call, the one inside it stands for it. What tells nothing beside calls of its scope
    that do is none: llama-index has the same kind for the preparation of a call.
    """
    telling = {span.ref: span for span in models if _tells(span)}
    scopes = {span.scope for span in telling.values()}
    above = forest.nearest({span.ref for span in models})
    spoken_for = {above.get(forest.parent(ref) or "") for ref in telling}
    mute = {span.ref: span for span in models if span.scope not in scopes and span.ref not in spoken_for}
    told = telling | mute
    nearest = forest.nearest(told)
    outermost = [span for ref, span in told.items() if forest.parent(ref) not in nearest]
    return sorted(outermost, key=lambda span: (span.start_ns, span.ref))


def _tells(span: Span) -> bool:
    """True for a model call that failed, or says what was said or how much."""
    said = (names.OI_INPUT_MESSAGES, names.OI_OUTPUT_MESSAGES, names.OI_INPUT_TOKENS)
    return span.status == STATUS_ERROR or any(key.startswith(said) for key in span.attributes)


def _agent(bound: Bound) -> fact.AgentInvoked:
    span, attributes = bound.span, bound.span.attributes
    end = ending(span, Result({}, ""))
    return fact.AgentInvoked(
        **_about(span),
        boundary=bound.boundary,
        name=bound.name,
        session=session_of(span),
        end_ns=span.end_ns,
        outcome=end.outcome if span.end_ns else "open",
        error_type=end.error_type,
        error=end.error,
        input_tokens=count(attributes.get(names.OI_INPUT_TOKENS)),
        output_tokens=count(attributes.get(names.OI_OUTPUT_TOKENS)),
    )


def _model(span: Span) -> fact.ModelCalled:
    attributes = span.attributes
    end = ending(span, Result({}, ""))
    response = _RESPONSE_ID.match(text(attributes.get(names.OI_OUTPUT)))
    return fact.ModelCalled(
        **_about(span),
        model=text(attributes.get(names.OI_MODEL)),
        call_id=response[1] if response else "",
        end_ns=span.end_ns,
        failed=end.outcome in ("failed", "denied", "cancelled"),
        error_type=end.error_type,
        error=end.error,
        input_tokens=count(attributes.get(names.OI_INPUT_TOKENS)),
        output_tokens=count(attributes.get(names.OI_OUTPUT_TOKENS)),
        cache_read_tokens=count(attributes.get(names.OI_CACHE_READ_TOKENS)),
        cost_usd=number(attributes.get(names.OI_COST)),
    )


def _untold(models: Sequence[Span], talk: Talk) -> Iterator[tuple[fact.AnyFact, Span]]:
    """What the model calls do not tell."""
    for span in models:
        if not talk.out_of(span) and not talk.into(span):
            yield fact.LimitNoticed(**_about(span), limit=limits.CONTENT_OFF), span


def _about(span: Span) -> dict[str, Any]:
    return {"ref": span.ref, "time_ns": span.start_ns}
