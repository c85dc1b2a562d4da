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


class Dialect(Protocol):
    """Turns items of one kind of telemetry into facts. Recognises them by scope and attributes, not by service name."""

    @property
    def name(self) -> str:
        """What records call it (``agent.dialect``)."""

    def claims(self, item: Span | Log) -> bool:
        """True when the item is this dialect's to read; the first dialect of the table that claims an item has it."""

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterable[Sighting]:
        """The facts of the claimed items, in any order; never raises, whatever the items hold.

        ``forest`` has the whole group, so that an item can be understood by its place.
        """
