"""One call of a tool, from its span's start to its end.

The user's result and exception pass through untouched: nothing of ours stands between them and the caller but steps
that are guarded, and that look without touching.

Every statement here is paid for by every call (benchmarks/sdk_overhead.py); what only some need is in
``CallDetails``.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind

from agent_otel.errors import Denied
from agent_otel.model import names
from agent_otel.sdk.call_details import CallDetails
from agent_otel.sdk.context import RUN_KEY, here, with_span
from agent_otel.sdk.events import emit
from agent_otel.sdk.guard import guard, guarded
from agent_otel.sdk.outcome import error_type_of, record_exception
from agent_otel.sdk.pipeline import Pipeline, Prepared, Tool
from agent_otel.sdk.process_context import rooted

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from agent_otel.sdk.run import Run

Given = tuple[Any, tuple[Any, ...], dict[str, Any]]
"""What a function is called with: bound instance or None, positional arguments without it, keyword arguments."""

_INTERNAL: Final = SpanKind.INTERNAL


class ToolCall:
    """A call in progress.

    Attributes:
        context: what is current while the body runs.
        run: the run it belongs to.
    """

    __slots__ = ("_began", "_details", "_pipeline", "_prepared", "_span", "context", "run")

    def __init__(self, tool: Tool, pipeline: Pipeline, given: Given) -> None:
        context: Context = here()
        run: Run | None = context.get(RUN_KEY)  # type: ignore[assignment]  # only Runs are put under our key
        prepared = pipeline.ready.get((tool, "" if run is None else run.id)) or pipeline.prepare(tool, run)
        self.run = run
        self._pipeline = pipeline
        self._prepared: Prepared = prepared
        self._details: CallDetails | None = None
        self._span: Span = trace.INVALID_SPAN
        if pipeline.tracer is not None:
            if run is None and pipeline.parent is not None:
                context = rooted(context)
            attributes = prepared.attributes
            if tool.effects or pipeline.content:
                with guard("looking at a tool's arguments"):
                    details = CallDetails(pipeline.instrumentation, prepared, run)
                    attributes = details.describe(tool, *given)
                    self._details = details
            clock = pipeline.clock
            started = None if clock is None else clock()
            self._span = span = pipeline.tracer.start_span(
                prepared.span_name, context, _INTERNAL, attributes, None, started
            )
            context = with_span(span, context)
            if self._details is not None and not self._details.watch(span):
                self._details = None
        self.context = context
        self._began = 0.0 if pipeline.instruments is None else perf_counter()

    @guarded("ending a tool call")
    def returned(self, result: Any) -> None:
        """Ends the call: the body gave ``result``."""
        if self._details is not None:
            with guard("recording what a tool did"):
                self._details.succeeded(result)
        self._end("")

    @guarded("ending a tool call")
    def failed(self, error: BaseException) -> None:
        """Ends the call: the body was left by ``error``."""
        error_type = names.ERROR_OTHER
        with guard("recording why a tool failed"):
            error_type = error_type_of(error)
            if self._span.is_recording():
                self._blame(error, error_type)
        self._end(error_type)

    def _end(self, error_type: str) -> None:
        pipeline = self._pipeline
        took = 0.0 if pipeline.instruments is None else perf_counter() - self._began
        try:
            self._span.end(None if pipeline.clock is None else pipeline.clock())
        finally:  # a failing span processor does not cost the measurement
            if pipeline.instruments is not None:
                prepared, span = self._prepared, self._span.get_span_context()
                pipeline.instruments.add((prepared.tool, prepared.agent, error_type, took, span))

    def _blame(self, error: BaseException, error_type: str) -> None:
        """Records what went wrong."""
        self._span.set_attribute(names.ERROR_TYPE, error_type)
        if isinstance(error, Denied) and not error.event_id:  # else a tool further in has told it
            values = {
                names.GATE_TOOL: self._prepared.tool,
                names.GATE_OUTCOME: "deny",
                names.GATE_POLICY: error.policy,
                names.GATE_REASON: error.reason,
            }
            run_id = self.run.id if self.run is not None else ""
            error.event_id = emit(names.GATE_DECISION, values, span=self._span, run_id=run_id)
        record_exception(self._pipeline.instrumentation, self._span, error)
        if self._details is not None:
            self._details.failed()


class Unrecorded:
    """A call that could not be recorded, because something of ours failed. It still counts in the run's budget."""

    __slots__ = ("context", "run")

    def __init__(self) -> None:
        self.context: Context = here()
        self.run: Run | None = self.context.get(RUN_KEY)  # type: ignore[assignment]  # as in ToolCall

    def returned(self, result: Any) -> None:
        """Does nothing."""

    def failed(self, error: BaseException) -> None:
        """Does nothing."""


begin: Final[Callable[[Tool, Pipeline, Given], ToolCall | Unrecorded]] = guarded(
    "starting a tool call", otherwise=Unrecorded
)(ToolCall)
"""Begins a call: starts its span. The caller enters ``context``, counts the call, and says how it ended."""
