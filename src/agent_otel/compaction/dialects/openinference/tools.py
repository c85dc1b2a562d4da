"""Tool calls from spans of kind TOOL.

Arguments are JSON, nested in ``kwargs``, or the bare value of a tool with one argument; results are texts, or
LangChain's messages, which name the call that the model asked for. What the model asked for has the arguments by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.openinference.talk import SCOPES, Talk, shown
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.conversation import claimed, requested
from agent_otel.compaction.reading.results import ending, unwrap
from agent_otel.compaction.reading.values import first, text
from agent_otel.compaction.times import seconds
from agent_otel.model import fact, names
from agent_otel.model.item import Span

FINAL_ANSWER: Final = "final_answer"
"""smolagents' agents end by calling this tool with their last words."""
AGNO: Final = f"{SCOPES}agno"
"""Whose ``tool.parameters`` are the arguments; elsewhere they are the schema of the tool."""


def tool_facts(tools: Sequence[Span], calls: Sequence[Span], talk: Talk) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The facts of tool spans.

    Args:
        tools: the spans.
        calls: the model calls in order of time.
        talk: what was said.
    """
    results = {span.ref: unwrap(shown(span, names.OI_OUTPUT)) for span in tools}
    ids = {span.ref: _stated_id(span) or results[span.ref].call_id for span in tools}
    asked = requested(talk, calls, set(ids.values()) - {""})
    for span in tools:
        result, answer = results[span.ref], shown(span, names.OI_OUTPUT)
        end = ending(span, result)
        name = text(span.attributes.get(names.OI_TOOL_NAME)) or span.name
        if name == FINAL_ANSWER:
            if end.outcome == "ok" and result.text.strip():
                yield claimed(span, result.text), span
            continue
        wanted = asked.get(ids[span.ref])
        call = Call(
            ref=span.ref,
            time_ns=span.start_ns,
            name=name,
            end=end,
            call_id=ids[span.ref],
            arguments=_given(span) if wanted is None else wanted,
            answer=answer,
            result=result,
            duration_s=seconds(span.start_ns, span.end_ns),
        )
        for seen in call_facts(call):
            yield seen, span


def _stated_id(span: Span) -> str:
    return text(first(span.attributes, names.OI_TOOL_CALL_ID, names.OI_TOOL_ID))


def _given(span: Span) -> Any:
    given = shown(span, names.OI_INPUT)
    return shown(span, names.OI_TOOL_PARAMETERS) if given is None and span.scope == AGNO else given
