"""The dialect: which items are GenAI telemetry, and the facts of its agent and model spans.

Operations are recognised by ``gen_ai.operation.name``. Span names are never read: they are for people
(``running tool``, ``execute_tool (merged)``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.genai.adk import adk_operation, adk_subject, outermost
from agent_otel.compaction.dialects.genai.talk import Talk, event_name
from agent_otel.compaction.dialects.genai.tools import tool_facts
from agent_otel.compaction.reading.messages import ROLES
from agent_otel.compaction.reading.models import model_called
from agent_otel.compaction.reading.results import Result, ending
from agent_otel.compaction.reading.stitched import spoken
from agent_otel.compaction.reading.values import count, first, text
from agent_otel.compaction.sessions import session_of
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, names
from agent_otel.model.item import Log, Span

AGENTS: Final = (names.INVOKE_AGENT, names.INVOKE_WORKFLOW)
MODELS: Final = (names.CHAT, names.GENERATE_CONTENT, names.TEXT_COMPLETION)
OPERATIONS: Final = frozenset([*AGENTS, *MODELS, names.EXECUTE_TOOL, names.CREATE_AGENT, names.EMBEDDINGS])
EVENTS: Final = frozenset([names.INFERENCE_DETAILS, names.EVALUATION_RESULT, *ROLES])


def operation(span: Span) -> str:
    """What a span does, in the words of the conventions; "" for what they have no word for."""
    stated = text(span.attributes.get(names.OPERATION_NAME))
    return stated if stated in OPERATIONS else adk_operation(span)


class GenAI:
    """Reads the GenAI conventions, whoever emits them."""

    name = "genai"
    about = "OpenTelemetry's GenAI conventions, old and new, whoever follows them: spans, span events, log records"
    scopes: tuple[str, ...] = ()

    def claims(self, item: Span | Log) -> bool:
        """Spans of a known operation, and the log events of the conventions."""
        return bool(operation(item)) if isinstance(item, Span) else event_name(item) in EVENTS

    def place(self, item: Span | Log) -> Place | None:  # noqa: ARG002 - the protocol's
        """None: agent spans say where they belong."""
        return None

    def backdrop(self, item: Span | Log) -> bool:
        """Frameworks make agents in traces of their own; running them is another trace."""
        return isinstance(item, Span) and operation(item) == names.CREATE_AGENT

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of spans, and of what was said between agent and model."""
        doing: dict[str, list[Span]] = {name: [] for name in OPERATIONS}
        for item in items:
            if isinstance(item, Span):
                doing.setdefault(operation(item), []).append(item)
        bounds = [span for name in AGENTS for span in doing[name]]
        logged = _only_logged(items, forest)
        models = [*(span for name in MODELS for span in doing[name]), *(span for span, _ in logged)]
        calls = sorted(outermost(models, forest), key=lambda span: (span.start_ns, span.ref))
        talk = Talk(items)
        facts: list[tuple[fact.AnyFact, Span]] = [(_agent(span), span) for span in bounds]
        facts += ((model_called(span), span) for span in calls)
        facts += tool_facts(doing[names.EXECUTE_TOOL], calls, talk)
        facts += spoken(bounds, calls, talk, forest)
        records = {id(span): log for span, log in logged}
        for seen, span in facts:
            log = records.get(id(span))
            told = Sighting(seen, span, self.name)
            yield told if log is None else Sighting(msgspec.structs.replace(seen, ref=log.ref), log, self.name)


def _only_logged(items: Sequence[Span | Log], forest: Forest) -> list[tuple[Span, Log]]:
    """Model calls of which there are log records but no span: a span with what a record says stands in for it.

    That is the one record of a call, or with the old events the record of its answer.
    """
    found: dict[str, Log] = {}
    for item in items:
        if isinstance(item, Log) and item.ref not in forest.spans:
            name = event_name(item)
            if name == names.INFERENCE_DETAILS or (name == names.CHOICE and item.ref):
                found.setdefault(item.ref or item.key, item)
    return [(_stand_in(log), log) for log in found.values()]


def _stand_in(log: Log) -> Span:
    attributes = {**log.attributes, **(log.body if isinstance(log.body, dict) else {})}
    return Span(
        trace_id=log.trace_id,
        span_id=log.span_id or log.key,
        start_ns=log.time_ns,
        end_ns=log.time_ns,
        attributes=attributes,
        resource=log.resource,
    )


def _agent(span: Span) -> fact.AgentInvoked:
    attributes = span.attributes
    end = ending(span, Result({}, ""))
    return fact.AgentInvoked(
        **_about(span),
        boundary="workflow" if operation(span) == names.INVOKE_WORKFLOW else "agent",
        name=text(first(attributes, names.AGENT_NAME, names.WORKFLOW_NAME)) or adk_subject(span),
        version=text(attributes.get(names.AGENT_VERSION)),
        model=text(attributes.get(names.REQUEST_MODEL)),
        session=session_of(span),
        end_ns=span.end_ns,
        outcome=end.outcome if span.end_ns else "open",
        error_type=end.error_type,
        error=end.error,
        input_tokens=count(first(attributes, names.INPUT_TOKENS, names.PROMPT_TOKENS_OLD)),
        output_tokens=count(first(attributes, names.OUTPUT_TOKENS, names.COMPLETION_TOKENS_OLD)),
    )


def _about(span: Span) -> dict[str, Any]:
    return {"ref": span.ref, "time_ns": span.start_ns}
