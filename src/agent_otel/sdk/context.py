"""The current run, carried by OpenTelemetry's context, so that it goes wherever the trace context goes."""

from __future__ import annotations

from contextvars import Token
from typing import TYPE_CHECKING, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context

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


def leave(token: Token[Context]) -> None:
    """Undoes an ``attach``, also where another task or thread than the attaching one gets to do it.

    A generator or coroutine may be closed from anywhere. There the token means nothing, and there is nothing to
    restore either; OpenTelemetry's own ``detach`` would log an error with a traceback.
    """
    try:
        token.var.reset(token)
    except ValueError:  # "was created in a different Context"
        return
