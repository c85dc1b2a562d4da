"""GitHub Copilot CLI: what it tells beside the GenAI conventions."""

from __future__ import annotations

from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S


def span(number: int, operation: str, parent: int = 1, *, at: float = 1, **rest: Any) -> Span:
    """A span of half a second."""
    attributes = {names.OPERATION_NAME: operation, names.CONVERSATION_ID: "c", **rest.pop("attributes", {})}
    return Span(
        trace_id="a" * 32,
        span_id=f"{number:016x}",
        parent_id="" if number == 1 else f"{parent:016x}",
        start_ns=int(at * S),
        end_ns=int(at * S) + S // 2,
        attributes=attributes,
        scope=names.COPILOT_SCOPE,
        **{"resource": {names.SERVICE_VERSION: "1.0.102"}, **rest},
    )


def tool(number: int, name: str, *, at: float = 2, **attributes: Any) -> Span:
    """A call of a tool."""
    return span(number, "execute_tool", at=at, attributes={names.TOOL_NAME: name, **attributes})


def record(*items: Span | Log) -> RunRecord:
    """The only record."""
    (found,) = compact(items, now_ns=LATER)
    return found


def test_who_ran() -> None:
    """The agent has no name, and the version is that of the service, else of the scope."""
    found = record(span(1, "invoke_agent"))
    assert (found.agent.name, found.agent.version, found.agent.dialect) == ("copilot-cli", "1.0.102", "copilot-cli")
    assert record(span(1, "invoke_agent", resource={}, scope_version="1.2")).agent.version == "1.2"


def test_an_agent_with_a_name_is_a_child() -> None:
    """What an agent starts is named."""
    found = compact(
        [
            span(1, "invoke_agent"),
            tool(2, "task"),
            span(3, "invoke_agent", 2, attributes={names.AGENT_NAME: "explore", names.AGENT_VERSION: "2"}),
        ],
        now_ns=LATER,
    )
    assert [(each.run_id, each.agent.name, each.agent.version) for each in found] == [
        ("c", "copilot-cli", "1.0.102"),
        ("c/explore", "explore", "2"),
    ]


@pytest.mark.parametrize(
    ("attributes", "commands", "failures"),
    [
        ({names.TOOL_CALL_ARGUMENTS: '{"command": "make"}'}, [("make", "failed")], [("make", "exit code 1")]),
        ({names.COPILOT_COMMAND: "make"}, [("make", "failed")], [("make", "exit code 1")]),
        ({}, [], [(None, "exit code 1")]),
        ({names.COPILOT_COMMAND: "{'value': 'make'}"}, [], []),
    ],
)
def test_a_command_that_fails(
    attributes: dict[str, Any], commands: list[tuple[str, str]], failures: list[tuple[str | None, str]]
) -> None:
    """The exit code is told always; what was run only with content, in one place or the other."""
    found = record(span(1, "invoke_agent"), tool(2, "bash", **attributes, **{names.PROCESS_EXIT_CODE: 1}))
    assert [(each.command, each.result) for each in found.commands] == commands
    assert [(each.command, each.error) for each in found.failures] == failures
    assert ("content-off" in found.capture.limits) == (not commands)


def test_what_cannot_be_seen_is_named() -> None:
    """Without content neither task nor words nor paths are known; with it costs are not, and what scripts change."""
    bare = record(span(1, "invoke_agent"), tool(2, "view"), tool(3, "bash", **{names.PROCESS_EXIT_CODE: 0}))
    assert set(bare.capture.limits) == {
        "commands-untold",
        "content-off",
        "costs-untold",
        "final-message-untold",
        "paths-untold",
        "prompt-untold",
        "shell-edits-unseen",
    }
    assert bare.failures == ()
    said = {names.INPUT_MESSAGES: "[]", names.OUTPUT_MESSAGES: "[]"}
    told = record(span(1, "invoke_agent", attributes=said), tool(2, "view", **{names.COPILOT_FILE: "a.py"}))
    assert set(told.capture.limits) == {"costs-untold", "shell-edits-unseen"}
    assert [each.path for each in told.files_inspected] == ["a.py"]


@pytest.mark.parametrize(("message", "errors"), [("400 bad", ["400 bad"]), ("", ["Model call failed"])])
def test_one_reason_is_one_failure(message: str, errors: list[str]) -> None:
    """A failed call to the model does not tell why; the agent that ends for it does."""
    call = span(2, "chat", status=2, status_message="Model call failed")
    found = record(span(1, "invoke_agent", status=2, status_message=message), call)
    assert ([each.error for each in found.failures], found.outcome) == (errors, "failed")


def test_what_is_no_operation_is_no_run() -> None:
    """Spans of permissions and of its inside make no facts."""
    inside = span(2, "permission")
    log = Log(key="k", time_ns=1, scope=names.COPILOT_SCOPE)
    assert compact([inside, log], now_ns=LATER) == []
    assert record(span(1, "invoke_agent"), inside, log).capture.unrecognised == 0
