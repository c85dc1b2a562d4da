"""What is said twice because one instrumentation works inside another counts once.

A framework's tool span around the tool span of this SDK, an MCP client span around the server's, two model
instrumentations on top of each other: the outermost call counts. Of two tellings of one file or command, the one that
was stated (by the earlier dialect of the table) counts before the one that was read off arguments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from agent_otel.compaction.dialects.base import Sighting
from agent_otel.compaction.paths import normalise
from agent_otel.compaction.tree import Forest
from agent_otel.model.fact import AgentInvoked, CommandRun, FileChanged, FileRead, ModelCalled, ToolCalled

DEEPEST = 32
"""How many calls outwards a repetition is looked for; more are nested in hostile traces only."""


def once(sightings: Sequence[Sighting], forest: Forest, ranks: Mapping[str, int]) -> list[Sighting]:
    """The sightings without repetitions from inside."""
    kept = _outermost_models(_outermost_tools(sightings, forest), forest)
    return _best_told(kept, forest, ranks)


def _outermost_tools(sightings: Sequence[Sighting], forest: Forest) -> list[Sighting]:
    tools = {seen.fact.ref: seen for seen in sightings if isinstance(seen.fact, ToolCalled)}
    around = _Around(forest, tools, sightings)
    repeated = {
        ref
        for ref, seen in tools.items()
        if any(_same_call(tools[outer], seen) for outer in around.calls(ref) if outer in tools)
    }
    return [seen for seen in sightings if not (isinstance(seen.fact, ToolCalled) and seen.fact.ref in repeated)]


def _same_call(outer: Sighting, inner: Sighting) -> bool:
    if not (isinstance(outer.fact, ToolCalled) and isinstance(inner.fact, ToolCalled)):
        return False
    own = outer.dialect == inner.dialect == "agent_otel"  # our own tools may well call themselves
    return not own and outer.fact.name == inner.fact.name


def _outermost_models(sightings: list[Sighting], forest: Forest) -> list[Sighting]:
    models = {seen.fact.ref: seen for seen in sightings if isinstance(seen.fact, ModelCalled) and seen.fact.end_ns >= 0}
    around = _Around(forest, models, sightings)
    kept: list[Sighting] = []
    ids: set[str] = set()
    for seen in sightings:
        if isinstance(seen.fact, ModelCalled):
            if seen.fact.call_id in ids or any(outer in models for outer in around.calls(seen.fact.ref)):
                continue
            ids |= {seen.fact.call_id} - {""}
        kept.append(seen)
    return kept


def _best_told(sightings: list[Sighting], forest: Forest, ranks: Mapping[str, int]) -> list[Sighting]:
    told: dict[str, list[Sighting]] = defaultdict(list)
    for seen in sightings:
        if isinstance(seen.fact, FileRead | FileChanged | CommandRun):
            told[seen.fact.ref].append(seen)
    around = _Around(forest, told, sightings)
    dropped: set[int] = set()
    for ref, inner in told.items():
        for outer_ref in (ref, *around.calls(ref)):
            for outer in told.get(outer_ref, ()):
                dropped |= {id(_lesser(one, outer, ranks)) for one in inner if one is not outer and _same_thing(one, outer)}
    return [seen for seen in sightings if id(seen) not in dropped]


def _same_thing(inner: Sighting, outer: Sighting) -> bool:
    one, other = inner.fact, outer.fact
    if isinstance(one, CommandRun) and isinstance(other, CommandRun):
        return inner.dialect != outer.dialect or (one.ref != other.ref and one.command == other.command)
    if type(one) is not type(other) or not isinstance(one, FileRead | FileChanged):
        return False
    assert isinstance(other, FileRead | FileChanged)  # noqa: S101 - same type as one
    same = normalise(one.path) == normalise(other.path)
    return same and (inner.dialect != outer.dialect or one.ref != other.ref) and _tool_edit(one) and _tool_edit(other)


def _tool_edit(fact: FileRead | FileChanged) -> bool:
    return not (isinstance(fact, FileChanged) and fact.source == "git")


def _lesser(inner: Sighting, outer: Sighting, ranks: Mapping[str, int]) -> Sighting:
    return outer if ranks[inner.dialect] < ranks[outer.dialect] else inner


class _Around:
    """The calls around a call, from the inside out, up to the agent that made them."""

    def __init__(self, forest: Forest, calls: Mapping[str, object], sightings: Sequence[Sighting]) -> None:
        self._forest = forest
        self._ends = {seen.fact.ref for seen in sightings if isinstance(seen.fact, AgentInvoked)}
        self._nearest = forest.inherit(lambda span: span.ref if span.ref in calls or span.ref in self._ends else None)

    def calls(self, ref: str) -> Iterator[str]:
        for _ in range(DEEPEST):
            outer = self._nearest.get(self._forest.parent(ref) or "")
            if outer is None or outer in self._ends or ref in self._ends:
                return
            yield outer
            ref = outer
