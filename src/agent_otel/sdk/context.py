"""The current run, carried by OpenTelemetry's context, so that it goes wherever the trace context goes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Final

from opentelemetry import context as otel_context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span

if TYPE_CHECKING:
    from agent_otel.sdk.run import Run

RUN_KEY: Final = otel_context.create_key("agent_otel.run")


def current_run(context: Context | None = None) -> Run | None:
    """The run this code is part of, or None outside of any.

    Args:
        context: where to look; the current context where none is given.
    """
    run: Run | None = otel_context.get_value(RUN_KEY, context)  # type: ignore[assignment]  # only Runs are put under our key
    return run


def with_run(run: Run, context: Context) -> Context:
    """``context`` with ``run`` as the current run."""
    return otel_context.set_value(RUN_KEY, run, context)


def with_span(span: Span, context: Context) -> Context:
    """``context`` with ``span`` as the current span; ``set_span_in_context`` at half its price."""
    return Context({**context, _SPAN_KEY: span})


def _variable() -> ContextVar[Context] | None:
    """The variable that holds OpenTelemetry's context; None where another kind of runtime context was configured."""
    token = otel_context.attach(otel_context.get_current())
    try:
        return getattr(token, "var", None)
    finally:
        otel_context.detach(token)


(_SPAN_KEY,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())
_VARIABLE: Final = _variable()

here: Final[Callable[[], Context]] = otel_context.get_current if _VARIABLE is None else _VARIABLE.get
"""Gives the current context."""

enter: Final[Callable[[Context], Token[Context]]] = otel_context.attach if _VARIABLE is None else _VARIABLE.set
"""Makes a context current; its token is for ``leave``."""


leave_here: Final[Callable[[Token[Context]], None]] = otel_context.detach if _VARIABLE is None else _VARIABLE.reset
"""Undoes ``enter``, for code that cannot have been moved to another task or thread in between."""


def leave(token: Token[Context]) -> None:
    """Undoes ``enter``, wherever this code has been moved to.

    A generator or coroutine may be closed by another task or thread. There the token means nothing, and there is
    nothing to restore either; OpenTelemetry's own ``detach`` would log an error with a traceback.
    """
    try:
        leave_here(token)
    except ValueError:  # "was created in a different Context"
        return
