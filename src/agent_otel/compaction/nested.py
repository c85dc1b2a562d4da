"""What is said twice because one instrumentation works inside another counts once.

A framework's tool span around the tool span of this SDK, an MCP client span around the server's, two model
instrumentations on top of each other: the outermost call counts. Of two tellings of one file or command, the one of the
earlier dialect of the table counts: ours states what others only let conclude from arguments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set as AbstractSet
from typing import Final

from agent_otel.compaction.dialects.base import Sighting
from agent_otel.compaction.paths import normalise
from agent_otel.compaction.tree import Forest
from agent_otel.model.fact import AgentInvoked, CommandRun, FileChanged, FileRead, ModelCalled, ToolCalled

DEEPEST: Final = 32
"""How many calls outwards a repetition is looked for; more are nested in hostile traces only."""

Telling = tuple[str, str]
"""Where something is told, and what it is about: a ref, and a path with what was done to it, or "run"."""


def once(sightings: Sequence[Sighting], forest: Forest, ranks: Mapping[str, int]) -> list[Sighting]:
    """The sightings without repetitions from inside.

    Args:
        sightings: what was read.
        forest: who is below whom.
        ranks: the places of the dialects in their table; where two tell the same, the lower counts.
    """
    kinds: dict[type, list[Sighting]] = defaultdict(list)
    for seen in sightings:
        kinds[seen.fact.__class__].append(seen)
    around = _Around(forest, {seen.fact.ref for seen in kinds[AgentInvoked]})
    again = {
        id(seen)
        for found in (
            _inner_tools(kinds[ToolCalled], around, ranks),
            _inner_models(kinds[ModelCalled], around),
            _worse_told([seen for kind in (CommandRun, FileRead, FileChanged) for seen in kinds[kind]], around, ranks),
        )
        for seen in found
    }
    return [seen for seen in sightings if id(seen) not in again] if again else list(sightings)


class _Around:
    """Finds the calls around calls, from the inside out, up to the agent that made them.

    Args:
        forest: who is below whom.
        bounds: the refs of the spans that are agents.
    """

    def __init__(self, forest: Forest, bounds: AbstractSet[str]) -> None:
        self._forest = forest
        self._bounds = bounds
        self._ends: AbstractSet[str | None] = {None, *bounds}

    def calls(self, among: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Of the spans that are calls, those with calls around them, and the refs of these."""
        # Nearly all calls are made by an agent itself, and then there is nothing to look for.
        deeper = [ref for ref in among if self._forest.parent(ref) not in self._ends]
        if not deeper:
            return {}
        nearest = self._forest.nearest({*among, *self._bounds})
        found = {ref: list(self._outwards(ref, nearest)) for ref in deeper}
        return {ref: outer for ref, outer in found.items() if outer}

    def _outwards(self, ref: str, nearest: Mapping[str, str]) -> Iterator[str]:
        for _ in range(DEEPEST):
            outer = nearest.get(self._forest.parent(ref) or "")
            if outer is None or outer in self._bounds or ref in self._bounds:
                return
            yield outer
            ref = outer


def _inner_tools(sightings: Sequence[Sighting], around: _Around, ranks: Mapping[str, int]) -> Iterator[Sighting]:
    """The calls inside a call of the same tool."""
    calls = around.calls({seen.fact.ref for seen in sightings})
    if not calls:
        return iter(())
    tools = {
        seen.fact.ref: (seen.fact.name, ranks[seen.dialect], bool(seen.fact.command_id))
        for seen in sightings
        if isinstance(seen.fact, ToolCalled)
    }

    def repeats(ref: str, outer: str) -> bool:
        name, rank, is_command = tools[ref]
        outer_name, outer_rank, _ = tools[outer]
        # Our own tools may well call themselves; others only seem to. A command carries the name of its tool.
        return outer_name == name and (is_command or not rank == outer_rank == 0)

    again = {ref for ref, outside in calls.items() if any(repeats(ref, outer) for outer in outside)}
    return (seen for seen in sightings if seen.fact.ref in again)


def _inner_models(sightings: Sequence[Sighting], around: _Around) -> Iterator[Sighting]:
    """The model calls inside others, and those told a second time."""
    calls = around.calls({seen.fact.ref for seen in sightings})
    ids: set[str] = set()
    for seen in sightings:
        call_id = seen.fact.call_id if isinstance(seen.fact, ModelCalled) else ""
        if call_id in ids or seen.fact.ref in calls:
            yield seen
        elif call_id:
            ids.add(call_id)


def _worse_told(sightings: Sequence[Sighting], around: _Around, ranks: Mapping[str, int]) -> Iterator[Sighting]:
    """Tellings of what another dialect tells better, or a call around tells as well."""
    calls = around.calls({seen.fact.ref for seen in sightings})
    if not calls and len({seen.dialect for seen in sightings}) <= 1:
        return
    told = [(seen, telling) for seen in sightings if (telling := _telling(seen)) is not None]
    told_by: dict[Telling, int] = {}
    commands: dict[Telling, set[str]] = defaultdict(set)
    for seen, telling in told:
        rank = ranks[seen.dialect]
        told_by[telling] = min(told_by.get(telling, rank), rank)
        commands[telling].add(_command(seen))
    best = dict(told_by)
    outside: dict[Telling, set[str]] = {}
    for telling, rank in told_by.items() if calls else ():
        for outer in calls.get(telling[0], ()):
            wider = (outer, telling[1])
            if wider not in told_by:
                continue
            best[telling] = best[wider] = min(best[telling], best[wider])
            if told_by[wider] == rank:
                outside.setdefault(telling, set()).update(commands[wider])
    for seen, telling in told:
        if ranks[seen.dialect] > best[telling] or (telling in outside and _command(seen) in outside[telling]):
            yield seen


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
