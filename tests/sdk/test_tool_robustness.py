"""Whatever of ours fails, the tool's result reaches its caller, and the failure is said once."""

import asyncio
import logging
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor

from agent_otel.errors import BudgetExceeded
from agent_otel.model import names
from agent_otel.sdk import guard
from agent_otel.sdk.run_scope import run
from agent_otel.sdk.state import Instrumentation, install
from agent_otel.sdk.tool import tool
from agent_otel.text.redaction import Masker


class Failing(SpanProcessor):
    """Fails at one of its calls."""

    def __init__(self, call: str) -> None:
        self._call = call

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self._fail("on_start")

    def on_end(self, span: Any) -> None:
        self._fail("on_end")

    def _fail(self, call: str) -> None:
        if call == self._call:
            message = f"{call} failed"
            raise RuntimeError(message)


def _shapes() -> list[Any]:
    async def coroutine() -> str:
        return "result"

    def generator() -> Any:
        yield 1
        return "result"

    async def async_generator() -> Any:
        yield "result"

    async def last(running: Any) -> Any:
        return [item async for item in running][-1]

    def through(running: Any) -> Any:
        def consumer() -> Any:
            result.append((yield from running))

        result: list[Any] = []
        list(consumer())
        return result[0]

    return [
        pytest.param(lambda: "result", lambda made: made, id="function"),
        pytest.param(coroutine, asyncio.run, id="coroutine"),
        pytest.param(generator, through, id="generator"),
        pytest.param(async_generator, lambda running: asyncio.run(last(running)), id="async generator"),
    ]


@pytest.mark.parametrize("call", ["on_start", "on_end"])
@pytest.mark.parametrize(("function", "finish"), _shapes())
def test_a_failing_span_processor_breaks_nothing(call, function, finish, record, own_failures, caplog):
    """The result comes back; the failure is counted and logged once."""
    with record() as recording:
        recording.tracer_provider.add_span_processor(Failing(call))
        decorated = tool(function)
        assert finish(decorated()) == "result"
        assert finish(decorated()) == "result"
    assert sum(own_failures().values()) == 2
    assert len([each for each in caplog.records if each.name == "agent_otel"]) <= 1


def test_a_failing_provider_breaks_nothing(own_failures):
    """Also one that gives no tracer."""

    class NoTracer:
        def get_tracer(self, *_: Any, **__: Any) -> Any:
            message = "no tracer today"
            raise RuntimeError(message)

    before = install(Instrumentation(masker=Masker(key=b"k"), tracer_provider=NoTracer()))  # type: ignore[arg-type] - it is broken
    try:
        assert tool(lambda: "result")() == "result"
        assert tool(lambda: "result")() == "result"
    finally:
        install(before)
    assert sum(own_failures().values()) == 1


def test_a_wrong_setting_in_the_environment_breaks_no_call(own_failures, monkeypatch):
    """Only ``configure`` raises; a decorated function is just called."""
    monkeypatch.setenv("AGENT_OTEL_VALUE_LIMIT", "many")
    before = install(None)
    try:
        assert tool(lambda: "result")() == "result"
        assert tool(lambda: "result")() == "result"
    finally:
        install(before)
    assert list(own_failures()) == ["reading settings and providers: SettingsError"]


def test_arguments_that_fail_when_looked_at_break_nothing(record, own_failures):
    """``__repr__``, ``__fspath__`` and ``__str__`` are the user's code, and may fail."""

    class Hostile:
        def __repr__(self) -> str:
            message = "no repr"
            raise RuntimeError(message)

        def __fspath__(self) -> str:
            message = "no path"
            raise RuntimeError(message)

    class Silent(Exception):  # noqa: N818 - as odd as users' exceptions are
        def __str__(self) -> str:
            message = "no str"
            raise RuntimeError(message)

    hostile = Hostile()
    with record(settings={"content": "SPAN_AND_EVENT"}) as recording:
        assert tool(lambda path: path, reads="path")(hostile) is hostile
        assert tool(lambda value: value)(hostile) is hostile
        with pytest.raises(Silent):
            tool(lambda: (_ for _ in ()).throw(Silent()), name="silent")().__next__()
        assert recording.open.count == 0
        assert recording.spans[-1].attributes[names.ERROR_TYPE].endswith("Silent")
        assert len(recording.spans) == 3
    assert set(own_failures()) == {"looking at a tool's arguments: RuntimeError"}


def test_an_interrupt_in_our_own_code_is_not_swallowed(record):
    """Ctrl-C ends the program, wherever it hits."""

    class Interrupting(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            raise KeyboardInterrupt

    with record() as recording:
        recording.tracer_provider.add_span_processor(Interrupting())
        with pytest.raises(KeyboardInterrupt):
            tool(lambda: 1)()


def test_failures_of_ours_are_logged_with_their_reason(record, caplog):
    """The one line says what was being done, and what went wrong."""
    with record() as recording, caplog.at_level(logging.WARNING, "agent_otel"):
        recording.tracer_provider.add_span_processor(Failing("on_start"))
        guard._failures.clear()
        tool(lambda: 1)()
    (said,) = [each for each in caplog.records if each.name == "agent_otel"]
    assert "starting a tool call" in said.getMessage()
    assert "on_start failed" in str(said.exc_info)


@pytest.mark.parametrize(("function", "finish"), _shapes())
def test_a_crossed_budget_refuses_the_call_inside_its_span(function, finish, recording):
    """When the run asked to raise: the body does not run, and the refusal is visible."""
    calls = []

    def counted(*args: Any) -> Any:
        calls.append(1)
        return function(*args)

    decorated = tool(counted if function.__name__ == "<lambda>" else function, name="limited")
    with run("x", raise_on_budget=True, budgets={"tool_calls": 1}):
        assert finish(decorated()) == "result"
        with pytest.raises(BudgetExceeded):
            finish(decorated())
    assert len(calls) <= 1
    refused = [span for span in recording.spans if span.name == "execute_tool limited"][1]
    assert refused.attributes[names.ERROR_TYPE] == "agent_otel.errors.BudgetExceeded"


@pytest.mark.parametrize(("function", "finish"), _shapes())
def test_each_call_is_counted_once_in_the_run(function, finish, recording):
    """However many parts the body runs in."""
    decorated = tool(function, name="counted")
    with run("x") as current:
        finish(decorated())
        finish(decorated())
    assert current.ledger.consumed()["tool_calls"] == 2
