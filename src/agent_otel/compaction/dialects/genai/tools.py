"""Facts of tool spans: the call, and the file or command it was about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agent_otel.compaction.dialects.genai.results import (
    Ending,
    Result,
    command_result,
    ending,
    exit_code,
    undone,
    unwrap,
)
from agent_otel.compaction.dialects.genai.talk import Talk
from agent_otel.compaction.dialects.genai.vocabulary import Action, actions
from agent_otel.compaction.dialects.values import first, is_cut, text
from agent_otel.compaction.times import seconds
from agent_otel.model import fact, names
from agent_otel.model.item import Span
from agent_otel.text.truncation import tail

TAIL = 1000
"""The most bytes of a command's output that are kept."""


def tool_facts(tools: Sequence[Span], calls: Sequence[Span], talk: Talk) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The facts of tool spans.

    Args:
        tools: the spans.
        calls: the model calls in order of time; their messages may know what the tool spans leave out.
        talk: what was said.
    """
    real = [span for span in tools if span.attributes.get(names.TOOL_NAME) != names.ADK_MERGED_TOOLS]
    given = {span.ref: _given(span) for span in real}
    answers = {span.ref: _answer(span) for span in real}
    asked = talk.requested(calls, {_call_id(span) for span in real if given[span.ref] is None} - {""})
    returned = talk.returned(calls, {_call_id(span) for span in real if answers[span.ref] is None} - {""})
    for span in real:
        arguments, answer = given[span.ref], answers[span.ref]
        arguments = asked.get(_call_id(span)) if arguments is None else arguments
        answer = returned.get(_call_id(span)) if answer is None else answer
        for seen in _facts(span, arguments, answer):
            yield seen, span


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


def _facts(span: Span, arguments: Any, answer: Any) -> Iterator[fact.AnyFact]:
    result = unwrap(answer)
    end = ending(span, result)
    name = text(span.attributes.get(names.TOOL_NAME))
    about: dict[str, Any] = {"ref": span.ref, "time_ns": span.start_ns}
    yield fact.ToolCalled(
        **about,
        name=name,
        call_id=_call_id(span),
        outcome=end.outcome,
        error_type=end.error_type,
        error=end.error,
        duration_s=seconds(span.start_ns, span.end_ns),
    )
    if end.outcome == "denied":
        yield fact.GateDecided(**about, tool=name, outcome="deny", reason=end.error)
    if arguments is None:
        yield fact.LimitNoticed(**about, limit="content-off")
    if is_cut(arguments) or is_cut(answer):
        yield fact.LimitNoticed(**about, limit="attribute-cut")
    for action in actions(name, arguments):
        if action.operation == "run":
            yield _command(span, action, end, result)
        elif end.outcome == "ok":
            yield from _file(span, action, result)


def _command(span: Span, action: Action, end: Ending, result: Result) -> fact.CommandRun:
    code = exit_code(span.attributes, result)
    return fact.CommandRun(
        ref=span.ref,
        time_ns=span.start_ns,
        command=action.command,
        result=command_result(end, code, result),
        exit_code=code,
        duration_s=seconds(span.start_ns, span.end_ns),
        directory=action.directory,
        output_tail=tail(result.text.strip(), TAIL).text,
    )


def _file(span: Span, action: Action, result: Result) -> Iterator[fact.AnyFact]:
    if action.operation == "read":
        yield fact.FileRead(ref=span.ref, time_ns=span.start_ns, path=action.path, lines=action.lines)
    elif not undone(result):
        yield fact.FileChanged(
            ref=span.ref,
            time_ns=span.start_ns,
            path=action.path,
            operation=action.operation,
            old_path=action.old_path,
        )
