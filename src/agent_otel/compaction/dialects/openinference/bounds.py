"""Which spans bound a run: agents, and the topmost chain where a framework has no span for its agents.

LangGraph, llama-index and crewai begin with a CHAIN. OpenAI Agents and smolagents begin with an AGENT; the former wraps
all agents of a trace in one that is none itself. A root that was never sent (smolagents fails without it, a killed run
loses it) leaves chains that look topmost and are not: those bound nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from typing import Final, Literal, NamedTuple

from agent_otel.compaction.dialects.openinference.talk import Talk, shown
from agent_otel.compaction.reading.values import STATUS_ERROR, first, mapping, text
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Span

HANDOFF: Final = "handoff to "
"""How the spans of OpenAI Agents' handoffs begin; they have the kind of a tool, and nothing else to know them by."""
_METHOD: Final = re.compile(
    r"\.(?:a?run|a?kickoff|_execute_core|a?invoke|a?(?:run_)?stream|a?chat|a?query)(?:_async)?$"
)
_GRAPH_NODE: Final = "langgraph_node"


class Bound(NamedTuple):
    """A span that bounds a run or part of one, and the name of whose it is."""

    span: Span
    name: str
    boundary: Literal["agent", "workflow"]


class Kinds(NamedTuple):
    """The spans of a group that matter, by their kinds; model calls in order of time."""

    agents: Sequence[Span]
    chains: Sequence[Span]
    models: Sequence[Span]
    tools: Sequence[Span]
    handoffs: Sequence[Span]


def bounds_of(kinds: Kinds, talk: Talk, forest: Forest) -> Iterator[Bound]:
    """The spans that bound runs, in no order."""
    spans = {span.ref: span for span in (*kinds.agents, *_topmost(kinds, talk, forest))}
    nearest = forest.nearest(spans)
    outer = {ref: nearest.get(forest.parent(ref) or "", "") for ref in spans}
    handed = _handed(kinds.handoffs, spans, nearest, outer)
    inside: dict[str, list[Span]] = defaultdict(list)
    for span in sorted(kinds.agents, key=lambda span: (span.start_ns, span.ref)):
        inside[outer[span.ref]].append(span)
    for ref, span in spans.items():
        if _is_workflow(span, inside[ref]):
            yield Bound(span, _lead([_name(agent) for agent in inside[ref]], handed[ref]), "workflow")
        else:
            # Agents that take over from each other are one run, which has the name of the first.
            yield Bound(span, "" if _name(span) in handed[outer[ref]] else _name(span), "agent")


def _is_workflow(span: Span, inside: Sequence[Span]) -> bool:
    """True for what has no name of its own around agents: a chain, or an agent where those inside have names."""
    if span.attributes.get(names.OI_KIND) == "CHAIN":
        return bool(inside)
    return not _said_name(span) and any(map(_said_name, inside))


def _lead(agents: Sequence[str], handed: AbstractSet[str]) -> str:
    """Whose workflow it is: of agents that take over from each other the first, else the only one."""
    return next((name for name in agents if name in handed), agents[0] if len(set(agents)) == 1 else "")


def _said_name(span: Span) -> str:
    return text(first(span.attributes, names.OI_AGENT_NAME, names.OI_NODE_NAME))


def _name(span: Span) -> str:
    return _said_name(span) or _METHOD.sub("", span.name)


def _handed(
    handoffs: Iterable[Span], spans: Mapping[str, Span], nearest: Mapping[str, str], outer: Mapping[str, str]
) -> Mapping[str, set[str]]:
    """The names of the agents that took part in handoffs, by the span around them."""
    handed: dict[str, set[str]] = defaultdict(set)
    for span in handoffs:
        giver = nearest.get(span.ref, "")
        if outer.get(giver):
            handed[outer[giver]] |= {_name(spans[giver]), span.name.removeprefix(HANDOFF)}
    return handed


def _topmost(kinds: Kinds, talk: Talk, forest: Forest) -> Iterator[Span]:
    """The chains that are inside of nothing that is known to be part of a run."""
    if not kinds.chains:
        return
    known = [
        ref for ref, span in forest.spans.items() if {names.OI_KIND, names.OPERATION_NAME} & span.attributes.keys()
    ]
    nearest = forest.nearest(known)
    tops = {ref for ref in known if forest.parent(ref) not in nearest}
    beside = Counter(forest.spans[ref].trace_id for ref in tops)
    last = {span.trace_id: span for span in kinds.models}
    for span in kinds.chains:
        if span.ref not in tops:
            continue
        whole = beside[span.trace_id] == 1 and _is_whole(span, last.get(span.trace_id), talk)
        if span.ref not in forest.orphans or whole:
            yield span


def _is_whole(chain: Span, last: Span | None, talk: Talk) -> bool:
    """True for an orphan that has its end in it: it was called by a service whose spans go elsewhere."""
    if _GRAPH_NODE in mapping(shown(chain, names.OI_METADATA)):
        return False
    if chain.status == STATUS_ERROR:
        return True
    told = talk.out_of(last) if last else []
    return bool(told) and not any(message.requests for message in told)
