"""Facts of what was said: the task, decisions in so many words, and the agent's last ones.

And what messages know of tool calls that the tools' own spans leave out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits
from agent_otel.model.contract import Contract
from agent_otel.model.item import Span
from agent_otel.text.truncation import truncate

LONGEST_CLAIM: Final = 2000
LONGEST_DECISION: Final = 500
TRIED: Final = 3
"""How many of the first model calls are searched for the task: inputs grow with every call, so not all are read."""
PATIENCE: Final = 8
"""After so many inputs without news no more are read: they grow with every call, and repeat each other."""
_DECISION: Final = re.compile(r"\bdecision\s*:\s*(\S[^\n]*)", re.IGNORECASE)


class Talk(Protocol):
    """What was said in the spans of a dialect."""

    def into(self, span: Span) -> list[Message]:
        """What a model call, or an agent, was given; none where that is not recorded."""

    def out_of(self, span: Span) -> list[Message]:
        """What it answered."""

    def final(self, span: Span) -> str:
        """The last words that an agent span states apart from its messages, "" where it states none."""

    def is_cut(self, span: Span) -> bool:
        """True where an attribute limit went through what was said."""


def conversation(
    bounds: Sequence[Span],
    calls: Sequence[Span],
    talk: Talk,
    forest: Forest,
    threads: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The facts of the conversations, one conversation for each agent span, and one for what lies under none.

    Args:
        bounds: the agent spans.
        calls: the model calls, in order of time.
        talk: what was said.
        forest: who is below whom.
        threads: of calls that are under no agent span, those that go on with others: ref to thread.
    """
    known = {span.ref: span for span in bounds}
    nearest = forest.nearest(known)
    under: dict[str, list[Span]] = defaultdict(list)
    for span in calls:
        under[nearest.get(span.ref) or threads.get(span.ref, span.trace_id)].append(span)
    for key in sorted({*under, *known}):
        bound = known.get(key)
        yield from _task(bound, under[key], talk)
        yield from _last_words(bound, under[key], talk)
    for span in calls:
        for option in _decisions(talk.out_of(span)):
            yield (
                fact.DecisionMade(ref=span.ref, time_ns=span.end_ns or span.start_ns, option=option, stated=False),
                span,
            )
        if talk.is_cut(span):
            yield fact.LimitNoticed(ref=span.ref, time_ns=span.start_ns, limit=limits.ATTRIBUTE_CUT), span


def _task(bound: Span | None, calls: Sequence[Span], talk: Talk) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The task from the first model call, which beats the agent span's input: that may be a state, or a repr of one."""
    for span in calls[:TRIED]:
        if objective := messages.task(talk.into(span)):
            yield _started(span, objective), span
            return
    if bound is not None and (objective := messages.task(talk.into(bound))):
        yield _started(bound, objective), bound


def _started(span: Span, objective: str) -> fact.TaskStarted:
    return fact.TaskStarted(ref=span.ref, time_ns=span.start_ns, contract=Contract(objective=objective), stated=False)


def _last_words(bound: Span | None, calls: Sequence[Span], talk: Talk) -> Iterator[tuple[fact.AnyFact, Span]]:
    if bound is not None:
        said = talk.final(bound) or _answer(talk.out_of(bound))
        if said:
            yield claimed(bound, said), bound
            return
    if calls and (said := _answer(talk.out_of(calls[-1]))):
        yield claimed(calls[-1], said), calls[-1]


def claimed(span: Span, said: str) -> fact.Claimed:
    """Last words, as long as claims may be."""
    words = truncate(said.strip(), LONGEST_CLAIM).text
    return fact.Claimed(ref=span.ref, time_ns=span.end_ns or span.start_ns, text=words)


def _answer(told: Sequence[Message]) -> str:
    """The text of the last message, "" where the model went on to call tools."""
    spoken = [message for message in told if message.role in ("assistant", "model", "")]
    return "\n".join(spoken[-1].texts) if spoken and not spoken[-1].requests else ""


def _decisions(told: Sequence[Message]) -> Iterator[str]:
    """What a model that also calls tools marks as a decision. Nothing is made of words without a marker."""
    for message in told if any(message.requests for message in told) else ():
        for said in message.texts:
            yield from marked_decisions(said)


def marked_decisions(said: str) -> Iterator[str]:
    """What a text marks as decisions."""
    for match in _DECISION.finditer(said):
        yield truncate(match[1].strip(), LONGEST_DECISION).text


def requested(talk: Talk, calls: Iterable[Span], wanted: set[str]) -> dict[str, Any]:
    """The arguments of the wanted call ids, as the model calls asked for them."""
    found: dict[str, Any] = {}
    for span in calls if wanted else ():
        for message in talk.out_of(span):
            found |= {asked.call_id: asked.arguments for asked in message.requests if asked.call_id in wanted}
    return found


def returned(talk: Talk, calls: Sequence[Span], wanted: set[str]) -> dict[str, Any]:
    """The results of the wanted call ids, as later model calls were given them; the last call knows the most."""
    found: dict[str, Any] = {}
    fruitless = 0
    for span in reversed(calls):
        if wanted <= found.keys() or fruitless == PATIENCE:
            break
        known = len(found)
        for message in talk.into(span):
            for call_id, result in message.results:
                if call_id in wanted:
                    found.setdefault(call_id, result)
        fruitless = 0 if len(found) > known else fruitless + 1
    return found
