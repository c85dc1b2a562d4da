"""Tool calls from the spans of the conventions, and from what model calls were asked and given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agent_otel.compaction.dialects.genai.adk import adk_subject
from agent_otel.compaction.dialects.genai.talk import Talk
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.conversation import requested, returned
from agent_otel.compaction.reading.results import ending, unwrap
from agent_otel.compaction.reading.values import first, text, whole
from agent_otel.compaction.times import seconds
from agent_otel.model import fact, names
from agent_otel.model.item import Span


def tool_facts(tools: Sequence[Span], calls: Sequence[Span], talk: Talk) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The facts of tool spans.

    Args:
        tools: the spans.
        calls: the model calls in order of time; their messages may know what the tool spans leave out.
        talk: what was said.
    """
    real = [span for span in tools if _name(span) != names.ADK_MERGED_TOOLS]
    given = {span.ref: _given(span) for span in real}
    answers = {span.ref: _answer(span) for span in real}
    asked = requested(talk, calls, {_call_id(span) for span in real if given[span.ref] is None} - {""})
    given_back = returned(talk, calls, {_call_id(span) for span in real if answers[span.ref] is None} - {""})
    for span in real:
        arguments, answer = given[span.ref], answers[span.ref]
        arguments = asked.get(_call_id(span)) if arguments is None else arguments
        answer = given_back.get(_call_id(span)) if answer is None else answer
        for seen in call_facts(_call(span, arguments, answer)):
            yield seen, span


def _call(span: Span, arguments: Any, answer: Any) -> Call:
    result = unwrap(answer)
    return Call(
        ref=span.ref,
        time_ns=span.start_ns,
        name=_name(span),
        end=ending(span, result),
        call_id=_call_id(span),
        arguments=arguments,
        answer=answer,
        result=result,
        exit_code=whole(span.attributes.get(names.PROCESS_EXIT_CODE)),
        duration_s=seconds(span.start_ns, span.end_ns),
    )


def _name(span: Span) -> str:
    return text(span.attributes.get(names.TOOL_NAME)) or adk_subject(span)


def _call_id(span: Span) -> str:
    return text(span.attributes.get(names.TOOL_CALL_ID))


def _given(span: Span) -> Any:
    """The arguments on a tool span; strands has them in an event of the old conventions."""
    found = first(span.attributes, names.TOOL_CALL_ARGUMENTS, names.PYDANTIC_ARGUMENTS, names.ADK_ARGUMENTS)
    told = (event.attributes.get("content") for event in span.events if event.name == names.TOOL_MESSAGE)
    return next(told, None) if found is None else found


def _answer(span: Span) -> Any:
    """The result on a tool span; strands has it as a choice."""
    found = first(span.attributes, names.TOOL_CALL_RESULT, names.PYDANTIC_RESPONSE, names.ADK_RESPONSE)
    told = (event.attributes.get("message") for event in span.events if event.name == names.CHOICE)
    return next(told, None) if found is None else found
