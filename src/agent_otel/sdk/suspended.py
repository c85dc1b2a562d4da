"""Bodies that run in parts: coroutines, generators and async generators, each driven by one of its own kind.

A generator's span is current only while its body runs. Its context is entered at each resumption and left at each
yield, so that what the consumer does between two items is not its child; ``send``, ``throw`` and ``close`` reach the
body as if nothing stood between. A body that is never started has no span.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator
from typing import Any

from agent_otel.sdk.calls import Given, ToolCall, Unrecorded, begin
from agent_otel.sdk.context import enter, here, leave, leave_here
from agent_otel.sdk.pipeline import Pipeline, Tool

AnyCall = ToolCall | Unrecorded


class Unstarted:
    """What to do about a body that its driver never starts.

    Args:
        body: a coroutine, which would warn that nobody awaited it. Python warns of the driver; one warning is enough.
        call: the call, where making the body was a part of it.
    """

    __slots__ = ("_body", "_call")

    def __init__(self, body: Any, call: AnyCall | None = None) -> None:
        self._body = body
        self._call = call

    def started(self) -> AnyCall | None:
        """Gives the call, and from now on leaves all to the driver."""
        call = self._call
        self._body = self._call = None
        return call

    def __del__(self) -> None:
        if self._body is not None and isinstance(self._body, Coroutine):  # the check of an abstract class is dear
            self._body.close()
        if self._call is not None:
            self._call.returned(None)


async def drive_coroutine(
    tool: Tool, pipeline: Pipeline, given: Given, body: Awaitable[Any], unstarted: Unstarted
) -> Any:
    """Awaits the body inside the call's span."""
    begun = unstarted.started()
    call = begun or begin(tool, pipeline, given)
    token = enter(call.context)
    try:
        if begun is None and call.run is not None:
            call.run.tool_called()
        result = await body
    except BaseException as error:
        leave(token)
        call.failed(error)
        if isinstance(body, Coroutine):
            body.close()  # a refused call has not awaited it
        raise
    leave(token)
    call.returned(result)
    return result


def drive_generator(
    tool: Tool, pipeline: Pipeline, given: Given, body: Generator[Any, Any, Any], unstarted: Unstarted | None
) -> Generator[Any, Any, Any]:
    """Yields what the body yields, and returns what it returns."""
    begun = None if unstarted is None else unstarted.started()
    call = begun or begin(tool, pipeline, given)
    del given  # a long stream does not keep its arguments alive
    context, uncounted = call.context, call.run if begun is None else None
    send, thrown = body.send, None
    sent: Any = None
    while True:
        token = enter(context)
        try:
            if uncounted is not None:
                run, uncounted = uncounted, None
                run.tool_called()
            item = send(sent) if thrown is None else body.throw(thrown)
            context = here()  # spans that the body opened are current again when it goes on
        except BaseException as error:
            leave_here(token)
            thrown = None  # it refers to this frame
            if isinstance(error, StopIteration):
                call.returned(None)
                return error.value
            _ended(call, error)
            raise
        leave_here(token)
        thrown = None
        try:
            sent = yield item
        except BaseException as error:  # noqa: BLE001 - it is for the body to say what becomes of it
            thrown = error


async def drive_async_generator(
    tool: Tool, pipeline: Pipeline, given: Given, body: AsyncGenerator[Any, Any], unstarted: Unstarted | None
) -> AsyncGenerator[Any, Any]:
    """Yields what the body yields."""
    begun = None if unstarted is None else unstarted.started()
    call = begun or begin(tool, pipeline, given)
    del given
    context, uncounted = call.context, call.run if begun is None else None
    thrown: BaseException | None = None
    resumed: Awaitable[Any] | None = None
    while True:
        token = enter(context)
        try:
            if uncounted is not None:
                run, uncounted = uncounted, None
                run.tool_called()
            item = await (resumed or _first_step(body))
            context = here()
        except BaseException as error:
            leave(token)
            thrown = resumed = None
            if isinstance(error, StopAsyncIteration):
                call.returned(None)
                return
            _ended(call, error)
            raise
        leave(token)
        thrown = None
        try:
            sent = yield item
        except BaseException as error:  # noqa: BLE001 - as above
            thrown = error
        resumed = body.asend(sent) if thrown is None else body.athrow(thrown)


def _ended(call: AnyCall, error: BaseException) -> None:
    """Ends the call of a generator that raised; a consumer that has seen enough is no failure."""
    if isinstance(error, GeneratorExit):
        call.returned(None)
    else:
        call.failed(error)


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
