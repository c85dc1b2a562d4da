"""The trace that whoever started this process was in, from ``TRACEPARENT`` and ``TRACESTATE`` in the environment.

The variables are those of OpenTelemetry's "environment variables as context propagation carriers"; their values follow
W3C trace context.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


def parent_in(environ: Mapping[str, str]) -> Context | None:
    """The context of the span named by ``environ``, or None where it names none, or none that can be read."""
    carrier = {name: environ[name.upper()] for name in ("traceparent", "tracestate") if name.upper() in environ}
    if not carrier:
        return None
    context = TraceContextTextMapPropagator().extract(carrier, context=Context())
    return context if trace.get_current_span(context).get_span_context().is_valid else None


@functools.lru_cache(maxsize=1)
def remote_parent() -> Context | None:
    """The context this process was started in, read once, on first use."""
    return parent_in(os.environ)


def rooted(context: Context) -> Context:
    """``context``, continuing the trace this process was started in where it continues none itself."""
    parent = remote_parent()
    if parent is None or trace.get_current_span(context).get_span_context().is_valid:
        return context
    return trace.set_span_in_context(trace.get_current_span(parent), context)
