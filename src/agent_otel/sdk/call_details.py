"""What only some calls of tools have: files they touch, and content, where it is wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from agent_otel.model import names
from agent_otel.sdk.arguments import bound
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.events import emit
from agent_otel.sdk.file_effects import FileWatch
from agent_otel.sdk.pipeline import Prepared, Tool
from agent_otel.sdk.state import Instrumentation
from agent_otel.text.sanitise import clean, printed

if TYPE_CHECKING:
    from agent_otel.sdk.run import Run


class CallDetails:
    """The files and the content of one call."""

    __slots__ = ("_arguments", "_files", "_instrumentation", "_outgoing", "_prepared", "_run", "_span")

    def __init__(self, instrumentation: Instrumentation, prepared: Prepared, run: Run | None) -> None:
        self._instrumentation = instrumentation
        self._prepared = prepared
        self._run = run
        self._outgoing = Outgoing(instrumentation)
        self._files: FileWatch | None = None
        self._arguments: str | None = None
        self._span: Span = trace.INVALID_SPAN

    def describe(
        self, tool: Tool, instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Mapping[str, AttributeValue]:
        """The attributes for the start of the span: those of every call, and those of this one."""
        outgoing, settings = self._outgoing, self._instrumentation.settings
        outgoing.attributes.update(self._prepared.attributes)
        outgoing.redactions = self._prepared.redactions
        if tool.effects:
            self._files = FileWatch(tool.effects, self._run, instance, args, kwargs)
            self._files.describe(outgoing)
        if settings.content_on_spans or settings.content_in_events:
            # Now, since the body may change what it was given.
            self._arguments = self._text(bound(tool.signature, instance, args, kwargs))
            if settings.content_on_spans:
                outgoing.attributes[names.TOOL_CALL_ARGUMENTS] = self._arguments
        return outgoing.finish()

    def watch(self, span: Span) -> bool:
        """Looks at the files that are about to be changed; False where ``span`` records nothing."""
        if not span.is_recording():
            return False
        self._span = span
        if self._files is not None:
            self._files.look()
        return True

    def succeeded(self, result: Any) -> None:
        """Records what the call did to files, and its result."""
        if self._files is not None:
            self._files.tell(result, self._span)
        if self._arguments is not None:
            text = self._text(result)
            if self._instrumentation.settings.content_on_spans:
                self._span.set_attribute(names.TOOL_CALL_RESULT, text)
            self._tell({names.TOOL_CALL_ARGUMENTS: self._arguments, names.TOOL_CALL_RESULT: text})

    def failed(self) -> None:
        """Records the arguments; there is no result, and whatever was done to files was not seen."""
        if self._arguments is not None:
            self._tell({names.TOOL_CALL_ARGUMENTS: self._arguments})

    def _tell(self, values: Mapping[str, str]) -> None:
        settings = self._instrumentation.settings
        if settings.content_on_spans and self._outgoing.redactions:
            self._span.set_attribute(names.REDACTIONS, self._outgoing.redactions)
        if settings.content_in_events:
            run_id = self._run.id if self._run is not None else ""
            emit(names.TOOL_CONTENT, values, span=self._span, run_id=run_id)

    def _text(self, value: Any) -> str:
        """Content as text, masked also by the names that stand beside the values."""
        if isinstance(value, str):
            return str(self._outgoing.clean(value))
        masked, count = self._instrumentation.masker.mask_value(value)
        self._outgoing.redactions += count
        return str(self._outgoing.clean(_json(masked)))


def _json(value: Any) -> str:
    try:
        return clean(json.dumps(value, default=printed, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):  # odd keys, a circle, or too deep
        return printed(value)
