"""Reads the spans of an imaginary agent: ``turn`` around ``shell``, ``open`` and ``patch``, in a scope of its own."""

from collections.abc import Iterator, Sequence
from typing import Any

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.results import ending, unwrap
from agent_otel.compaction.reading.values import text
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact
from agent_otel.model.contract import Contract
from agent_otel.model.item import Log, Span


class Tinker:
    """What the items of tinker mean, and which run they are of."""

    name = "tinker"
    about = "tinker 1.x: spans of turns and tools"
    scopes = ("tinker.tracing",)

    def claims(self, item: Span | Log) -> bool:
        """By scope: whoever else uses these span names is somebody else."""
        return isinstance(item, Span) and item.scope == "tinker.tracing"

    def place(self, item: Span | Log) -> Place | None:
        """Each span names its session, so that all traces of a session are one run."""
        session = text(item.attributes.get("session.id"))
        return Place(session) if session else None

    def backdrop(self, item: Span | Log) -> bool:
        """Indexing makes no run where nothing else happens."""
        return isinstance(item, Span) and item.name == "index"

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:  # noqa: ARG002
        """The facts of each span."""
        for span in items:
            if isinstance(span, Span) and span.name in FACTS:
                for seen in FACTS[span.name](span):
                    yield Sighting(seen, span, self.name)


def _turn(span: Span) -> Iterator[fact.AnyFact]:
    about: dict[str, Any] = {"ref": span.ref, "time_ns": span.start_ns}
    yield fact.AgentInvoked(**about, end_ns=span.end_ns, outcome=ending(span, unwrap(None)).outcome)
    contract = Contract(objective=text(span.attributes.get("prompt")))
    yield fact.TaskStarted(**about, contract=contract, stated=False)


def _tool(span: Span) -> Iterator[fact.AnyFact]:
    about: dict[str, Any] = {"ref": span.ref, "time_ns": span.start_ns, "name": span.name}
    given, result = span.attributes.get("input"), unwrap(span.attributes.get("output"))
    return call_facts(Call(**about, end=ending(span, result), arguments=given, result=result))


FACTS = {"turn": _turn, "shell": _tool, "open": _tool, "patch": _tool}
