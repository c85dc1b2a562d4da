"""Tool calls from spans of kind ``tool``: decorated functions, and LangChain's callbacks.

OpenLLMetry 0.47 tells neither arguments nor results of the tools of OpenAI Agents: what the model asked for stands in,
by the name of the tool and the order of the calls.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.traceloop.talk import Talk
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.messages import ToolRequest
from agent_otel.compaction.reading.results import ending, unwrap
from agent_otel.compaction.reading.values import CUT, first, loads, mapping, text, unescaped
from agent_otel.compaction.times import seconds
from agent_otel.model import fact, names
from agent_otel.model.item import Span

SUFFIX: Final = ".tool"
"""Ends the names of spans of tools that say their name nowhere else."""


def tool_facts(tools: Sequence[Span], calls: Sequence[Span], talk: Talk) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The facts of tool spans.

    Args:
        tools: the spans.
        calls: the model calls in order of time.
        talk: what was said.
    """
    bare = [span for span in tools if _given(span) is None]
    asked = dict(_asked(bare, calls, talk))
    for span in tools:
        for seen in call_facts(_call(span, asked.get(span.ref))):
            yield seen, span


def _asked(bare: Sequence[Span], calls: Sequence[Span], talk: Talk) -> Iterator[tuple[str, ToolRequest]]:
    """What the model asked for, by the spans that do not tell."""
    waiting: Mapping[tuple[str, str], deque[ToolRequest]] = defaultdict(deque)
    for span in calls if bare else ():
        for said in talk.out_of(span):
            for request in said.requests:
                waiting[span.trace_id, request.name].append(request)
    for span in sorted(bare, key=lambda span: (span.start_ns, span.ref)):
        if queue := waiting[span.trace_id, _name(span)]:
            yield span.ref, queue.popleft()


def _call(span: Span, asked: ToolRequest | None) -> Call:
    given = _given(span)
    answer = _gave(span)
    result = unwrap(answer)
    stated = text(mapping(mapping(given).get("kwargs")).get("tool_call_id")) or result.call_id
    return Call(
        ref=span.ref,
        time_ns=span.start_ns,
        name=_name(span),
        end=ending(span, result),
        call_id=asked.call_id if asked else stated,
        arguments=asked.arguments if asked else given,
        answer=answer,
        result=result,
        duration_s=seconds(span.start_ns, span.end_ns),
    )


def _given(span: Span) -> Any:
    return first(span.attributes, names.TRACELOOP_INPUT, names.TOOL_CALL_ARGUMENTS)


def _gave(span: Span) -> Any:
    """The result. One that is text is JSON of it, which a limit may have cut; and that text may be JSON again."""
    told = first(span.attributes, names.TRACELOOP_OUTPUT, names.TOOL_CALL_RESULT)
    found = loads(told)
    is_open = found is told and text(told).startswith('"')
    return unescaped(told[1:]) + CUT if is_open else found


def _name(span: Span) -> str:
    said = text(first(span.attributes, names.TOOL_NAME, names.TRACELOOP_NAME, f"{names.COMPLETIONS}tool.name"))
    return said or span.name.removesuffix(SUFFIX)
