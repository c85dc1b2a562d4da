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


def history(*said: tuple[str, str], separator: str = ", ") -> str:
    """Messages as JSON text."""
    return "[" + separator.join(json.dumps({"role": role, "content": content}) for role, content in said) + "]"


TASK = (("system", "You help."), ("user", "Fix the parser."))
MORE = (*TASK, ("assistant", "Next."), ("tool", "1 failed"))


@pytest.mark.parametrize("scope", [names.LITELLM_SCOPE, names.OPENAI_SCOPE])
@pytest.mark.parametrize("signal", ["span", "log"])
def test_calls_whose_histories_begin_alike_belong_together(scope: str, signal: str) -> None:
    """In one process; another task is another conversation, and so is another process."""
    (first,) = links(scope, PROCESS, signal, attributes={names.INPUT_MESSAGES: history(*TASK)})
    assert first.startswith("conversation:")
    assert links(scope, PROCESS, signal, attributes={names.INPUT_MESSAGES: history(*MORE)}) == (first,)
    others = [
        links(scope, PROCESS, signal, attributes={names.INPUT_MESSAGES: history(TASK[0], ("user", "Fix the lexer."))}),
        links(scope, {}, signal, attributes={names.INPUT_MESSAGES: history(*TASK)}),
    ]
    assert len({first, *(link for found in others for link in found)}) == 3


@pytest.mark.parametrize(
    "given",
    [
        '[{"role": "user", "content": "Fix the par',
        "Fix the parser.",
        history(*[("system", "one")] * 9),
        "[1, 2]",
        "[" * 5000,
    ],
    ids=["cut", "text", "no user", "no messages", "nested"],
)
def test_a_history_that_cannot_be_read_counts_as_it_is(given: str) -> None:
    """A limit cuts all calls of a conversation at one place."""
    found = links(names.LITELLM_SCOPE, PROCESS, attributes={names.INPUT_MESSAGES: given})
    assert len(found) == 1
    assert found == links(names.LITELLM_SCOPE, PROCESS, attributes={names.INPUT_MESSAGES: given})


@pytest.mark.parametrize(
    "span",
    [
        {},
        {"attributes": {names.INPUT_MESSAGES: ""}},
        {"attributes": {names.INPUT_MESSAGES: history(*TASK)}, "parentSpanId": SPAN[::-1]},
    ],
    ids=["no content", "empty", "part of a trace"],
)
@pytest.mark.parametrize("scope", [names.LITELLM_SCOPE, names.OI_LITELLM_SCOPE])
def test_what_has_no_history_of_its_own_has_no_beginning(scope: str, span: dict[str, Any]) -> None:
    """Its trace is all there is."""
    assert links(scope, PROCESS, **span) == ()


def test_flattened_histories_begin_alike_too() -> None:
    """Up to the first words of the user."""
    flat = {
        f"llm.input_messages.{number}.message.{key}": value
        for number, (role, content) in enumerate(MORE)
        for key, value in (("role", role), ("content", content))
    }
    (first,) = links(names.OI_LITELLM_SCOPE, PROCESS, attributes=dict(list(flat.items())[:4]))
    assert links(names.OI_LITELLM_SCOPE, PROCESS, attributes=flat) == (first,)
    assert links(names.OI_LITELLM_SCOPE, PROCESS, attributes={**flat, "llm.input_messages.1.message.role": "x"}) == ()


LONG = "Fix the parser so that all of its tests pass."


@pytest.mark.parametrize(
    ("scope", "record"),
    [
        (names.OPENAI_SCOPE, {"eventName": names.USER_MESSAGE}),
        (names.OPENAI_SCOPE, {"attributes": {"event.name": names.USER_MESSAGE}}),
        (names.LITELLM_SCOPE, {"attributes": {"event_name": names.LITELLM_PROMPT}}),
    ],
    ids=["field", "attribute", "litellm"],
)
def test_long_messages_of_users_join_calls(scope: str, record: dict[str, Any]) -> None:
    """A short one may be said in any conversation, and so may what others say."""
    (link,) = links(scope, PROCESS, "log", body=value({"role": "user", "content": LONG}), **record)
    assert link.startswith("conversation:")
    assert links(scope, PROCESS, "log", body=value({"role": "user", "content": "Go on."}), **record) == ()
    assert links(scope, PROCESS, "log", body=value({"role": "user", "content": LONG})) == ()


def test_what_the_assistant_says_joins_nothing() -> None:
    """Nor what litellm was told by the system."""
    said = value({"role": "system", "content": LONG})
    assert links(names.LITELLM_SCOPE, PROCESS, "log", body=said, attributes={"event_name": names.LITELLM_PROMPT}) == ()
    assert links(names.OPENAI_SCOPE, PROCESS, "log", body=said, eventName=names.CHOICE) == ()
