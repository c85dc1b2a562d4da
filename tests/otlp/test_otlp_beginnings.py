"""Links of telemetry that names no session: by its process, and by how its conversations begin."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_otel.model import names
from agent_otel.otlp.otlp_json import items_from_json

TRACE, SPAN = "a" * 32, "b" * 16
PROCESS = {names.SERVICE_INSTANCE_ID: "one"}


def value(given: Any) -> dict[str, Any]:
    """A value as OTLP/JSON."""
    if isinstance(given, dict):
        return {"kvlistValue": {"values": pairs(given)}}
    return {"stringValue": given} if isinstance(given, str) else {"intValue": given}


def pairs(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP/JSON."""
    return [{"key": key, "value": value(entry)} for key, entry in given.items()]


def links(scope: str, resource: dict[str, Any], signal: str = "span", **item: Any) -> tuple[str, ...]:
    """The links of one span or log record, without its trace."""
    item["attributes"] = pairs(item.get("attributes", {}))
    kinds = {"span": ("resourceSpans", "scopeSpans", "spans"), "log": ("resourceLogs", "scopeLogs", "logRecords")}
    outer, middle, inner = kinds[signal]
    whole = {"traceId": TRACE, "spanId": SPAN, **item}
    body = {
        outer: [{"resource": {"attributes": pairs(resource)}, middle: [{"scope": {"name": scope}, inner: [whole]}]}]
    }
    (found,) = items_from_json(json.dumps(body).encode(), signal).items  # type: ignore[arg-type]  # one of two words
    assert found.links[0] == f"trace:{TRACE}"
    return found.links[1:]


@pytest.mark.parametrize("scope", [names.MCP_SDK_SCOPE, names.FASTMCP_SCOPE])
def test_calls_of_one_mcp_client_belong_together(scope: str) -> None:
    """By their process."""
    assert links(scope, PROCESS, kind=3) == ("mcp-client:one",)


@pytest.mark.parametrize(
    ("scope", "resource", "span"),
    [
        pytest.param("mcp-other", PROCESS, {"kind": 3}, id="another scope"),
        pytest.param(names.MCP_SDK_SCOPE, {}, {"kind": 3}, id="no process"),
        pytest.param(names.MCP_SDK_SCOPE, PROCESS, {"kind": 2}, id="a server"),
        pytest.param(names.MCP_SDK_SCOPE, PROCESS, {"kind": 3, "parentSpanId": SPAN[::-1]}, id="part of a trace"),
    ],
)
def test_other_spans_of_mcp_do_not(scope: str, resource: dict[str, Any], span: dict[str, Any]) -> None:
    """Servers serve many, and what is in a trace has its place there."""
    assert links(scope, resource, **span) == ()


def test_a_session_that_is_named_counts_alone() -> None:
    """Of the item or of its resource."""
    named = {names.SESSION_ID: "s"}
    assert links(names.FASTMCP_SCOPE, PROCESS, kind=3, attributes=named) == ("session.id:s",)
    assert links(names.FASTMCP_SCOPE, {**PROCESS, **named}, kind=3) == ("session.id:s",)
