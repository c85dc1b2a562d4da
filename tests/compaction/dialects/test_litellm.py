"""What litellm writes down of its calls, and where."""

from __future__ import annotations

from typing import Any

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.litellm.dialect import LiteLLM
from agent_otel.compaction.dialects.litellm.talk import LiteLLMTalk
from agent_otel.model import limits, names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000


def span(number: int, *, parent: int = 0, at: int = 1, **attributes: Any) -> Span:
    """A span of litellm, a trace of its own."""
    return Span(
        trace_id=f"{parent or number:032x}",
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        start_ns=at * S,
        end_ns=(at + 1) * S,
        scope=names.LITELLM_SCOPE,
        attributes=attributes,
    )


def log(number: int, key: str, name: str, body: Any, *, at: int = 1) -> Log:
    """A log event of a call."""
    return Log(
        key=key,
        time_ns=at * S,
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        scope=names.LITELLM_SCOPE,
        body=body,
        attributes={"event_name": name},
    )


def one(*items: Span | Log) -> RunRecord:
    """The one record."""
    (record,) = compact(items, now_ns=10**6 * S)
    return record


MODEL = {names.REQUEST_MODEL: "stub"}


def test_requests_beside_the_answer_are_part_of_it() -> None:
    """In their order, without ids."""
    asked = {
        f"gen_ai.completion.{number}.function_call.{key}": value
        for number, (name, arguments) in enumerate([("bash", '{"command": "a"}'), ("bash", '{"command": "b"}')])
        for key, value in (("name", name), ("arguments", arguments))
    }
    said = '[{"role": "assistant", "parts": [{"type": "text", "content": "Both."}]}]'
    record = one(span(1, **MODEL, **asked, **{names.OUTPUT_MESSAGES: said}))
    assert [command.command for command in record.commands] == ["a", "b"]
    assert [command.command for command in one(span(1, **MODEL, **asked)).commands] == ["a", "b"]


def test_requests_in_the_answer_count_once() -> None:
    """Where both are recorded."""
    said = '[{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "bash", "arguments": "a"}}]}]'
    asked = {"gen_ai.completion.0.function_call.name": "bash", "gen_ai.completion.0.function_call.arguments": "a"}
    assert len(one(span(1, **MODEL, **asked, **{names.OUTPUT_MESSAGES: said})).commands) == 1


def test_messages_in_log_events_of_their_own_are_read() -> None:
    """One for each, as earlier versions write them; what is no message is none."""
    record = one(
        span(1, **MODEL),
        log(1, "a", names.LITELLM_PROMPT, {"role": "user", "content": "Fix it."}),
        log(1, "b", names.LITELLM_PROMPT, "text", at=2),
        log(1, "c", "gen_ai.other", {"role": "user"}, at=3),
        log(1, "d", names.LITELLM_COMPLETION, {"message": {"role": "assistant", "content": "Fixed."}}, at=4),
    )
    assert record.task is not None
    assert record.task.objective == "Fix it."
    assert [claim.text for claim in record.claims] == ["Fixed."]
    assert record.capture.unrecognised == 0


def test_a_call_without_content_is_counted() -> None:
    """And what is not to be seen is said; costs are where litellm knows them."""
    record = one(span(1, **MODEL, hidden_params='{"response_cost": 0.25}', **{names.INPUT_TOKENS: 7}))
    assert record.capture.limits == (limits.CONTENT_OFF, limits.TAIL_LOST)
    assert (record.usage.model_calls, record.usage.input_tokens, record.usage.cost_usd) == (1, 7, 0.25)


def test_what_is_around_calls_makes_no_run() -> None:
    """Raw requests, embeddings, guards."""
    raw = span(2, parent=1)
    embedding = span(3, **MODEL, **{names.OPERATION_NAME: names.EMBEDDINGS})
    assert compact([raw, embedding], now_ns=S) == []
    assert one(raw, span(1, **MODEL)).usage.model_calls == 1
    dialect = LiteLLM()
    assert not dialect.backdrop(log(1, "a", names.LITELLM_PROMPT, None))
    assert dialect.place(raw) is None
    assert LiteLLMTalk([raw]).final(raw) == ""
