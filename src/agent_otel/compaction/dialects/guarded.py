"""A dialect from elsewhere, held to what dialects promise: its mistakes cost what it would have read, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, get_args

import msgspec

from agent_otel.compaction.dialects.base import Dialect, Place, Sighting
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits
from agent_otel.model.item import Log, Span

T = TypeVar("T")

_FACTS: Final = frozenset(get_args(fact.AnyFact))

Tell = Callable[[str, Exception], object]
"""Is told the name of a dialect that failed, and how."""


class Guarded:
    """A dialect that never fails, for one fold.

    Whatever it fails on is noted as a limit of the records it would have been part of. Of a reading that fails half-way
    nothing counts: half a story (the failing test without the passing one) can be a lie.

    Args:
        dialect: whom to guard.
        tell: what to do with its failures.
    """

    def __init__(self, dialect: Dialect, tell: Tell) -> None:
        self._dialect = dialect
        self._tell = tell
        self._failed: dict[int, Span | Log] = {}
        self._places: dict[int, Place | None] = {}
        self.name = dialect.name
        self.about = dialect.about
        self.scopes = dialect.scopes

    def claims(self, item: Span | Log) -> bool:
        """What the dialect says; an item that it fails on is left to the others."""
        claimed = self._ask(lambda: bool(self._dialect.claims(item)), [item], otherwise=False)
        if claimed:
            self._places[id(item)] = self._ask(lambda: _place(self._dialect.place(item)), [item], otherwise=None)
        return claimed

    def place(self, item: Span | Log) -> Place | None:
        """What the dialect said when it claimed the item."""
        return self._places.get(id(item))

    def backdrop(self, item: Span | Log) -> bool:
        """What the dialect says; where it fails the item counts."""
        return self._ask(lambda: bool(self._dialect.backdrop(item)), [item], otherwise=False)

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts that the dialect read, or that it failed."""
        known = {id(item): item for item in (*items, *forest.spans.values())}
        nothing: tuple[Sighting, ...] = ()
        yield from self._ask(
            lambda: tuple(_checked(seen, known, self.name) for seen in self._dialect.read(items, forest)),
            items,
            otherwise=nothing,
        )
        for item in self._failed.values():
            time_ns = item.start_ns if isinstance(item, Span) else item.time_ns
            noted = fact.LimitNoticed(ref=item.ref, time_ns=time_ns, limit=limits.DIALECT_FAILED)
            yield Sighting(noted, item, self.name)

    def _ask(self, question: Callable[[], T], about: Sequence[Span | Log], *, otherwise: T) -> T:
        try:
            return question()
        except Exception as exc:  # noqa: BLE001 - the records of everybody else must survive a plugin's mistakes
            self._failed |= {id(item): item for item in about}
            self._tell(self.name, exc)
            return otherwise


def _place(said: object) -> Place | None:
    if said is None:
        return None
    if not isinstance(said, Place):
        message = f"expected a Place or None, got {said!r}"
        raise TypeError(message)
    return Place(_named(said.run_id), _named(said.parent) if said.parent else "")


def _named(run_id: object) -> str:
    if not isinstance(run_id, str) or not run_id:
        message = f"expected the id of a run, got {run_id!r}"
        raise TypeError(message)
    return run_id


def _checked(seen: Any, known: Mapping[int, Span | Log], name: str) -> Sighting:
    """The sighting with a fact that is what its type says; what the passes work on has to be."""
    if type(seen.fact) not in _FACTS:
        message = f"expected a fact, got {seen.fact!r}"
        raise TypeError(message)
    whole: fact.AnyFact = msgspec.json.decode(msgspec.json.encode(seen.fact), type=type(seen.fact))
    return Sighting(whole, known[id(seen.item)], name)
