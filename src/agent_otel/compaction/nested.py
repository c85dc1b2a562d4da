"""What is said twice because one instrumentation works inside another counts once.

A framework's tool span around the tool span of this SDK, an MCP client span around the server's, two model
instrumentations on top of each other: the outermost call counts. Of two tellings of one file or command, the one of the
earlier dialect of the table counts: ours states what others only let conclude from arguments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence, Set as AbstractSet
from typing import Final

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
    bounds = frozenset(seen.fact.ref for seen in sightings if isinstance(seen.fact, AgentInvoked))
    kept = _outermost_tools(sightings, forest, bounds)
    return _best_told(_outermost_models(kept, forest, bounds), forest, bounds)


class _Around:
    """The calls around a call, from the inside out, up to the agent that made them.

    Args:
        forest: who is below whom.
        calls: the refs of the spans that are calls.
        bounds: the refs of the spans that are agents.
    """

    def __init__(self, forest: Forest, calls: Collection[str], bounds: AbstractSet[str]) -> None:
        self._forest = forest
        self._bounds = bounds
        self._nearest = forest.nearest({*calls, *bounds}) if calls else {}

    def calls(self, ref: str) -> Sequence[str]:
        """The refs of the calls around ``ref``."""
        found: list[str] = []
        for _ in range(DEEPEST):
            outer = self._nearest.get(self._forest.parent(ref) or "")
            if outer is None or outer in self._bounds or ref in self._bounds:
                break
            found.append(outer)
            ref = outer
        return found


def _outermost_tools(sightings: Sequence[Sighting], forest: Forest, bounds: AbstractSet[str]) -> Sequence[Sighting]:
    tools = {
        seen.fact.ref: (seen.fact.name, RANKS[seen.dialect], bool(seen.fact.command_id))
        for seen in sightings
        if isinstance(seen.fact, ToolCalled)
    }
    around = _Around(forest, tools, bounds)

    def repeats(ref: str, outer: str) -> bool:
        name, rank, is_command = tools[ref]
        outer_name, outer_rank, _ = tools[outer]
        # Our own tools may well call themselves; others only seem to. A command carries the name of its tool.
        return outer_name == name and (is_command or not rank == outer_rank == 0)

    again = {ref for ref in tools if any(repeats(ref, outer) for outer in around.calls(ref))}
    if not again:
        return sightings
    return [seen for seen in sightings if not (seen.fact.ref in again and isinstance(seen.fact, ToolCalled))]


def _outermost_models(sightings: Sequence[Sighting], forest: Forest, bounds: AbstractSet[str]) -> Sequence[Sighting]:
    models = {seen.fact.ref for seen in sightings if isinstance(seen.fact, ModelCalled)}
    if not models:
        return sightings
    around = _Around(forest, models, bounds)
    kept: list[Sighting] = []
    ids: set[str] = set()
    for seen in sightings:
        if isinstance(seen.fact, ModelCalled):
            if seen.fact.call_id in ids or around.calls(seen.fact.ref):
                continue
            ids |= {seen.fact.call_id} - {""}
        kept.append(seen)
    return kept


def _best_told(sightings: Sequence[Sighting], forest: Forest, bounds: AbstractSet[str]) -> list[Sighting]:
    told = [(seen, telling) for seen in sightings if (telling := _telling(seen)) is not None]
    ranks: dict[Telling, int] = {}
    commands: dict[Telling, set[str]] = defaultdict(set)
    for seen, telling in told:
        rank = RANKS[seen.dialect]
        ranks[telling] = min(ranks.get(telling, rank), rank)
        if isinstance(seen.fact, CommandRun):
            commands[telling].add(seen.fact.command)
    around = _Around(forest, {ref for ref, _ in ranks}, bounds)
    best = dict(ranks)
    outside: dict[Telling, set[str]] = {}
    for telling, rank in ranks.items():
        for outer in around.calls(telling[0]):
            wider = (outer, telling[1])
            if wider not in ranks:
                continue
            best[telling] = best[wider] = min(best[telling], best[wider])
            if ranks[wider] == rank:
                outside.setdefault(telling, set()).update(commands[wider] or {""})
    worse = {
        id(seen)
        for seen, telling in told
        if RANKS[seen.dialect] > best[telling] or (outside and _command(seen) in outside.get(telling, ()))
    }
    return [seen for seen in sightings if id(seen) not in worse] if worse else list(sightings)


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
