"""What a dialect is: the one place that knows how one kind of telemetry says things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from agent_otel.compaction.tree import Forest
from agent_otel.model.fact import AnyFact
from agent_otel.model.item import Log, Span


class Sighting(NamedTuple):
    """A fact, the item that shows it, and the dialect that read it there."""

    fact: AnyFact
    item: Span | Log
    dialect: str


class Place(NamedTuple):
    """A run that telemetry names itself, by its session for example; ``parent`` is the run that it is a part of."""

    run_id: str
    parent: str = ""


class Dialect(Protocol):
    """Turns items of one kind of telemetry into facts. Recognises them by scope and attributes, not by service name."""

    @property
    def name(self) -> str:
        """What records call it (``agent.dialect``)."""

    @property
    def about(self) -> str:
        """Whose telemetry it reads, in one line for people: the agents, and the signals they send."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The instrumentation scopes it reads, for people; empty where it goes by attributes alone."""

    def claims(self, item: Span | Log) -> bool:
        """True when the item is this dialect's to read; the first dialect of the table that claims an item has it."""

    def place(self, item: Span | Log) -> Place | None:
        """The run a claimed item says it belongs to; None where its place in a trace tells.

        A dialect that places items states each turn of a run as ``AgentInvoked``, whose ``end_ns`` is 0 for a turn of
        which no end was seen.
        """

    def backdrop(self, item: Span | Log) -> bool:
        """True for a claimed item that makes no run where there is nothing else: setting up, housekeeping."""

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterable[Sighting]:
        """The facts of the claimed items, in any order; never raises, whatever the items hold.

        ``forest`` has the whole group, so that an item can be understood by its place.
        """
