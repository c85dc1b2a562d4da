"""``tool``: makes every call of a function a span, and tells which files it read and changed."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, overload

import wrapt

from agent_otel.errors import SettingsError
from agent_otel.sdk.arguments import finder, innermost, signature_of
from agent_otel.sdk.file_effects import FileEffect, Operation
from agent_otel.sdk.pipeline import Tool
from agent_otel.sdk.shapes import wrapper_for

Decorated = TypeVar("Decorated", bound="Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any]")


@overload
def tool(
    function: Decorated,
    /,
    *,
    name: str = ...,
    reads: str = ...,
    writes: str = ...,
    deletes: str = ...,
    reason: str = ...,
    kind: str = ...,
) -> Decorated: ...


@overload
def tool(
    *,
    name: str = ...,
    reads: str = ...,
    writes: str = ...,
    deletes: str = ...,
    reason: str = ...,
    kind: str = ...,
) -> Callable[[Decorated], Decorated]: ...


def tool(  # noqa: PLR0913 - six options, and the function they are about
    function: Any = None,
    /,
    *,
    name: str = "",
    reads: str = "",
    writes: str = "",
    deletes: str = "",
    reason: str = "",
    kind: str = "function",
) -> Any:
    """Decorates a tool: each call becomes a span ``execute_tool {name}``.

    For functions, coroutine functions, generators and async generators, methods of every kind (above or below
    ``classmethod`` and ``staticmethod``), partials, lambdas and callable objects. Name, signature, docstring and
    pickling stay those of the original, and so do its results and exceptions. Used as ``@tool``, ``@tool(...)`` or
    ``tool(function, ...)``.

    Args:
        function: what to decorate.
        name: what the tool is called; the function's name where none is given.
        reads: the parameter that names the file, or files, it reads.
        writes: the parameter that names the file, or files, it creates or edits.
        deletes: the parameter that names the file, or files, it deletes.
        reason: the parameter that says why a file is read.
        kind: ``function``, ``extension`` or ``datastore`` (``gen_ai.tool.type``).

    Raises:
        SettingsError: there is no such parameter, or nothing that can be called.
    """
    options = {"name": name, "reads": reads, "writes": writes, "deletes": deletes, "reason": reason, "kind": kind}
    if function is None:
        return lambda decorated: _decorate(decorated, options)
    return _decorate(function, options)


def _decorate(function: Any, options: Mapping[str, str]) -> Any:
    if not callable(function) and not hasattr(function, "__get__"):
        message = f"tool() decorates something that can be called, got {function!r}"
        raise SettingsError(message)
    return ToolFunction(function, options)


_OPERATIONS: Final[Mapping[str, Operation]] = {"reads": "read", "writes": "edit", "deletes": "delete"}


class BoundToolFunction(wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]  # generic in the stubs only
    """A tool function as a method of something."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return getattr, (self._target(), self.__name__)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return getattr(copy.deepcopy(self._target(), memo), self.__name__)

    def _target(self) -> Any:
        """What the method is looked up on: the instance, or the class."""
        bound_to = getattr(self.__wrapped__, "__self__", None)
        return self._self_owner if bound_to is None else bound_to


class ToolFunction(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # as above
    """A decorated tool. Everything but the call is that of the original."""

    __bound_function_wrapper__ = BoundToolFunction

    def __init__(self, function: Any, options: Mapping[str, str]) -> None:
        wrapper = wrapper_for(function, _described(function, options))
        super().__init__(function, wrapper)
        self._self_options = options
        self._self_call = functools.partial(
            wrapper, function, getattr(function, "__self__", None) if inspect.ismethod(function) else None
        )

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Calls the tool; wrapt's own way looks for ``__self__`` on the function first, which costs as much as ours."""
        return self._self_call(args, kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if inspect.isfunction(self.__wrapped__) and _found_by_name(self.__wrapped__) is not self.__wrapped__:
            return self.__qualname__  # by name, like any function
        return _decorate, (self.__wrapped__, self._self_options)

    def __copy__(self) -> Any:
        return self if _is_function(self.__wrapped__) else _decorate(copy.copy(self.__wrapped__), self._self_options)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if _is_function(self.__wrapped__):
            return self
        return _decorate(copy.deepcopy(self.__wrapped__, memo), self._self_options)


def _described(function: Any, options: Mapping[str, str]) -> Tool:
    return Tool(
        name=options["name"] or _name_of(function),
        kind=options["kind"],
        description=_first_line(function),
        effects=_effects(function, options),
        signature=signature_of(function),
    )


def _effects(function: Any, options: Mapping[str, str]) -> tuple[FileEffect, ...]:
    reason = finder(function, options["reason"], option="reason") if options["reason"] else None
    # What changes a file comes last; it is what the span is said to do.
    return tuple(
        FileEffect(operation=operation, path=finder(function, options[option], option=option), reason=reason)
        for option, operation in _OPERATIONS.items()
        if options[option]
    )


def _name_of(function: Any) -> str:
    plain = innermost(function)
    return str(getattr(plain, "__name__", None) or type(plain).__name__)


def _first_line(function: Any) -> str:
    return (inspect.getdoc(innermost(function)) or "").strip().partition("\n")[0]


def _is_function(wrapped: Any) -> bool:
    """Whether a copy is the thing itself, as it is for functions."""
    return inspect.isfunction(wrapped) or inspect.isbuiltin(wrapped) or isinstance(wrapped, classmethod | staticmethod)


def _found_by_name(function: Any) -> Any:
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    return found
