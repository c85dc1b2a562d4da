"""The matrix: every shape a tool can have, every way its call can end."""

# Whether a lambda stands in between is what is tested here.
# ruff: noqa: PLW0108

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


def _finished(awaitable: Any) -> Any:
    """The result of a coroutine that never waits; no event loop interferes with Ctrl-C."""
    try:
        awaitable.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError


def _delegated(generator: Any) -> Any:
    """What ``yield from`` gives."""

    def consume() -> Any:
        result.append((yield from generator))

    result: list[Any] = []
    assert list(consume()) == ["item"]
    return result[0]


def _drained(generator: Any) -> Any:
    """The last item of an async generator."""

    async def drain() -> Any:
        return [item async for item in generator][-1]

    return _finished(drain())


def _plain(value: Any) -> Any:
    return value


def _in_class(attribute: Any) -> Any:
    """An instance of a class that has ``attribute`` as ``m``."""
    return type("Toolbox", (), {"m": attribute})()


def _function(body: Any) -> Any:
    def work() -> Any:
        return body()

    return work


def _method(body: Any) -> Any:
    def work(self: Any) -> Any:
        return body()

    return work


def _coroutine(body: Any) -> Any:
    async def work(*_: Any) -> Any:
        return body()

    return work


def _generator(body: Any) -> Any:
    def work(*_: Any) -> Any:
        yield "item"
        return body()

    return work


def _async_generator(body: Any) -> Any:
    async def work(*_: Any) -> Any:
        yield "item"
        yield body()

    return work


class _CallableObject:
    """A callable object."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def __call__(self) -> Any:
        return self.body()


class _AsyncCallableObject(_CallableObject):
    async def __call__(self) -> Any:
        return self.body()


class _GeneratorCallableObject(_CallableObject):
    def __call__(self) -> Any:
        yield "item"
        return self.body()


SHAPES = {
    "function": Shape(lambda body: tool(_function(body)), _plain),
    "lambda": Shape(lambda body: tool(lambda: body()), _plain),
    "method": Shape(lambda body: _in_class(tool(_method(body))).m, _plain),
    "unbound method": Shape(lambda body: functools.partial(type(o := _in_class(tool(_method(body)))).m, o), _plain),
    "tool above classmethod": Shape(lambda body: _in_class(tool(classmethod(_method(body)))).m, _plain),
    "tool below classmethod": Shape(lambda body: _in_class(classmethod(tool(_method(body)))).m, _plain),
    "tool above staticmethod": Shape(lambda body: _in_class(tool(staticmethod(_function(body)))).m, _plain),
    "tool below staticmethod": Shape(lambda body: _in_class(staticmethod(tool(_function(body)))).m, _plain),
    "bound method": Shape(lambda body: tool(_in_class(_method(body)).m), _plain),
    "partial": Shape(lambda body: tool(functools.partial(_method(body), 1)), _plain),
    "callable object": Shape(lambda body: tool(_CallableObject(body)), _plain),
    "coroutine function": Shape(lambda body: tool(_coroutine(body)), _finished),
    "coroutine method": Shape(lambda body: _in_class(tool(_coroutine(body))).m, _finished),
    "coroutine classmethod": Shape(lambda body: _in_class(tool(classmethod(_coroutine(body)))).m, _finished),
    "coroutine staticmethod": Shape(lambda body: _in_class(staticmethod(tool(_coroutine(body)))).m, _finished),
    "partial of coroutine function": Shape(lambda body: tool(functools.partial(_coroutine(body), 1)), _finished),
    "object with async call": Shape(lambda body: tool(_AsyncCallableObject(body)), _finished),
    "lambda that returns a coroutine": Shape(lambda body: tool(lambda: _coroutine(body)()), _finished),
    "generator function": Shape(lambda body: tool(_generator(body)), _delegated),
    "generator method": Shape(lambda body: _in_class(tool(_generator(body))).m, _delegated),
    "generator classmethod": Shape(lambda body: _in_class(classmethod(tool(_generator(body)))).m, _delegated),
    "partial of generator function": Shape(lambda body: tool(functools.partial(_generator(body), 1)), _delegated),
    "object with generator call": Shape(lambda body: tool(_GeneratorCallableObject(body)), _delegated),
    "lambda that returns a generator": Shape(lambda body: tool(lambda: _generator(body)()), _delegated),
    "async generator function": Shape(lambda body: tool(_async_generator(body)), _drained),
    "async generator method": Shape(lambda body: _in_class(tool(_async_generator(body))).m, _drained),
    "lambda that returns an async generator": Shape(lambda body: tool(lambda: _async_generator(body)()), _drained),
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
    inner = tool(_function(lambda: 1))
    shape.call(shape.make(inner)())
    child, parent = recording.spans
    assert child.parent.span_id == parent.context.span_id
    assert parent.parent is None


def test_an_exception_is_told_with_type_message_and_the_users_frames(recording):
    """The stack trace begins with the user's code, not with this SDK's."""
    with pytest.raises(Odd):
        tool(_function(raising(Odd("what happened"))))()
    (event,) = recording.span.events
    assert event.attributes[names.EXCEPTION_TYPE] == f"{Odd.__module__}.Odd"
    assert event.attributes[names.EXCEPTION_MESSAGE] == "what happened"
    assert "agent_otel/sdk/" not in event.attributes[names.EXCEPTION_STACKTRACE]
    assert "in body" in event.attributes[names.EXCEPTION_STACKTRACE]
    assert recording.span.status.description == f"{Odd.__module__}.Odd: what happened"


def test_a_denial_is_told_once_however_many_tools_it_passes_through(recording):
    """The tool that was refused has the decision; those around it only fail with it."""
    refused = tool(_function(raising(Denied("outside of the repo", policy="paths"))), name="write_file")
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
    """Cancellation by asyncio is neither a success nor a failure of the tool."""

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
    """Asyncio's, futures' and subprocess's time-outs have one error type."""
    import concurrent.futures  # noqa: PLC0415 - for this test
    import subprocess  # noqa: PLC0415 - for this test

    kinds = [asyncio.TimeoutError(), concurrent.futures.TimeoutError(), subprocess.TimeoutExpired("make", 3)]
    for error in kinds:
        with pytest.raises(type(error)):
            tool(_function(raising(error)))()
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
    _finished(made)
