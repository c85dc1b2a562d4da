"""Links of telemetry that names no session at all, each model call or tool call being a trace of its own.

Only where nothing is around a call and it names no session. Calls of a model that begin alike, in one process, are
grouped: they may be of one conversation, and which go on with which is told by their histories, when they are folded.
Looked for in the scopes of the table alone, so that it costs nothing to anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.model import names

Begins = Callable[[Any, str], tuple[str, ...]]
"""The links of a message, given the process that sent it ("" where its resource does not say)."""


def _of_mcp_client(span: Any, process: str) -> tuple[str, ...]:
    """One client's calls belong together; those of a server do not: it serves many."""
    alone = process and not span.parent_span_id and span.kind == Span.SPAN_KIND_CLIENT
    return (f"mcp-client:{process}",) if alone else ()


BEGINNINGS: Final[Mapping[tuple[str, str], Begins]] = {
    ("span", names.MCP_SDK_SCOPE): _of_mcp_client,
    ("span", names.FASTMCP_SCOPE): _of_mcp_client,
}
"""What is sent, and in which scope, to what finds links in it."""
