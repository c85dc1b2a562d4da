"""From the shape of a callable to what runs around its calls; decided once, when it is decorated."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import AsyncGeneratorType, CoroutineType, GeneratorType, MappingProxyType
from typing import Any, Final

from opentelemetry import context as otel_context

from agent_otel.sdk.arguments import innermost
from agent_otel.sdk.calls import ToolCall
from agent_otel.sdk.context import leave
from agent_otel.sdk.pipeline import Tool, active
from agent_otel.sdk.suspended import Suspended, drive_async_generator, drive_coroutine, drive_generator

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""What wrapt calls: (wrapped, bound instance or None, positional arguments, keyword arguments)."""

Driver = Callable[[Suspended], Any]


def wrapper_for(function: Any, tool: Tool) -> Wrapper:
    """What runs around the calls of ``function``."""
    plain = innermost(function)
    candidates = (plain, getattr(type(plain), "__call__", None))  # noqa: B004 - the method itself is asked for
    for asks, driver in _DRIVERS:
        if any(asks(each) for each in candidates):
            return _suspending(tool, driver)
    return _calling(tool)


def _calling(tool: Tool) -> Wrapper:
    """For functions whose body runs while they are called."""

    def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pipeline = active()
        if pipeline is None:
            return wrapped(*args, **kwargs)
        begun = ToolCall(tool, pipeline, instance, args, kwargs)
        token = otel_context.attach(begun.context)
        try:
            begun.count()
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            leave(token)
            begun.failed(error)
            raise
        leave(token)
        if type(result) in _HANDED_OVER:
            return _driven(_HANDED_OVER[type(result)], Suspended(result, lambda: begun, begun=begun))
        begun.returned(result)
        return result

    return call


def _suspending(tool: Tool, driver: Driver) -> Wrapper:
    """For functions whose call only makes the body."""

    def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pipeline = active()
        if pipeline is None:
            return wrapped(*args, **kwargs)
        begin = functools.partial(ToolCall, tool, pipeline, instance, args, kwargs)
        try:
            body = wrapped(*args, **kwargs)
        except BaseException as error:  # wrong arguments; they are a failed call, too
            begin().failed(error)
            raise
        return _driven(driver, Suspended(body, begin))

    return call


def _driven(driver: Driver, suspended: Suspended) -> Any:
    made = driver(suspended)
    body = suspended.body
    # What asyncio prints of a task, and Python of a coroutine nobody awaited, names the tool and not the driver.
    made.__name__ = getattr(body, "__name__", made.__name__)
    made.__qualname__ = getattr(body, "__qualname__", made.__qualname__)
    return made


def _is_awaited(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    # Generators marked by types.coroutine are awaited, not iterated.
    marked = code is not None and code.co_flags & inspect.CO_ITERABLE_COROUTINE
    return bool(marked) or inspect.iscoroutinefunction(function)


_DRIVERS: Final[tuple[tuple[Callable[[Any], bool], Driver], ...]] = (
    (_is_awaited, drive_coroutine),
    (inspect.isgeneratorfunction, drive_generator),
    (inspect.isasyncgenfunction, drive_async_generator),
)

# A lambda, or a foreign decorator, may return a body that has not run yet. A call that ends before it would be a lie.
_HANDED_OVER: Final[Mapping[type, Driver]] = MappingProxyType(
    {CoroutineType: drive_coroutine, GeneratorType: drive_generator, AsyncGeneratorType: drive_async_generator},
)
