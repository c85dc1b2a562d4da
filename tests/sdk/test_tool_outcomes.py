"""The matrix: every shape a tool can have, every way its call can end."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from agent_otel.errors import Denied
from agent_otel.model import names
from agent_otel.sdk.tool import tool


class Shape(NamedTuple):
    """A way to write a tool around a body, and a way to call it to its end."""

    make: Callable[[Callable[[], Any]], Callable[[], Any]]
    call: Callable[[Any], Any]


def finished(awaitable: Any) -> Any:
    """The result of a coroutine that never waits; no event loop interferes with Ctrl-C."""
    try:
        awaitable.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError


def delegated(generator: Any) -> Any:
    """What ``yield from`` gives."""
    items = []
    while True:
        try:
            items.append(next(generator))
        except StopIteration as stop:
            assert items == ["item"]
            return stop.value


def drained(generator: Any) -> Any:
    """The last item of an async generator."""

    async def drain() -> Any:
        return [item async for item in generator][-1]

    return finished(drain())


def plain(value: Any) -> Any:
    return value


def in_class(attribute: Any) -> Any:
    """An instance of a class that has ``attribute`` as ``m``."""
    return type("Toolbox", (), {"m": attribute})()


def function(body: Any) -> Any:
    def work() -> Any:
        return body()

    return work


def method(body: Any) -> Any:
    def work(self: Any) -> Any:
        return body()

    return work


def coroutine(body: Any) -> Any:
    async def work(*_: Any) -> Any:
        return body()

    return work


def generator(body: Any) -> Any:
    def work(*_: Any) -> Any:
        yield "item"
        return body()

    return work


def async_generator(body: Any) -> Any:
    async def work(*_: Any) -> Any:
        yield "item"
        yield body()

    return work


class Callable_:
    """A callable object."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def __call__(self) -> Any:
        return self.body()


class AsyncCallable(Callable_):
    async def __call__(self) -> Any:
        return self.body()


class GeneratorCallable(Callable_):
    def __call__(self) -> Any:
        yield "item"
        return self.body()


SHAPES = {
    "function": Shape(lambda body: tool(function(body)), plain),
    "lambda": Shape(lambda body: tool(lambda: body()), plain),
    "method": Shape(lambda body: in_class(tool(method(body))).m, plain),
    "unbound method": Shape(lambda body: functools.partial(type(o := in_class(tool(method(body)))).m, o), plain),
    "tool above classmethod": Shape(lambda body: in_class(tool(classmethod(method(body)))).m, plain),
    "tool below classmethod": Shape(lambda body: in_class(classmethod(tool(method(body)))).m, plain),
    "tool above staticmethod": Shape(lambda body: in_class(tool(staticmethod(function(body)))).m, plain),
    "tool below staticmethod": Shape(lambda body: in_class(staticmethod(tool(function(body)))).m, plain),
    "bound method": Shape(lambda body: tool(in_class(method(body)).m), plain),
    "partial": Shape(lambda body: tool(functools.partial(method(body), 1)), plain),
    "callable object": Shape(lambda body: tool(Callable_(body)), plain),
    "coroutine function": Shape(lambda body: tool(coroutine(body)), finished),
    "coroutine method": Shape(lambda body: in_class(tool(coroutine(body))).m, finished),
    "coroutine classmethod": Shape(lambda body: in_class(tool(classmethod(coroutine(body)))).m, finished),
    "coroutine staticmethod": Shape(lambda body: in_class(staticmethod(tool(coroutine(body)))).m, finished),
    "partial of coroutine function": Shape(lambda body: tool(functools.partial(coroutine(body), 1)), finished),
    "object with async call": Shape(lambda body: tool(AsyncCallable(body)), finished),
    "lambda that returns a coroutine": Shape(lambda body: tool(lambda: coroutine(body)()), finished),
    "generator function": Shape(lambda body: tool(generator(body)), delegated),
    "generator method": Shape(lambda body: in_class(tool(generator(body))).m, delegated),
    "generator classmethod": Shape(lambda body: in_class(classmethod(tool(generator(body)))).m, delegated),
    "partial of generator function": Shape(lambda body: tool(functools.partial(generator(body), 1)), delegated),
    "object with generator call": Shape(lambda body: tool(GeneratorCallable(body)), delegated),
    "lambda that returns a generator": Shape(lambda body: tool(lambda: generator(body)()), delegated),
    "async generator function": Shape(lambda body: tool(async_generator(body)), drained),
    "async generator method": Shape(lambda body: in_class(tool(async_generator(body))).m, drained),
    "lambda that returns an async generator": Shape(lambda body: tool(lambda: async_generator(body)()), drained),
}


class Odd(Exception):  # noqa: N818 - as odd as users' exceptions are
    """An exception of the user's own."""


OUTCOMES = {
    "raised": (ValueError("expected 200, got 403"), "ValueError"),
    "raised own": (Odd("odd"), f"{Odd.__module__}.Odd"),
    "timed out": (TimeoutError("30 s"), "timeout"),
    "cancelled": (asyncio.CancelledError(), "cancelled"),
    "interrupted": (KeyboardInterrupt(), "cancelled"),
    "exited": (SystemExit(3), "cancelled"),
    "denied": (Denied("not in this repo", policy="sandbox"), "denied"),
}


@pytest.fixture(params=SHAPES.values(), ids=SHAPES)
def shape(request: pytest.FixtureRequest) -> Shape:
    """One shape."""
    return request.param


def raising(error: BaseException) -> Callable[[], Any]:
    """A body that raises."""

    def body() -> Any:
        raise error

    return body


def test_a_call_that_returns_is_a_span_without_error(shape, recording):
    """The result is the body's own object; the span is left UNSET, and was current while the body ran."""
    result, seen = object(), []

    def body() -> Any:
        seen.append(trace.get_current_span().get_span_context().span_id)
        return result

    assert shape.call(shape.make(body)()) is result
    assert seen == [recording.span.context.span_id]
    assert recording.span.status.status_code is StatusCode.UNSET
    assert recording.span.attributes[names.OPERATION_NAME] == "execute_tool"
    assert recording.span.name == f"execute_tool {recording.span.attributes[names.TOOL_NAME]}"
    assert recording.span.events == ()


@pytest.mark.parametrize(("error", "error_type"), OUTCOMES.values(), ids=OUTCOMES)
def test_a_call_that_raises_is_a_span_with_error(shape, error, error_type, recording):
    """The caller gets the very exception, with no other chained to it; the span says what kind it was, once."""
    if isinstance(error, Denied):
        error.event_id = ""
    error.__traceback__ = error.__context__ = None
    with pytest.raises(type(error)) as caught:
        shape.call(shape.make(raising(error))())
    assert caught.value is error
    assert error.__cause__ is None
    assert error.__context__ is None
    assert recording.span.status.status_code is StatusCode.ERROR
    assert recording.span.attributes[names.ERROR_TYPE] == error_type
    told = [event.name for event in recording.span.events]
    expected = {"cancelled": [], "denied": [names.GATE_DECISION]}
    assert told == expected.get(error_type, ["exception"])


def test_each_call_is_counted_once_in_the_metrics(shape, recording):
    """Two calls, one of which fails, are two tool calls and two durations."""
    shape.call(shape.make(lambda: 1)())
    with pytest.raises(Odd):
        shape.call(shape.make(raising(Odd()))())
    points = recording.metrics()
    assert sum(point.value for point in points[names.METRIC_TOOLS_CALLED]) == 2
    assert sum(point.count for point in points[names.METRIC_TOOL_LATENCY]) == 2
    failed = [p for p in points[names.METRIC_TOOL_DURATION] if names.ERROR_TYPE in p.attributes]
    assert [point.count for point in failed] == [1]


def test_a_call_without_providers_is_just_the_call(shape):
    """Where nobody records, result and exception are the body's own."""
    assert shape.call(shape.make(lambda: "result")()) == "result"
    with pytest.raises(Odd):
        shape.call(shape.make(raising(Odd()))())


def test_tools_called_in_a_tool_are_its_children(shape, recording):
    """Spans nest as calls do."""
    inner = tool(function(lambda: 1))
    shape.call(shape.make(inner)())
    child, parent = recording.spans
    assert child.parent.span_id == parent.context.span_id
    assert parent.parent is None


def test_an_exception_is_told_with_type_message_and_the_users_frames(recording):
    """The stack trace begins with the user's code, not with this SDK's."""
    with pytest.raises(Odd):
        tool(function(raising(Odd("what happened"))))()
    (event,) = recording.span.events
    assert event.attributes[names.EXCEPTION_TYPE] == f"{Odd.__module__}.Odd"
    assert event.attributes[names.EXCEPTION_MESSAGE] == "what happened"
    assert "agent_otel/sdk/" not in event.attributes[names.EXCEPTION_STACKTRACE]
    assert "in body" in event.attributes[names.EXCEPTION_STACKTRACE]
    assert recording.span.status.description == f"{Odd.__module__}.Odd: what happened"


def test_a_denial_is_told_once_however_many_tools_it_passes_through(recording):
    """The tool that was refused has the decision; those around it only fail with it."""
    refused = tool(function(raising(Denied("outside of the repo", policy="paths"))), name="write_file")
    with pytest.raises(Denied):
        tool(lambda: refused(), name="fix")()
    inner, outer = recording.spans
    (event,) = inner.events
    assert event.attributes[names.GATE_TOOL] == "write_file"
    assert event.attributes[names.GATE_OUTCOME] == "deny"
    assert event.attributes[names.GATE_POLICY] == "paths"
    assert event.attributes[names.GATE_REASON] == "outside of the repo"
    assert outer.events == ()
    assert {span.attributes[names.ERROR_TYPE] for span in recording.spans} == {"denied"}


def test_a_cancelled_task_leaves_a_cancelled_span(recording):
    """asyncio's cancellation is neither a success nor a failure of the tool."""

    @tool
    async def wait() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert recording.span.attributes[names.ERROR_TYPE] == "cancelled"


def test_a_coroutine_dropped_half_way_is_cancelled_without_noise(recording, caplog):
    """Closing from outside of the task's context logs nothing, and the span ends."""

    @tool
    async def wait() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        running = wait()
        await asyncio.create_task(first_step(running))
        running.close()

    async def first_step(running: Any) -> None:
        running.send(None)

    asyncio.run(main())
    assert recording.span.attributes[names.ERROR_TYPE] == "cancelled"
    assert caplog.records == []


def test_timeouts_of_every_kind_are_timeouts(recording):
    """asyncio's, futures' and subprocess's time-outs have one error type."""
    import concurrent.futures  # noqa: PLC0415 - for this test
    import subprocess  # noqa: PLC0415 - for this test

    kinds = [asyncio.TimeoutError(), concurrent.futures.TimeoutError(), subprocess.TimeoutExpired("make", 3)]
    for error in kinds:
        with pytest.raises(type(error)):
            tool(function(raising(error)))()
    assert {span.attributes[names.ERROR_TYPE] for span in recording.spans} == {"timeout"}


@pytest.mark.parametrize("kind", ["function", "coroutine function", "generator function", "async generator function"])
def test_wrong_arguments_fail_where_they_always_did_and_are_a_failed_call(kind, recording):
    """A model that invents an argument gets its TypeError at the call, and the record shows it."""
    with pytest.raises(TypeError, match="unexpected keyword"):
        SHAPES[kind].make(lambda: 1)(invented=1)
    assert recording.span.attributes[names.ERROR_TYPE] == "TypeError"


@pytest.mark.parametrize("kind", ["coroutine function", "generator function", "async generator function"])
def test_a_body_that_never_starts_has_no_span(kind, recording):
    """Making a generator is no call; the span starts with the body."""
    body = SHAPES[kind].make(lambda: 1)()
    if kind == "coroutine function":
        body.close()
    del body
    assert recording.spans == []


@pytest.mark.parametrize("kind", ["lambda that returns a coroutine", "lambda that returns a generator"])
def test_a_returned_body_that_never_starts_still_ends_its_span(kind, recording):
    """The lambda was called, so there is a span, and it does not stay open."""
    body = SHAPES[kind].make(lambda: 1)()
    body.close()
    del body
    assert recording.span.status.status_code is StatusCode.UNSET


def test_a_coroutine_is_named_after_its_tool(recording):
    """What asyncio prints of a task is what the user wrote."""

    @tool
    async def fetch() -> None: ...

    made = fetch()
    assert made.__name__ == "fetch"
    assert made.__qualname__.endswith("<locals>.fetch")
    finished(made)
