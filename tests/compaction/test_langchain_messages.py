"""LangChain's messages, in each way they are serialised."""

from __future__ import annotations

from typing import Any

import pytest

from agent_otel.compaction.reading.langchain import messages_of
from agent_otel.compaction.reading.messages import Message, ToolRequest

CALLS = [{"name": "read", "args": {"path": "a"}, "id": "c1", "type": "tool_call"}]
ASKED = Message("assistant", ("so",), (ToolRequest("c1", "read", {"path": "a"}),))
STATES: list[tuple[Any, list[Message]]] = [
    ({"messages": [["user", "hi"]]}, [Message("user", ("hi",))]),
    ({"messages": [["human", "hi"]]}, [Message("user", ("hi",))]),
    ('{"inputs": {"messages": [["user", "hi"]]}, "tags": []}', [Message("user", ("hi",))]),
    ({"outputs": {"messages": [{"role": "user", "content": "hi"}]}}, [Message("user", ("hi",))]),
    ({"messages": [[{"lc": 1, "kwargs": {"type": "human", "content": "hi"}}]]}, [Message("user", ("hi",))]),
    ([{"type": "ai", "data": {"content": "so", "tool_calls": CALLS}}], [ASKED]),
    ([{"lc": 1, "kwargs": {"type": "ai", "content": "so", "tool_calls": [*CALLS, 3]}}], [ASKED]),
    ([{"type": "ai", "data": {"content": "so", "tool_calls": 3}}], [Message("assistant", ("so",))]),
    ([{"type": "tool", "data": {"content": "x", "tool_call_id": "c"}}], [Message("tool", results=(("c", "x"),))]),
    ([3, ["one"]], []),
    ({"messages": "tools"}, []),
    ({"inputs": {"inputs": {"inputs": {"inputs": {"inputs": [["user", "hi"]]}}}}}, []),
    ("words", []),
    (None, []),
]


@pytest.mark.parametrize(("state", "expected"), STATES, ids=map(str, range(len(STATES))))
def test_a_state_has_its_messages(state: object, expected: list[Message]) -> None:
    """Constructors, typed data, pairs; at the top of a state or inside what a callback was given."""
    assert messages_of(state) == expected
