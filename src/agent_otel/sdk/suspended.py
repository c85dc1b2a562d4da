"""Bodies that run in parts: coroutines, generators and async generators, each driven by one of its own kind.

A generator's span is current only while its body runs. It is attached at each resumption and detached at each yield, so
that what the consumer does between two items is not its child; ``send``, ``throw`` and ``close`` reach the body as if
nothing stood between. A body that is never started has no span.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from typing import Any

from opentelemetry import context as otel_context

from agent_otel.sdk.calls import ToolCall
from agent_otel.sdk.context import leave


class Suspended:
    """A body that has not run yet, and the call that it will be.

    Args:
        body: the coroutine, generator or async generator.
        begin: begins the call, when the body starts.
        begun: the call, where making the body was a part of it.
    """

    __slots__ = ("_begin", "_begun", "body")

    def __init__(self, body: Any, begin: Callable[[], ToolCall], *, begun: ToolCall | None = None) -> None:
        self.body = body
        self._begin: Callable[[], ToolCall] | None = begin
        self._begun = begun

    def start(self) -> ToolCall:
        """Gives the call; asked once, by the driver."""
        call = self._begun
        if call is None and self._begin is not None:
            call = self._begin()
        self._begin = self._begun = None
        return call  # type: ignore[return-value]  # there is one or the other until this was asked

    def __del__(self) -> None:
        if self._begin is None:
            return
        if isinstance(self.body, Coroutine):
            self.body.close()  # Python warns of the driver, which nobody awaited either; one warning is enough
        if self._begun is not None:
            self._begun.returned(None)


async def drive_coroutine(suspended: Suspended) -> Any:
    """Awaits the body inside the call's span."""
    body = suspended.body
    call = suspended.start()
    token = otel_context.attach(call.context)
    try:
        call.count()
        result = await body
    except BaseException as error:
        leave(token)
        if isinstance(body, Coroutine):
            body.close()  # a refused call never awaits its body
        call.failed(error)
        raise
    leave(token)
    call.returned(result)
    return result


def drive_generator(suspended: Suspended) -> Generator[Any, Any, Any]:
    """Yields what the body yields, and returns what it returns."""
    body = suspended.body
    call = suspended.start()
    thrown: BaseException | None = None
    sent: Any = None
    try:
        while True:
            token = otel_context.attach(call.context)
            try:
                call.count()
                item = body.send(sent) if thrown is None else body.throw(thrown)
            except BaseException:
                leave(token)
                raise
            # Spans that the body opened are current again when it goes on.
            call.context = otel_context.get_current()
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
    body = suspended.body
    call = suspended.start()
    thrown: BaseException | None = None
    sent: Any = None
    resume = _first_step(body)
    try:
        while True:
            token = otel_context.attach(call.context)
            try:
                call.count()
                item = await resume
            except BaseException:
                leave(token)
                raise
            call.context = otel_context.get_current()
            leave(token)
            thrown = None
            try:
                sent = yield item
            except BaseException as error:  # noqa: BLE001 - as above
                thrown = error
            resume = body.asend(sent) if thrown is None else body.athrow(thrown)
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
