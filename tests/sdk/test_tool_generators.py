"""Generators: the span is current only while the body runs, and nothing stands between the body and its consumer."""

# The bodies under test catch exceptions between their items, as such bodies do.
# ruff: noqa: PERF203

import asyncio
import contextvars
import gc
import inspect
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from opentelemetry import context as otel_context, trace
from opentelemetry.trace import StatusCode

from agent_otel.model import names
from agent_otel.sdk.tool import tool


def _current() -> int:
    return trace.get_current_span().get_span_context().span_id


@tool
def _step() -> int:
    """A tool that consumer and body call; gives its parent's id."""
    parent = getattr(trace.get_current_span(), "parent", None)
    return parent.span_id if parent is not None else 0


@tool
def _counting(limit: int) -> Generator[Any, Any, str]:
    """Yields numbers, and what it is sent."""
    for number in range(limit):
        sent = yield number
        while sent is not None:
            sent = yield f"got {sent}"
    return "counted"


@tool
def _patient() -> Iterator[str]:
    """Survives what is thrown into it."""
    while True:
        try:
            yield "waiting"
        except ValueError as error:
            yield f"caught {error}"


def test_the_consumers_calls_are_not_children_of_the_generator(recording):
    """Between two items the consumer is where it was."""

    @tool
    def each() -> Iterator[int]:
        yield _step()
        yield _step()

    parents = []
    for inside in each():
        assert _current() == 0
        parents.append((inside, _step()))
    generator = next(span for span in recording.spans if span.name == "execute_tool each")
    assert parents == [(generator.context.span_id, 0)] * 2


def test_spans_the_body_opened_are_current_again_when_it_goes_on(recording):
    """A ``with`` around a ``yield`` holds inside of the body, and only there."""
    tracer = recording.tracer_provider.get_tracer("user")

    @tool
    def each() -> Iterator[int]:
        with tracer.start_as_current_span("inner") as inner:
            yield _current() == inner.get_span_context().span_id
            yield _current() == inner.get_span_context().span_id

    seen = []
    for held in each():
        seen.append(held)
        assert _current() == 0
    assert seen == [True, True]


def test_send_reaches_the_body_and_its_return_value_comes_back(recording):
    """``yield from`` gives what the body returned."""

    def consumer() -> Generator[Any, Any, None]:
        result.append((yield from _counting(2)))

    result: list[str] = []
    running = consumer()
    assert [next(running), running.send("a"), running.send("b"), next(running)] == [0, "got a", "got b", 1]
    with pytest.raises(StopIteration):
        next(running)
    assert result == ["counted"]
    assert recording.span.status.status_code is StatusCode.UNSET


def test_an_exception_thrown_in_and_survived_is_no_failure(recording):
    """It is for the body to say what becomes of it."""
    running = _patient()
    next(running)
    assert running.throw(ValueError("odd")) == "caught odd"
    running.close()
    assert recording.span.status.status_code is StatusCode.UNSET
    assert recording.span.events == ()


def test_an_exception_thrown_in_and_not_survived_is_a_failure(recording):
    """The very exception comes out again, with nothing chained to it."""
    running = _counting(3)
    next(running)
    thrown = KeyError("odd")
    with pytest.raises(KeyError) as caught:
        running.throw(thrown)
    assert caught.value is thrown
    assert thrown.__context__ is None
    assert recording.span.attributes[names.ERROR_TYPE] == "KeyError"


def test_what_the_body_raises_instead_keeps_its_own_context(recording):
    """``raise … from`` inside of the body looks as if nobody had watched."""

    @tool
    def translating() -> Iterator[int]:
        try:
            yield 1
        except KeyError:
            raise LookupError from None

    running = translating()
    next(running)
    thrown = KeyError()
    with pytest.raises(LookupError) as caught:
        running.throw(thrown)
    assert caught.value.__context__ is thrown
    assert recording.span.attributes[names.ERROR_TYPE] == "LookupError"


def test_closing_early_is_no_failure_and_keeps_the_whole_time(recording):
    """The span lasts from the first resumption to the close."""
    running = _counting(3)
    next(running)
    before_close = recording.spans
    running.close()
    assert before_close == []
    assert recording.span.status.status_code is StatusCode.UNSET


def test_a_body_that_fails_while_it_is_closed_is_a_failure(recording):
    """Its ``finally`` is part of the tool."""

    @tool
    def untidy() -> Iterator[int]:
        try:
            yield 1
        finally:
            message = "cannot clean up"
            raise OSError(message)

    running = untidy()
    next(running)
    with pytest.raises(OSError, match="cannot clean up"):
        running.close()
    assert recording.span.attributes[names.ERROR_TYPE] == "OSError"


def test_a_body_that_refuses_to_close_is_told_so_as_ever(recording):
    """Python's own RuntimeError comes to the consumer."""

    @tool
    def stubborn() -> Iterator[int]:
        while True:
            try:
                yield 1
            except GeneratorExit:
                continue

    running = stubborn()
    next(running)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        running.close()
    with pytest.raises(ValueError, match="enough"):
        running.throw(ValueError("enough"))


def test_close_gives_what_it_gives_undecorated(recording):
    """The value the body returned, from Python 3.13 on."""

    def polite() -> Generator[int, None, str]:
        try:
            yield 1
        except GeneratorExit:
            return "bye"
        return ""

    plain, running = polite(), tool(polite)()
    next(plain)
    next(running)
    given = running.close()
    assert given == plain.close()
    assert given == ("bye" if sys.version_info >= (3, 13) else None)


def test_a_generator_dropped_half_way_ends_its_span(recording):
    """The collector closes it; that is no failure."""
    running = _counting(3)
    next(running)
    del running
    gc.collect()
    assert recording.span.status.status_code is StatusCode.UNSET


def test_a_generator_closed_by_another_thread_logs_nothing(recording, caplog):
    """Where it was opened, nothing changes."""
    running = _counting(3)
    next(running)
    thread = threading.Thread(target=running.close)
    thread.start()
    thread.join()
    assert recording.span.status.status_code is StatusCode.UNSET
    assert caplog.records == []


def test_a_thrown_exception_leaves_no_reference_cycle(recording):
    """What was thrown is freed as soon as nobody needs it."""
    gc.collect()
    gc.disable()
    try:
        running = _patient()
        next(running)
        running.throw(ValueError("odd"))
        running.close()
        del running
        found = [each for each in gc.get_objects() if isinstance(each, ValueError) and each.args == ("odd",)]
        assert found == []
    finally:
        gc.enable()


def test_a_decorated_generator_is_a_generator(recording):
    """For inspect, for typing, and for whoever asks for its name."""
    assert inspect.isgeneratorfunction(_counting)
    running = _counting(1)
    assert inspect.isgenerator(running)
    assert running.__name__ == "_counting"
    assert list(running) == [0]


async def _ticks(log: list[str]) -> Any:
    try:
        for number in range(5):
            log.append(f"{_current() != 0}")
            yield number
    finally:
        await asyncio.sleep(0)
        log.append("closed")


def test_an_async_generator_leaves_its_consumer_alone(recording):
    """As with generators, and also while the body awaits."""
    log: list[str] = []
    ticks = tool(_ticks)

    async def main() -> None:
        async for _ in ticks(log):
            assert _current() == 0

    asyncio.run(main())
    assert log == ["True"] * 5 + ["closed"]
    assert recording.span.name == "execute_tool _ticks"


def test_asend_and_athrow_reach_the_body(recording):
    """Values and exceptions go in, and come out as the body says."""

    @tool
    async def echo() -> Any:
        sent = None
        while True:
            try:
                sent = yield sent
            except ValueError:
                sent = "caught"

    async def main() -> None:
        running = echo()
        assert await running.asend(None) is None
        assert await running.asend("a") == "a"
        assert await running.athrow(ValueError("odd")) == "caught"
        await running.aclose()
        with pytest.raises(StopAsyncIteration):
            await running.asend(None)

    asyncio.run(main())
    assert recording.span.status.status_code is StatusCode.UNSET


def test_an_async_generator_closed_by_another_task_logs_nothing(recording, caplog):
    """What OpenTelemetry's own decorator cannot do."""
    log: list[str] = []
    ticks = tool(_ticks)

    async def main() -> None:
        running = ticks(log)
        await running.__anext__()
        await asyncio.create_task(running.aclose())
        assert _current() == 0

    asyncio.run(main())
    assert log == ["True", "closed"]
    assert recording.span.status.status_code is StatusCode.UNSET
    assert caplog.records == []


def test_an_async_generator_dropped_half_way_is_closed_by_the_loop(recording, caplog):
    """The loop closes the driver, the driver the body; nobody does it twice."""
    log: list[str] = []
    ticks = tool(_ticks)

    async def main() -> None:
        async for _ in ticks(log):
            break
        gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert log[-1] == "closed"
    assert recording.span.status.status_code is StatusCode.UNSET
    assert caplog.records == []


def test_async_generators_open_at_the_loops_end_are_closed_once(recording, caplog):
    """``shutdown_asyncgens`` closes all it has seen at the same time; it has not seen the body."""
    log: list[str] = []
    kept = []
    ticks = tool(_ticks)

    async def main() -> None:
        kept.append(ticks(log))
        await kept[0].__anext__()

    asyncio.run(main())
    assert log == ["True", "closed"]
    assert recording.span.status.status_code is StatusCode.UNSET
    assert caplog.records == []


def test_a_cancelled_consumer_cancels_the_async_generator_it_waits_for(recording):
    """The body's await is cancelled, so the tool was."""

    @tool
    async def forever() -> Any:
        await asyncio.Event().wait()
        yield 1

    async def consume() -> None:
        async for _ in forever():
            pass

    async def main() -> None:
        task = asyncio.create_task(consume())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert recording.span.attributes[names.ERROR_TYPE] == "cancelled"


_ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["open", "next", "throw", "close", "drop", "call"]),
        st.integers(min_value=0, max_value=3),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(actions=_ACTIONS)
def test_any_interleaving_leaves_the_context_as_it_was(record, actions):
    """However generators are advanced, thrown into, closed and dropped, and wherever, each span ends once."""
    with record(metrics=False, logs=False) as recording:
        before = otel_context.get_current()
        elsewhere = contextvars.copy_context()
        running: dict[int, Any] = {}
        for action, key, away in actions:
            do = elsewhere.run if away else lambda function, *args: function(*args)
            _perform(do, action, key, running)
            assert otel_context.get_current() == before
            assert elsewhere.run(otel_context.get_current) == before
            assert _current() == 0
        running.clear()
        gc.collect()
        assert recording.open.count == 0
        ids = [span.context.span_id for span in recording.spans]
        assert len(ids) == len(set(ids))
        parents = {span.parent for span in recording.spans if span.name != "execute_tool _step"}
        assert parents <= {None}


def _perform(do: Any, action: str, key: int, running: dict[int, Any]) -> None:
    if action == "open":
        running[key] = do(_walking)
    elif action == "call":
        do(_step)
    elif action == "drop":
        running.pop(key, None)
    elif key in running:
        try:
            if action == "next":
                do(next, running[key])
            elif action == "throw":
                do(running[key].throw, KeyError("odd"))
            else:
                do(running[key].close)
        except (StopIteration, KeyError):
            running.pop(key)


@tool
def _walking() -> Iterator[int]:
    """Calls a tool between its items, and survives every other exception."""
    for number in range(3):
        try:
            _step()
            yield number
        except KeyError:
            if number % 2:
                raise
