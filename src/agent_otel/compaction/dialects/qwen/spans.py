"""The spans of Qwen Code: calls of tools and models, what runs inside of them, and the agent's turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from agent_otel.compaction.dialects.gemini.models import Talk
from agent_otel.compaction.dialects.gemini.tools import Told, ended, together
from agent_otel.compaction.reading.results import Ending, unwrap
from agent_otel.compaction.reading.values import STATUS_ERROR, first, text, whole
from agent_otel.compaction.times import seconds
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, names
from agent_otel.model.item import Span

INTERACTION: Final = "interaction"
LLM_REQUEST: Final = "llm_request"
TOOL: Final = "tool"
EXECUTION: Final = "tool.execution"
POST: Final = "POST"
"""What the instrumentation of Node.js's HTTP client calls a request to the model."""
STOPPED: Final = frozenset(["stop", "end_turn", "length", "max_tokens"])
"""Reasons of models to end other than that tools are called; Google's ``STOP`` may be either, and is not here."""
FIRST_ERROR: Final = 400
"""The first HTTP status that is an error."""


def kind(span: Span) -> str:
    """The name of a span without the agent's prefix."""
    return span.name.removeprefix(names.QWEN_EVENTS)


def tool_of(span: Span) -> Told:
    """A span of a tool call, or of the tool's work in it."""
    get = span.attributes.get
    answer = get(names.TOOL_CALL_RESULT)
    execution = get(names.FORK_EXECUTION)
    return Told(
        item=span,
        ref=span.ref,
        time_ns=span.start_ns,
        name=text(get(names.TOOL_NAME)),
        end=_ending(span)._replace(started=execution != "not_started"),
        call_id=text(first(span.attributes, names.TOOL_CALL_ID, names.OPENCODE_CALL_ID)),
        arguments=get(names.TOOL_CALL_ARGUMENTS),
        said=None if answer is None else unwrap(answer).text,
        zero=execution == "success",
        duration_s=seconds(span.start_ns, span.end_ns),
    )


def _ending(span: Span) -> Ending:
    get = span.attributes.get
    wrong = text(first(span.attributes, names.OWN_ERROR_TYPE, names.QWEN_FAILURE_KIND, names.ERROR_TYPE))
    if span.status == STATUS_ERROR or get(names.OWN_SUCCESS) in (False, "false") or wrong:
        return ended("failed", wrong, text(get(names.OWN_ERROR)) or span.status_message)
    return Ending("ok" if span.end_ns else "open")


def joined(calls: Iterable[Span], executions: Iterable[Span], logs: Iterable[Told]) -> Iterator[Told]:
    """Each call once, by its id; what only the work inside of it tells counts where there is nothing around."""
    by_id: dict[str, list[list[Told]]] = defaultdict(lambda: [[], [], []])
    for rank, tellings in enumerate((map(tool_of, calls), map(tool_of, executions), logs)):
        for told in tellings:
            by_id[told.call_id or told.ref][rank].append(told)
    for ranks in by_id.values():
        for number in range(max(map(len, ranks))):  # some models use an id again
            tellings = [rank[number] for rank in ranks if number < len(rank)]
            told = tellings[0]
            for other in tellings[1:]:
                told = together(told, other)
            yield told


def answers(span: Span) -> bool:
    """True for a call that ended without asking for tools; log records do not tell why a call ended."""
    stopped = text(span.attributes.get(names.FORK_FINISH_REASON)) in STOPPED
    asks = any(message.requests for message in Talk().out_of(span))
    return bool(span.end_ns and span.status != STATUS_ERROR and stopped and not asks)


def retries(posts: Iterable[Span], requests: Iterable[Span], forest: Forest) -> Iterator[tuple[Span, fact.ModelCalled]]:
    """Requests that failed and were made again: all failed ones of a call, but for one where the call failed, too."""
    failed: dict[str, list[Span]] = defaultdict(list)
    for post in posts:
        status = whole(post.attributes.get(names.HTTP_STATUS))
        if post.status == STATUS_ERROR or (status is not None and status >= FIRST_ERROR):
            failed[forest.parent(post.ref) or ""].append(post)
    for request in requests:
        again = sorted(failed[request.ref], key=lambda post: (post.start_ns, post.ref))
        for post in again[:-1] if request.status == STATUS_ERROR else again:
            status = whole(post.attributes.get(names.HTTP_STATUS))
            yield (
                request,
                fact.ModelCalled(
                    ref=request.ref,
                    time_ns=post.start_ns,
                    end_ns=post.end_ns,
                    model=text(request.attributes.get(names.REQUEST_MODEL)),
                    failed=True,
                    error_type=str(status or names.ERROR_OTHER),
                    error=f"http {status}" if status else post.status_message,
                ),
            )
