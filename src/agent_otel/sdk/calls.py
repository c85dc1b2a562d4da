"""One call of a tool, from its span's start to its end.

The user's result and exception pass through untouched: nothing of ours stands between them and the caller but steps
that are guarded, and that look without touching.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context, trace
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from agent_otel.errors import Denied
from agent_otel.model import names
from agent_otel.sdk.arguments import bound
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.context import current_run
from agent_otel.sdk.events import emit
from agent_otel.sdk.file_effects import FileWatch
from agent_otel.sdk.guard import guard
from agent_otel.sdk.outcome import error_type_of, record_exception
from agent_otel.sdk.pipeline import Pipeline, Prepared, Tool
from agent_otel.sdk.process_context import rooted
from agent_otel.text.sanitise import clean, printed

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from agent_otel.sdk.run import Run

_STARTING: Final = guard("starting a tool call")
_RECORDING: Final = guard("recording the end of a tool call")
_ENDING: Final = guard("ending a tool call")
_MEASURING: Final = guard("measuring a tool call")


class ToolCall:
    """A call in progress.

    Attributes:
        context: what is current while the body runs.
        run: the run it belongs to.
    """

    __slots__ = (
        "_arguments",
        "_began",
        "_counted",
        "_outgoing",
        "_pipeline",
        "_prepared",
        "_span",
        "_watch",
        "context",
        "run",
    )

    def __init__(
        self, tool: Tool, pipeline: Pipeline, instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self._pipeline = pipeline
        self._prepared: Prepared | None = None
        self._outgoing: Outgoing | None = None
        self._watch: FileWatch | None = None
        self._counted = False
        self._span: trace.Span = trace.INVALID_SPAN
        self.context: Context = otel_context.get_current()
        self.run: Run | None = current_run(self.context)
        with _STARTING:
            self._start(tool, instance, args, kwargs)
        self._began = time.perf_counter()

    def count(self) -> None:
        """Counts the call in the run's budget, once.

        Raises:
            BudgetExceeded: the run was asked to raise, and a budget is crossed.
        """
        if self.run is not None and not self._counted:
            self._counted = True
            self.run.tool_called()

    def returned(self, result: Any) -> None:
        """Ends the call: the body gave ``result``."""
        took = time.perf_counter() - self._began
        if self._outgoing is not None:
            with _RECORDING:
                self._tell(result)
        self._end(took, "")

    def failed(self, error: BaseException) -> None:
        """Ends the call: the body was left by ``error``."""
        took = time.perf_counter() - self._began
        error_type = names.ERROR_OTHER
        with _RECORDING:
            error_type = error_type_of(error)
            if self._span.is_recording():
                self._blame(error, error_type)
        self._end(took, error_type)

    def _start(self, tool: Tool, instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        pipeline = self._pipeline
        self._prepared = prepared = pipeline.prepared(tool, self.run)
        if pipeline.tracer is None:
            return
        parent = self.context if self.run is not None else rooted(self.context)
        attributes = prepared.attributes
        if tool.effects or pipeline.content:
            attributes = self._describe(tool, instance, args, kwargs)
        clock = pipeline.clock
        self._span = span = pipeline.tracer.start_span(
            prepared.span_name, parent, SpanKind.INTERNAL, attributes, None, None if clock is None else clock()
        )
        self.context = trace.set_span_in_context(span, parent)
        if self._outgoing is not None:
            if not span.is_recording():
                self._outgoing = None
            elif self._watch is not None:
                self._watch.look()

    def _describe(
        self, tool: Tool, instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Mapping[str, AttributeValue]:
        """The attributes that differ from call to call, with those that do not."""
        pipeline = self._pipeline
        prepared = pipeline.prepared(tool, self.run)
        self._outgoing = outgoing = Outgoing(pipeline.instrumentation)
        outgoing.attributes.update(prepared.attributes)
        outgoing.redactions = prepared.redactions
        if tool.effects:
            self._watch = FileWatch(tool.effects, self.run, instance, args, kwargs)
            self._watch.describe(outgoing)
        if pipeline.content:
            # Now, since the body may change what it was given.
            self._arguments = self._text(bound(tool.signature, instance, args, kwargs))
            if pipeline.instrumentation.settings.content_on_spans:
                outgoing.attributes[names.TOOL_CALL_ARGUMENTS] = self._arguments
        return outgoing.finish()

    def _tell(self, result: Any) -> None:
        """Records what a successful call did to files, and its result where content is wanted."""
        if self._watch is not None:
            self._watch.tell(result, self._span)
        if self._pipeline.content:
            text = self._text(result)
            if self._pipeline.instrumentation.settings.content_on_spans:
                self._span.set_attribute(names.TOOL_CALL_RESULT, text)
            self._tell_content({names.TOOL_CALL_ARGUMENTS: self._arguments, names.TOOL_CALL_RESULT: text})

    def _blame(self, error: BaseException, error_type: str) -> None:
        """Records what went wrong."""
        self._span.set_attribute(names.ERROR_TYPE, error_type)
        if isinstance(error, Denied):
            self._tell_denied(error)
        record_exception(self._pipeline.instrumentation, self._span, error)
        if self._outgoing is not None and self._pipeline.content:
            self._tell_content({names.TOOL_CALL_ARGUMENTS: self._arguments})

    def _tell_denied(self, error: Denied) -> None:
        if error.event_id:  # a tool further in has told it
            return
        values = {
            names.GATE_TOOL: self._prepared.tool if self._prepared is not None else "",
            names.GATE_OUTCOME: "deny",
            names.GATE_POLICY: error.policy,
            names.GATE_REASON: error.reason,
        }
        error.event_id = emit(names.GATE_DECISION, values, span=self._span, run_id=self._run_id())

    def _tell_content(self, values: Mapping[str, str]) -> None:
        if self._outgoing is not None and self._outgoing.redactions:
            self._span.set_attribute(names.REDACTIONS, self._outgoing.redactions)
        if self._pipeline.instrumentation.settings.content_in_events:
            emit(names.TOOL_CONTENT, values, span=self._span, run_id=self._run_id())

    def _end(self, took: float, error_type: str) -> None:
        pipeline = self._pipeline
        with _ENDING:
            self._span.end(None if pipeline.clock is None else pipeline.clock())
        if pipeline.instruments is not None and self._prepared is not None:
            with _MEASURING:
                span = self._span.get_span_context()
                pipeline.instruments.add((self._prepared.tool, self._prepared.agent, error_type, took, span))

    def _run_id(self) -> str:
        return self.run.id if self.run is not None else ""

    def _text(self, value: Any) -> str:
        """Content as text, masked also by the names that stand beside the values."""
        outgoing: Any = self._outgoing
        if isinstance(value, str):
            return str(outgoing.clean(value))
        masked, count = self._pipeline.instrumentation.masker.mask_value(value)
        outgoing.redactions += count
        return str(outgoing.clean(_json(masked)))


def _json(value: Any) -> str:
    try:
        return clean(json.dumps(value, default=printed, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):  # odd keys, a circle, or too deep
        return printed(value)
