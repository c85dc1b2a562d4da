"""What the path of a tool call reads, made ready: a tracer that records, metric instruments, and fixed attributes.

Made anew whenever another instrumentation is put in force, or a global provider is set. Where nobody records there is
no pipeline, and a decorated function is just called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry import trace
from opentelemetry.metrics import _internal as otel_metrics
from opentelemetry.trace import NoOpTracer, ProxyTracer, Tracer
from opentelemetry.util.types import AttributeValue

from agent_otel.model import names
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.guard import guard
from agent_otel.sdk.metrics import Instruments, instruments_for
from agent_otel.sdk.process_context import remote_parent
from agent_otel.sdk.state import Instrumentation, current, when_installed

if TYPE_CHECKING:
    import inspect

    from agent_otel.sdk.file_effects import FileEffect
    from agent_otel.sdk.run import Run

MAX_PREPARED: Final = 1_024
"""Pairs of tool and run whose attributes are kept; a process that has more starts over."""

NAME_LIMIT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tool:
    """What is known of a decorated function before it is called."""

    name: str
    kind: str
    description: str
    effects: tuple[FileEffect, ...]
    signature: inspect.Signature | None


class Prepared(NamedTuple):
    """What all calls of one tool in one run have in common, fit to leave the process."""

    span_name: str
    tool: str
    agent: str
    attributes: Mapping[str, AttributeValue]
    redactions: int


class Pipeline:
    """Where the calls go."""

    __slots__ = (
        "clock",
        "content",
        "instrumentation",
        "instruments",
        "meters",
        "on",
        "parent",
        "ready",
        "tracer",
        "tracers",
    )

    def __init__(self, instrumentation: Instrumentation | None) -> None:
        self.instrumentation: Any = instrumentation
        self.tracer: Tracer | None = None
        self.instruments: Instruments | None = None
        self.content = False
        self.clock = None
        self.parent = remote_parent()
        self.ready: dict[tuple[Tool, str], Prepared] = {}
        if instrumentation is not None:
            tracer = instrumentation.tracer()
            self.tracer = None if isinstance(tracer, ProxyTracer | NoOpTracer) else tracer
            self.instruments = instruments_for(instrumentation)
            self.content = instrumentation.settings.content_on_spans or instrumentation.settings.content_in_events
            self.clock = instrumentation.clock
        self.on = self.tracer is not None or self.instruments is not None
        self.tracers, self.meters = _global_providers()

    def prepare(self, tool: Tool, run: Run | None) -> Prepared:
        """Makes the common part of the calls of ``tool`` in ``run``; kept in ``ready``, by tool and run id."""
        if len(self.ready) >= MAX_PREPARED:
            self.ready.clear()
        prepared = self.ready[tool, run.id if run is not None else ""] = self._prepare(tool, run)
        return prepared

    def _prepare(self, tool: Tool, run: Run | None) -> Prepared:
        outgoing = Outgoing(self.instrumentation)
        outgoing.put(names.OPERATION_NAME, names.EXECUTE_TOOL)
        outgoing.put(names.TOOL_NAME, tool.name, limit=NAME_LIMIT)
        outgoing.put(names.TOOL_TYPE, tool.kind, limit=NAME_LIMIT)
        outgoing.put(names.TOOL_DESCRIPTION, tool.description, limit=NAME_LIMIT)
        if run is not None:
            outgoing.put(names.AGENT_NAME, run.agent)
            outgoing.put(names.RUN_ID, run.id)
        attributes = outgoing.finish()
        called = str(attributes[names.TOOL_NAME])
        return Prepared(
            span_name=f"{names.EXECUTE_TOOL} {called}",
            tool=called,
            agent=str(attributes.get(names.AGENT_NAME, "")),
            attributes=attributes,
            redactions=outgoing.redactions,
        )


_pipeline: Pipeline | None = None


def active() -> Pipeline | None:
    """The pipeline in force, or None where nobody records."""
    found = _pipeline
    # Asking the API for its provider looks into the environment on each call, which costs more than all of this.
    if (
        found is None
        or found.tracers is not getattr(trace, "_TRACER_PROVIDER", None)
        or found.meters is not getattr(otel_metrics, "_METER_PROVIDER", None)
    ):
        found = _renew()
    return found if found.on else None


def _global_providers() -> tuple[object, object]:
    return getattr(trace, "_TRACER_PROVIDER", None), getattr(otel_metrics, "_METER_PROVIDER", None)


def _renew() -> Pipeline:
    global _pipeline  # noqa: PLW0603 - made from the process's one instrumentation
    made = None
    with guard("reading settings and providers"):
        made = Pipeline(current())
    _pipeline = made or Pipeline(None)
    return _pipeline


def _forget() -> None:
    global _pipeline  # noqa: PLW0603 - see _renew
    _pipeline = None


when_installed(_forget)
