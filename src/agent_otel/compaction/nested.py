"""What is said twice because one instrumentation works inside another counts once.

A framework's tool span around the tool span of this SDK, an MCP client span around the server's, two model
instrumentations on top of each other: the outermost call counts. Of two tellings of one file or command, the one of the
earlier dialect of the table counts: ours states what others only let conclude from arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set as AbstractSet
from typing import Final, NamedTuple

from agent_otel.compaction.dialects.base import Sighting
from agent_otel.compaction.dialects.table import RANKS
from agent_otel.compaction.paths import normalise
from agent_otel.compaction.tree import Forest
from agent_otel.model.fact import AgentInvoked, CommandRun, FileChanged, FileRead, ModelCalled, ToolCalled

DEEPEST: Final = 32
"""How many calls outwards a repetition is looked for; more are nested in hostile traces only."""

Telling = tuple[str, str]
"""Where something is told, and what it is about: a ref, and a path with what was done to it, or "run"."""


def once(sightings: Sequence[Sighting], forest: Forest) -> list[Sighting]:
    """The sightings without repetitions from inside."""
    bounds = {seen.fact.ref for seen in sightings if isinstance(seen.fact, AgentInvoked)}
    kept = _outermost_tools(sightings, _Around(forest, bounds))
    return _best_told(_outermost_models(kept, _Around(forest, bounds)), _Around(forest, bounds))


class _Around:
    """The calls around a call, from the inside out, up to the agent that made them."""

    def __init__(self, forest: Forest, bounds: AbstractSet[str]) -> None:
        self._forest = forest
        self._bounds = bounds
        self._nearest: Mapping[str, str] = {}

    def among(self, calls: AbstractSet[str]) -> None:
        """Sets which spans are calls."""
        ends = self._bounds
        self._nearest = self._forest.inherit(lambda span: span.ref if span.ref in calls or span.ref in ends else None)

    def calls(self, ref: str) -> Iterator[str]:
        """The refs of the calls around ``ref``."""
        for _ in range(DEEPEST):
            outer = self._nearest.get(self._forest.parent(ref) or "")
            if outer is None or outer in self._bounds or ref in self._bounds:
                return
            yield outer
            ref = outer


def _outermost_tools(sightings: Sequence[Sighting], around: _Around) -> list[Sighting]:
    tools = {
        seen.fact.ref: (seen.fact.name, RANKS[seen.dialect], bool(seen.fact.command_id))
        for seen in sightings
        if isinstance(seen.fact, ToolCalled)
    }
    around.among(tools.keys())

    def repeats(ref: str) -> bool:
        name, rank, is_command = tools[ref]

        def same(outer: str) -> bool:
            outer_name, outer_rank, _ = tools[outer]
            # Our own tools may well call themselves; others only seem to. A command carries the name of its tool.
            return outer_name == name and (is_command or not rank == outer_rank == 0)

        return any(same(outer) for outer in around.calls(ref))

    return [seen for seen in sightings if not (isinstance(seen.fact, ToolCalled) and repeats(seen.fact.ref))]


def _outermost_models(sightings: Sequence[Sighting], around: _Around) -> list[Sighting]:
    models = {seen.fact.ref for seen in sightings if isinstance(seen.fact, ModelCalled)}
    around.among(models)
    kept: list[Sighting] = []
    ids: set[str] = set()
    for seen in sightings:
        if isinstance(seen.fact, ModelCalled):
            if seen.fact.call_id in ids or next(around.calls(seen.fact.ref), None):
                continue
            ids |= {seen.fact.call_id} - {""}
        kept.append(seen)
    return kept


class _Told(NamedTuple):
    rank: int
    commands: set[str]


def _best_told(sightings: Sequence[Sighting], around: _Around) -> list[Sighting]:
    told: dict[Telling, _Told] = {}
    for seen in sightings:
        if (telling := _telling(seen)) is not None:
            before = told.get(telling, _Told(RANKS[seen.dialect], set()))
            before.commands.add(_command(seen))
            told[telling] = before._replace(rank=min(before.rank, RANKS[seen.dialect]))
    around.among({ref for ref, _ in told})
    best = {telling: group.rank for telling, group in told.items()}
    outside: dict[Telling, set[str]] = {}
    for (ref, what), inner in told.items():
        for outer in around.calls(ref):
            if (group := told.get((outer, what))) is None:
                continue
            best[ref, what] = best[outer, what] = min(best[ref, what], best[outer, what])
            if group.rank == inner.rank:
                outside.setdefault((ref, what), set()).update(group.commands)

    def counts(seen: Sighting) -> bool:
        telling = _telling(seen)
        if telling is None:
            return True
        return RANKS[seen.dialect] <= best[telling] and _command(seen) not in outside.get(telling, ())

    return [seen for seen in sightings if counts(seen)]


def _telling(seen: Sighting) -> Telling | None:
    fact = seen.fact
    if isinstance(fact, CommandRun):
        return fact.ref, "run"
    if isinstance(fact, FileRead):
        return fact.ref, f"read {normalise(fact.path)}"
    if isinstance(fact, FileChanged) and fact.source == "tool":
        return fact.ref, f"change {normalise(fact.path)}"
    return None


def _command(seen: Sighting) -> str:
    return seen.fact.command if isinstance(seen.fact, CommandRun) else ""
