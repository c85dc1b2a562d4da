"""Context into threads: what a thread or a pool's worker does belongs to the trace and run it was asked for in.

``asyncio.to_thread`` and tasks carry the context by themselves. Plain threads and pools do not, and patching them is
not for a library to do unasked: ``instrument_threads()`` is the one line with which an application asks.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import wrapt
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from agent_otel.sdk.context import leave

P = ParamSpec("P")
R = TypeVar("R")


def propagate(function: Callable[P, R]) -> Callable[P, R]:
    """Binds the current trace and run to ``function``, which may then be called from any thread."""
    return _carrying(otel_context.get_current(), function)


def instrument_threads() -> InstrumentedThreads:
    """Carries trace and run into every ``threading.Thread`` and ``ThreadPoolExecutor`` from now on.

    Asking twice changes nothing.

    Returns:
        What undoes it, when called or left as a context manager.
    """
    with _patches:
        _active.append(handle := InstrumentedThreads())
        if not _originals:
            _patch(threading.Thread, "start", _start)
            _patch(ThreadPoolExecutor, "submit", _submit)
    return handle


class InstrumentedThreads:
    """Threads carry the context for as long as one of these is not undone."""

    def __call__(self) -> None:
        """Undoes ``instrument_threads``; a second time does nothing."""
        with _patches:
            if self in _active:
                _active.remove(self)
            if not _active:
                _restore()

    def __enter__(self) -> InstrumentedThreads:  # noqa: PYI034 - nobody derives from it
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self()


_patches = threading.Lock()
_active: list[InstrumentedThreads] = []
_originals: dict[tuple[type, str], tuple[Any, Any]] = {}


def _patch(owner: type, name: str, wrapper: Any) -> None:
    original = owner.__dict__[name]
    patched = wrapt.FunctionWrapper(original, wrapper)
    _originals[owner, name] = (original, patched)
    setattr(owner, name, patched)


def _restore() -> None:
    for (owner, name), (original, patched) in _originals.items():
        if owner.__dict__.get(name) is patched:  # somebody else may have patched it since
            setattr(owner, name, original)
    _originals.clear()


def _start(
    wrapped: Callable[[], None], thread: threading.Thread, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    context = otel_context.get_current()
    if context and _active:
        # On the instance, so that it also holds for subclasses with a ``run`` of their own.
        thread.run = functools.partial(_run, thread, thread.run, context)  # type: ignore[method-assign]  # as said
    wrapped(*args, **kwargs)


def _run(thread: threading.Thread, original: Callable[[], None], context: Context) -> None:
    thread.__dict__.pop("run", None)  # a thread that is kept around does not keep the trace
    _carrying(context, original)()


def _submit(wrapped: Callable[..., Any], _: ThreadPoolExecutor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    if not (_active and args):
        return wrapped(*args, **kwargs)
    function, *rest = args
    carrying = propagate(function)
    # The worker that a first task starts outlives it; it must not stay in that task's trace for good.
    token = otel_context.attach(Context())
    try:
        return wrapped(carrying, *rest, **kwargs)
    finally:
        leave(token)


def _carrying(context: Context, function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function, updated=())
    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        token = otel_context.attach(context)
        try:
            return function(*args, **kwargs)
        finally:
            leave(token)

    return carried
