"""Bodies that run in parts: coroutines, generators and async generators, each driven by one of its own kind.

A generator's span is current only while its body runs. Its context is entered at each resumption and left at each
yield, so that what the consumer does between two items is not its child; ``send``, ``throw`` and ``close`` reach the
body as if nothing stood between. A body that is never started has no span.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator, Mapping, Sequence
from typing import Any

from agent_otel.sdk.calls import ToolCall, Unrecorded, begin
from agent_otel.sdk.context import enter, here, leave
from agent_otel.sdk.pipeline import Pipeline, Tool


class Suspended:
    """A body that has not run yet, and what its call begins with when it does.

    ``begun`` is the call, where making the body was a part of it.
    """

    __slots__ = ("_args", "_instance", "_kwargs", "_pipeline", "_tool", "begun", "body")

    def __init__(
        self, tool: Tool, pipeline: Pipeline, instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self._tool = tool
        self._pipeline: Pipeline | None = pipeline
        self._instance = instance
        self._args = args
        self._kwargs = kwargs
        self.body: Any = None
        self.begun: ToolCall | Unrecorded | None = None

    def begin(self) -> ToolCall | Unrecorded:
        """Gives the call, begun and counted; asked once.

        Raises:
            BudgetExceeded: the run was asked to raise, and a budget is crossed. The call has ended with it.
        """
        pipeline, call = self._pipeline, self.begun
        self._pipeline = self.begun = None
        if call is not None:
            return call
        assert pipeline is not None  # noqa: S101 - a driver begins once
        call = begin(self._tool, pipeline, self._instance, self._args, self._kwargs)
        self._instance = self._args = self._kwargs = None  # type: ignore[assignment]  # not to be kept alive by a long stream
        if call.run is not None:
            _count(call)
        return call

    def __del__(self) -> None:
        if self._pipeline is None:
            return
        if isinstance(self.body, Coroutine):
            self.body.close()  # Python warns of the driver, which nobody awaited either; one warning is enough
        if self.begun is not None:
            self.begun.returned(None)


def _count(call: ToolCall | Unrecorded) -> None:
    token = enter(call.context)
    try:
        if call.run is not None:
            call.run.tool_called()
    except BaseException as error:
        call.failed(error)
        raise
    finally:
        leave(token)


async def drive_coroutine(suspended: Suspended) -> Any:
    """Awaits the body inside the call's span."""
    try:
        call = suspended.begin()
    except BaseException:
        _discard(suspended.body)
        raise
    token = enter(call.context)
    try:
        result = await suspended.body
    except BaseException as error:
        leave(token)
        call.failed(error)
        raise
    leave(token)
    call.returned(result)
    return result


def drive_generator(suspended: Suspended) -> Generator[Any, Any, Any]:
    """Yields what the body yields, and returns what it returns."""
    body, call = suspended.body, suspended.begin()
    context = call.context
    thrown: BaseException | None = None
    sent: Any = None
    try:
        while True:
            token = enter(context)
            try:
                item = body.send(sent) if thrown is None else body.throw(thrown)
                context = here()  # spans that the body opened are current again when it goes on
            finally:
                leave(token)
            thrown = None
            try:
                sent = yield item
            except BaseException as error:  # noqa: BLE001 - it is for the body to say what becomes of it
                thrown = error
    except StopIteration as stop:
        call.returned(None)
        return stop.value
    except GeneratorExit:
        call.returned(None)  # the consumer has seen enough
        raise
    except BaseException as error:
        call.failed(error)
        raise
    finally:
        del thrown  # it refers to this frame


async def drive_async_generator(suspended: Suspended) -> AsyncGenerator[Any, Any]:
    """Yields what the body yields."""
    body, call = suspended.body, suspended.begin()
    context = call.context
    thrown: BaseException | None = None
    sent: Any = None
    resumed = _first_step(body)
    try:
        while True:
            token = enter(context)
            try:
                item = await resumed
                context = here()
            finally:
                leave(token)
            thrown = None
            try:
                sent = yield item
            except BaseException as error:  # noqa: BLE001 - as above
                thrown = error
            resumed = body.asend(sent) if thrown is None else body.athrow(thrown)
    except StopAsyncIteration:
        call.returned(None)
    except GeneratorExit:
        call.returned(None)
        raise
    except BaseException as error:
        call.failed(error)
        raise
    finally:
        del thrown


def _discard(body: Any) -> None:
    """Closes a coroutine that will not be awaited."""
    if isinstance(body, Coroutine):
        body.close()


def _first_step(body: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """The first step of ``body``, which keeps it from the event loop's care.

    The loop closes the async generators it has seen start, all at once, when it shuts down. It must close only the
    driver, which then closes the body; two closers at a time are an error.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return body.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
