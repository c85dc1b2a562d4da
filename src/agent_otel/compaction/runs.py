"""Which run each item and each fact belongs to.

Runs of this SDK name themselves (``agent_otel.run.id``); what lies inside them counts to them. Elsewhere a run is the
topmost agent or workflow span: it is named after its conversation, so that the traces of a session that goes on are one
run, else after its trace. An agent of another name inside it is a run of its own, with a link to its parent. Agents
whose telemetry names the session on each item have runs without such spans, too: their dialects place the items.

A resource that names a run of this SDK is that of a process which was launched inside the run: what it emits is of that
run, but for the agents inside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from agent_otel.compaction.copies import Settled
from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.order import in_order
from agent_otel.compaction.reading.values import text
from agent_otel.compaction.sessions import session_of
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.fact import AgentInvoked, AnyFact, LimitNoticed, TaskStarted
from agent_otel.model.item import Log, Span

F = TypeVar("F")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run's facts and items.

    ``stated`` is True for a run of this SDK, which says itself when it is over; ``placed`` for one whose items name it
    themselves. ``tops`` are what bounds the run; ``adrift`` the traces in which something of it is under no such span.
    """

    run_id: str
    parent_run: str = ""
    dialect: str = ""
    stated: bool = False
    placed: bool = False
    facts: Mapping[type, tuple[Any, ...]] = {}
    spans: tuple[Span, ...] = ()
    logs: tuple[Log, ...] = ()
    tops: tuple[AgentInvoked, ...] = ()
    adrift: frozenset[str] = frozenset()
    orphans: frozenset[str] = frozenset()
    unrecognised: int = 0
    copies: int = 0

    @property
    def items(self) -> tuple[Span | Log, ...]:
        """Spans, then log records."""
        items: tuple[Span | Log, ...] = (*self.spans, *self.logs)
        return items

    @property
    def resource(self) -> Mapping[str, Any]:
        """What the first item that says anything says of the process it comes from."""
        return next((item.resource for item in self.items if item.resource), {})

    @property
    def understood(self) -> bool:
        """True where something was read off the items, not only that something could not be."""
        return any(kind is not LimitNoticed for kind in self.facts)

    def all(self, kind: type[F]) -> tuple[F, ...]:
        """The facts of one kind, in order of time."""
        return self.facts.get(kind, ())


def attribute(
    sightings: Sequence[Sighting],
    settled: Settled,
    forest: Forest,
    placed: Mapping[str, Place],
    unclaimed: frozenset[str],
) -> list[Run]:
    """The runs of a group, the earliest first; one run for a group in which nothing is recognised.

    Args:
        sightings: what was read from the items.
        settled: the items.
        forest: the spans by place.
        placed: the runs that items name themselves, by the items' keys, as ``key_of`` gives them.
        unclaimed: keys of the items that no dialect claimed.
    """
    places = _Places(sightings, settled, forest, placed)
    homes = {id(item): places.home(item) for item in settled.items}
    drafts: dict[str, _Draft] = {}
    for seen in sightings:
        run_id = seen.fact.run_id or homes[id(seen.item)]
        draft = drafts.get(run_id)
        if draft is None:
            draft = drafts[run_id] = _Draft()
        draft.sightings.append(seen)
    if not drafts:
        drafts[min(homes.values())] = _Draft()
    earliest = {run_id: draft.earliest() for run_id, draft in drafts.items()}
    ordered = sorted(drafts, key=lambda run_id: (earliest[run_id], run_id))
    main = drafts[ordered[0]]
    for span in settled.spans.items():
        drafts.get(homes[id(span[1])], main).spans.append(span)
    for log in settled.logs:
        drafts.get(homes[id(log)], main).logs.append(log)
    return [places.run(run_id, drafts[run_id], settled.copies, unclaimed) for run_id in ordered]


def key_of(item: Span | Log) -> str:
    """What copies of one item have in common."""
    return item.ref if isinstance(item, Span) else f"log:{item.key}"


class _Draft:
    """What is known of a run so far; spans with their refs."""

    def __init__(self) -> None:
        self.sightings: list[Sighting] = []
        self.spans: list[tuple[str, Span]] = []
        self.logs: list[Log] = []

    def item_keys(self) -> Iterator[str]:
        """What ``key_of`` gives for each item."""
        yield from (ref for ref, _ in self.spans)
        yield from map(key_of, self.logs)

    def earliest(self) -> int:
        return min((seen.fact.time_ns for seen in self.sightings), default=0)


class _Places:
    """Finds the run an item belongs to by its own word, its place in a trace, its trace, or its session."""

    def __init__(
        self, sightings: Sequence[Sighting], settled: Settled, forest: Forest, placed: Mapping[str, Place]
    ) -> None:
        self._settled = settled
        self._forest = forest
        self._placed = placed
        self._launched: dict[int, str] = {}
        self._bounds = {seen.fact.ref: seen.fact for seen in sightings if isinstance(seen.fact, AgentInvoked)}
        self._parents: dict[str, str] = {}
        self._word = {key: said for item in settled.items if (said := self._says(item, key := key_of(item)))}
        self._stated = {*map(_stated, settled.items), *self._launched.values()} - {""}
        self._nearest = forest.nearest(self._bounds)
        self._owner = self._owners()

    def home(self, item: Span | Log) -> str:
        """The run id of an item; of a recognised one, the id of a run that exists."""
        return (
            self._word.get(key_of(item))
            or self._owner.get(item.ref)
            or self._of_trace.get(item.trace_id)
            or self._stated_by_trace.get(item.trace_id)
            or self._launched_in(item)
            or self._sessions.get(item.trace_id)
            or session_of(item)
            or _name_without(item)
        )

    def _says(self, item: Span | Log, key: str) -> str:
        """The run that an item names itself: in our words, or in those of a dialect."""
        launched = self._launched_in(item)
        place = self._placed.get(key)
        # Claude Code copies what its resource says to each item, which then is no word of the item itself.
        if (said := _stated(item)) and (place is None or said != launched):
            return said
        if place is None:
            return ""
        if not place.parent:
            return launched or place.run_id
        self._parents.setdefault(place.run_id, launched or place.parent)
        return place.run_id

    def _launched_in(self, item: Span | Log) -> str:
        """The run of this SDK that the item's process was launched in."""
        found = self._launched.get(id(item.resource))  # resources are shared by what came from one process
        if found is None:
            found = self._launched[id(item.resource)] = text(item.resource.get(names.RUN_ID))
        return found

    # What follows is asked for only by items that do not say themselves where they belong.

    @cached_property
    def _sessions(self) -> dict[str, str]:
        return _first_by_trace((span.trace_id, session_of(span)) for span in self._settled.spans.values())

    @cached_property
    def _stated_by_trace(self) -> dict[str, str]:
        in_time = sorted(self._settled.items, key=_time_of)
        return _first_by_trace((item.trace_id, _stated(item)) for item in in_time)

    @cached_property
    def _of_trace(self) -> dict[str, str]:
        bounds_first = sorted(self._settled.spans.items(), key=lambda entry: entry[0] not in self._bounds)
        return _first_by_trace((span.trace_id, self._owner.get(ref, "")) for ref, span in bounds_first)

    def run(self, run_id: str, draft: _Draft, copies: Mapping[str, int], unclaimed: frozenset[str]) -> Run:
        """The finished run."""
        facts = in_order((seen.fact for seen in draft.sightings), _order, lambda fact: fact)
        by_kind: dict[type, list[AnyFact]] = defaultdict(list)
        for fact in facts:
            by_kind[type(fact)].append(fact)
        agents = [fact for fact in by_kind.get(AgentInvoked, ()) if isinstance(fact, AgentInvoked)]
        stated = any(fact.run_id == run_id for fact in facts)
        dialects = {seen.dialect for seen in draft.sightings}
        if agents and not stated:
            dialects = {seen.dialect for seen in draft.sightings if isinstance(seen.fact, AgentInvoked)}
        # Who launched an agent watches it in our words; the record is read in those of the agent.
        launched = {seen.dialect for seen in draft.sightings if self._launched_in(seen.item) == run_id}
        return Run(
            run_id=run_id,
            parent_run=self._parent_of(run_id, by_kind),
            dialect=min(launched - {names.SCOPE} or dialects, default=""),
            stated=stated,
            placed=any(self._placed.get(key) for key in draft.item_keys()) if self._placed else False,
            facts={kind: tuple(found) for kind, found in by_kind.items()},
            spans=tuple(span for _, span in draft.spans),
            logs=tuple(draft.logs),
            tops=tuple(fact for fact in agents if self._is_top(fact, run_id)),
            adrift=frozenset(
                seen.item.trace_id for seen in draft.sightings if seen.fact.ref and seen.fact.ref not in self._owner
            ),
            orphans=self._forest.orphans.intersection(ref for ref, _ in draft.spans),
            unrecognised=sum(key in unclaimed for key in draft.item_keys()) if unclaimed else 0,
            copies=sum(copies.get(key, 0) for key in draft.item_keys()) if copies else 0,
        )

    def _parent_of(self, run_id: str, facts: Mapping[type, Sequence[Any]]) -> str:
        stated = (fact.parent_run for kind in (AgentInvoked, TaskStarted) for fact in facts.get(kind, ()))
        # The log record of a session may say in which span of another run the session happened.
        around = (self._owner.get(fact.ref, "") for fact in facts.get(AgentInvoked, ()))
        found = (parent for parent in (*stated, self._parents.get(run_id, ""), *around) if parent)
        return next((parent for parent in found if parent != run_id), "")

    def _is_top(self, fact: AgentInvoked, run_id: str) -> bool:
        outer = self._enclosing(fact.ref)
        return outer is None or (self._bounds[outer].run_id or self._owner[outer]) != run_id

    def _enclosing(self, ref: str) -> str | None:
        return self._nearest.get(self._forest.parent(ref) or "")

    def _owners(self) -> dict[str, str]:
        owner: dict[str, str] = {}
        below = self._agents_below()
        numbers: dict[tuple[str, str], int] = defaultdict(int)
        for ref in self._forest.spans:
            around = owner.get(self._forest.parent(ref) or "", "")
            mine = self._word.get(ref, "")
            if not mine and ref in self._bounds and (around not in self._stated or self._is_launched(ref)):
                mine = self._agent_run(ref, owner, below, numbers)
            if mine and around and mine != around and ref in self._bounds:
                self._parents.setdefault(mine, around)
            if mine or around:
                owner[ref] = mine or around
        return owner

    def _agent_run(
        self,
        ref: str,
        owner: Mapping[str, str],
        below: Mapping[str, set[str]],
        numbers: dict[tuple[str, str], int],
    ) -> str:
        bound, outer = self._bounds[ref], self._enclosing(ref)
        trace_id = self._forest.spans[ref].trace_id
        if outer is None:
            # Its parent may well be the span of a run of ours that was killed before it could send it.
            lost = self._stated_by_trace.get(trace_id) if ref in self._forest.orphans else None
            lost = lost or self._launched_in(self._forest.spans[ref])
            return lost or bound.session or self._sessions.get(trace_id) or f"trace-{trace_id}"
        if self._is_launched(ref) and not self._is_launched(outer):
            return owner[outer]
        around = self._bounds[outer]
        alone = around.boundary == "workflow" and len(below[outer]) == 1
        if alone or bound.boundary == "workflow" or bound.name in ("", around.name):
            return owner[outer]
        numbers[owner[outer], bound.name] += 1
        number = numbers[owner[outer], bound.name]
        return f"{owner[outer]}/{bound.name}" + (f"-{number}" if number > 1 else "")

    def _is_launched(self, ref: str) -> bool:
        return bool(self._launched_in(self._forest.spans[ref]))

    def _agents_below(self) -> dict[str, set[str]]:
        below: dict[str, set[str]] = defaultdict(set)
        for ref, bound in self._bounds.items():
            outer = self._enclosing(ref)
            if outer is not None and bound.boundary == "agent":
                below[outer].add(bound.name)
        return below


def _stated(item: Span | Log) -> str:
    return text(item.attributes.get(names.RUN_ID))


def _time_of(item: Span | Log) -> int:
    return item.start_ns if isinstance(item, Span) else item.time_ns


def _name_without(item: Span | Log) -> str:
    if item.trace_id:
        return f"trace-{item.trace_id}"
    return f"log-{item.key[:16]}" if isinstance(item, Log) else "trace-"


def _first_by_trace(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for trace_id, value in pairs:
        if value:
            found.setdefault(trace_id, value)
    return found


def _order(fact: AnyFact) -> tuple[int, str, str]:
    return (fact.time_ns, fact.ref, type(fact).__name__)
