"""The dialect: which spans are of the protocol, and the tool calls among them, each counted once.

Seen: mcp SDK 2.3 and fastmcp 4.1 for Python, 2026-11-21, over stdio. One call is up to three spans, client library
around SDK around server, of two processes; a failure may be told by the innermost alone (the SDK's own client span
stays unset). Neither has arguments or results, so a client without an agent around it gives tool names and failures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.results import ending, unwrap
from agent_otel.compaction.reading.values import first, text
from agent_otel.compaction.times import seconds
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Log, Span

CLIENT: Final = 3
"""The kind of a client's span, in OTLP."""

_TOOLS: Final[Mapping[str, frozenset[str]]] = {
    names.OPERATION_NAME: frozenset([names.EXECUTE_TOOL]),
    names.OI_KIND: frozenset(["TOOL"]),
    names.TRACELOOP_KIND: frozenset(["tool"]),
    names.LMNR_TYPE: frozenset(["TOOL"]),
}
"""How agents mark their own tool spans: where one is around, arguments and results are theirs to tell."""


class MCP:
    """Reads the spans of MCP clients and servers."""

    name = "mcp"
    about = "MCP clients and servers: spans of tools/call; one process's client calls without an agent are one run"
    scopes = (names.MCP_SDK_SCOPE, names.FASTMCP_SCOPE)

    def claims(self, item: Span | Log) -> bool:
        """Spans that name a method of the protocol."""
        return isinstance(item, Span) and bool(_method(item))

    def place(self, item: Span | Log) -> Place | None:  # noqa: ARG002 - the protocol's
        """None: calls lie in traces, and those of a client alone are turns of one session."""
        return None

    def backdrop(self, item: Span | Log) -> bool:
        """Everything but calling tools: shaking hands, listing what there is."""
        return isinstance(item, Span) and _method(item) != names.MCP_TOOLS_CALL

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """A session for the calls that nothing is around, and each call with what the spans below it know of it."""
        spans = [item for item in items if isinstance(item, Span)]
        for span in spans:
            if (alone := _alone(span)) is not None:
                yield Sighting(alone, span, self.name)
        told = _told_by(spans, forest)
        for nest in _nests([span for span in spans if _method(span) == names.MCP_TOOLS_CALL], forest):
            for seen in call_facts(_call(nest, told=nest[0].ref in told)):
                yield Sighting(seen, nest[0], self.name)


def _method(span: Span) -> str:
    return text(span.attributes.get(names.MCP_METHOD))


def _alone(span: Span) -> fact.AgentInvoked | None:
    """A turn of the client, for a span of a client that nothing is around; servers serve many."""
    process = text(span.resource.get(names.SERVICE_INSTANCE_ID))
    if span.parent_id or span.kind != CLIENT or not process:
        return None
    session = f"mcp-{process}"
    return fact.AgentInvoked(
        ref=span.ref, time_ns=span.start_ns, boundary="workflow", session=session, end_ns=span.end_ns
    )


def _tool(span: Span) -> str:
    """The tool's name; the SDK has it in the span's name only, which the conventions make of method and tool."""
    stated = text(span.attributes.get(names.TOOL_NAME))
    return stated or span.name.rpartition(f"{names.MCP_TOOLS_CALL} ")[2].strip()


def _nests(calls: Sequence[Span], forest: Forest) -> Iterator[list[Span]]:
    """Each call with the spans of the same call inside it, the outermost first."""
    known = {span.ref: span for span in calls}
    nearest = forest.nearest(known)
    top: dict[str, str] = {}
    nests: dict[str, list[Span]] = defaultdict(list)
    for ref in forest.spans:  # parents before children
        if ref in known:
            outer = nearest.get(forest.parent(ref) or "", "")
            again = outer and _tool(known[outer]) == _tool(known[ref])
            top[ref] = top[outer] if again else ref
            nests[top[ref]].append(known[ref])
    yield from nests.values()


def _told_by(spans: Sequence[Span], forest: Forest) -> set[str]:
    """The refs of spans inside tool spans of an agent, which has what the protocol's spans have not."""
    tools = {ref for ref, span in forest.spans.items() if _is_tool(span)} if spans else set()
    return set(forest.nearest(tools))


def _is_tool(span: Span) -> bool:
    if names.MCP_METHOD in span.attributes:
        return False
    return any(text(span.attributes.get(name)) in words for name, words in _TOOLS.items())


def _call(nest: Sequence[Span], *, told: bool) -> Call:
    outermost = nest[0]
    answer = _first_of(nest, names.TOOL_CALL_RESULT)
    result = unwrap(answer)
    ends = [ending(span, result) for span in nest]
    off = "" if told else limits.CONTENT_OFF
    return Call(
        ref=outermost.ref,
        time_ns=outermost.start_ns,
        name=_tool(outermost),
        end=next((end for end in ends if end.outcome not in ("ok", "open")), ends[0]),
        call_id=text(_first_of(nest, names.TOOL_CALL_ID)),
        arguments=_first_of(nest, names.TOOL_CALL_ARGUMENTS),
        answer=answer,
        result=result,
        duration_s=seconds(outermost.start_ns, outermost.end_ns),
        content_off=off,
    )


def _first_of(nest: Sequence[Span], name: str) -> Any:
    return next((found for span in nest if (found := first(span.attributes, name)) is not None), None)
