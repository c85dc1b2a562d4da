"""Finding one argument of a call without binding all of them: settled once, when the function is decorated."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any

from agent_otel.errors import SettingsError, suggestion

Finder = Callable[[Any, Sequence[Any], Mapping[str, Any]], Any]
"""Gives the argument from (bound instance or None, positional arguments without it, keyword arguments)."""

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def underlying(function: Any) -> Any:
    """The plain callable below class method, static method and bound method; its first parameter is the instance."""
    while isinstance(function, classmethod | staticmethod) or inspect.ismethod(function):
        function = function.__func__
    return function


def innermost(function: Any) -> Any:
    """The callable that has a name and a docstring: ``underlying``, also through partials."""
    plain = underlying(function)
    while isinstance(plain, functools.partial):
        plain = underlying(plain.func)
    return plain


def signature_of(function: Any) -> inspect.Signature | None:
    """The signature with the instance as first parameter, or None for builtins that tell none."""
    try:
        return inspect.signature(underlying(function))
    except (ValueError, TypeError):
        return None


def finder(function: Any, name: str, *, option: str) -> Finder:
    """A finder of the parameter ``name`` of ``function``.

    Args:
        function: what is decorated.
        name: the parameter.
        option: the decorator's option that names it, for the message.

    Raises:
        SettingsError: there is no such parameter; the message names those there are.
    """
    signature = signature_of(function)
    parameters = signature.parameters if signature is not None else {}
    found = parameters.get(name)
    if found is None:
        if any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values()):
            return functools.partial(_by_keyword, name, None)
        raise _unknown(function, name, option, list(parameters))
    if found.kind is Parameter.VAR_KEYWORD:
        raise _unknown(function, name, option, [each for each in parameters if each != name])
    default = None if found.default is Parameter.empty else found.default
    if found.kind is Parameter.KEYWORD_ONLY:
        return functools.partial(_by_keyword, name, default)
    position = list(parameters).index(name)
    if found.kind is Parameter.VAR_POSITIONAL:
        return functools.partial(_rest, position)
    return functools.partial(_by_position, name, position, default)


def bound(
    signature: inspect.Signature | None, instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """All arguments of a call by name, the instance left out; what does not fit the signature as it came."""
    try:
        if signature is None:
            return {"args": list(args), **kwargs}
        if instance is None:
            return dict(signature.bind_partial(*args, **kwargs).arguments)
        arguments = signature.bind_partial(instance, *args, **kwargs).arguments
        arguments.pop(next(iter(signature.parameters)), None)
        return dict(arguments)
    except TypeError:  # the call itself is about to fail for the same reason
        return {"args": list(args), **kwargs}


def _by_position(
    name: str, position: int, default: Any, instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    if name in kwargs:
        return kwargs[name]
    if instance is not None:
        position -= 1
    return args[position] if 0 <= position < len(args) else default


def _by_keyword(name: str, default: Any, _: Any, __: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    return kwargs.get(name, default)


def _rest(position: int, instance: Any, args: Sequence[Any], _: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(args[position if instance is None else position - 1 :])


def _unknown(function: Any, name: str, option: str, known: list[str]) -> SettingsError:
    called = getattr(underlying(function), "__qualname__", repr(function))
    hint = suggestion(name, known or ["none that can be seen"])
    return SettingsError(f"tool({option}={name!r}): {called} has no such parameter; {hint}")
