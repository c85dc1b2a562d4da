"""From the shape of a callable to what runs around its calls; decided once, when it is decorated."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType, MappingProxyType
from typing import Any, Final

from agent_otel.sdk.arguments import innermost
from agent_otel.sdk.calls import Given, begin
from agent_otel.sdk.context import enter, leave_here
from agent_otel.sdk.pipeline import Pipeline, Tool, active
from agent_otel.sdk.suspended import Unstarted, drive_async_generator, drive_coroutine, drive_generator

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""What wrapt calls: (wrapped, bound instance or None, positional arguments, keyword arguments)."""

Driver = Callable[[Tool, Pipeline, Given, Any, Any], Any]


def wrapper_for(function: Any, tool: Tool) -> Wrapper:
    """What runs around the calls of ``function``."""
    plain = innermost(function)
    candidates = (plain, getattr(type(plain), "__call__", None))  # noqa: B004 - the method itself is asked for
    for asks, driver in _DRIVERS:
        if any(asks(each) for each in candidates):
            make = _awaiting if driver is drive_coroutine else _iterating
            return make(tool, _named_after(plain, driver))
    return _calling(tool)


def _calling(tool: Tool) -> Wrapper:
    """For functions whose body runs while they are called."""

    def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pipeline = active()
        if pipeline is None:
            return wrapped(*args, **kwargs)
        begun = begin(tool, pipeline, (instance, args, kwargs))
        token = enter(begun.context)
        try:
            if begun.run is not None:
                begun.run.tool_called()
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            leave_here(token)
            begun.failed(error)
            raise
        leave_here(token)
        if type(result) in _HANDED_OVER:
            driver = _named_after(result, _HANDED_OVER[type(result)])
            return driver(tool, pipeline, (None, (), {}), result, Unstarted(result, begun))
        begun.returned(result)
        return result

    return call


def _awaiting(tool: Tool, driver: Driver) -> Wrapper:
    """For functions whose call only makes a coroutine."""

    def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pipeline = active()
        if pipeline is None:
            return wrapped(*args, **kwargs)
        given = (instance, args, kwargs)
        try:
            body = wrapped(*args, **kwargs)
        except BaseException as error:  # wrong arguments; they are a failed call, too
            begin(tool, pipeline, given).failed(error)
            raise
        return driver(tool, pipeline, given, body, Unstarted(body))

    return call


def _iterating(tool: Tool, driver: Driver) -> Wrapper:
    """For functions whose call only makes a generator."""

    def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pipeline = active()
        if pipeline is None:
            return wrapped(*args, **kwargs)
        given = (instance, args, kwargs)
        try:
            body = wrapped(*args, **kwargs)
        except BaseException as error:  # as above
            begin(tool, pipeline, given).failed(error)
            raise
        return driver(tool, pipeline, given, body, None)

    return call


def _named_after(original: Any, driver: Driver) -> Driver:
    """``driver`` under another name: what asyncio prints of a task names the tool."""
    assert isinstance(driver, FunctionType)  # noqa: S101 - true of those below
    copied = FunctionType(driver.__code__, driver.__globals__)
    copied.__name__ = getattr(original, "__name__", driver.__name__)
    copied.__qualname__ = getattr(original, "__qualname__", driver.__qualname__)
    return copied


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
