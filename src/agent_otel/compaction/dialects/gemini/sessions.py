"""The sessions, and the agents in them: turns, what was said, and what cannot be seen. Shared with forks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from agent_otel.compaction.dialects.base import Place
from agent_otel.compaction.dialects.gemini.models import Asked, Talk, model_facts
from agent_otel.compaction.reading.conversation import conversation
from agent_otel.compaction.reading.moments import Moment, Turn, turns
from agent_otel.compaction.reading.values import text, texts
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.contract import Contract
from agent_otel.model.item import Log, Span

PROMPT_OPTIONS = ("-p", "--prompt", "-i", "--prompt-interactive")

Seen = Iterator[tuple[fact.AnyFact, Span | Log]]


class Session:
    """A session, or an agent in one: what was seen of it.

    Attributes:
        name: what the agent is called.
        version: its version, "" where that is not told.
        is_part: True for an agent that the session's own has started.
        bounded: True where each turn is a span, so that one that is missing tells something.
        items: the items that show it at work, in any order.
        calls: the calls to models.
        prompts: the log records of prompts.
        moments: what tells of its turns.
    """

    def __init__(self, name: str, version: str, *, is_part: bool, bounded: bool) -> None:
        self.name = name
        self.version = version
        self.is_part = is_part
        self.bounded = bounded
        self.items: list[Span | Log] = []
        self.calls: list[Asked] = []
        self.prompts: list[Log] = []
        self.moments: list[Moment] = []

    def add(self, asked: Asked, *, answers: bool) -> None:
        """Takes a call to a model."""
        self.items.append(asked.item)
        self.calls.append(asked)
        self.moments.append(Moment(asked.span.start_ns, "call", asked.span, answers))

    def facts(self, forest: Forest) -> Seen:
        """The facts of the turns, and what cannot be seen."""
        first = min(self.items, key=start_of)
        start_ns, _ = start_of(first)
        found = turns(self.moments) or [Turn(start_ns)]
        found[0].start_ns = min(found[0].start_ns, start_ns)
        for turn in found:
            invoked = fact.AgentInvoked(
                ref=first.ref,
                time_ns=turn.start_ns,
                name=self.name,
                version=self.version,
                end_ns=turn.end_ns,
                outcome=turn.outcome,
            )
            yield invoked, first
        told = [*self._tasks(first), *self._said(found, forest)]
        yield from told
        kinds = {type(seen) for seen, _ in told}
        for limit, holds in (
            (limits.SHELL_EDITS_UNSEEN, True),
            (limits.COSTS_UNTOLD, True),
            (limits.PROMPT_UNTOLD, fact.TaskStarted not in kinds),
            (limits.FINAL_MESSAGE_UNTOLD, fact.Claimed not in kinds),
            (limits.TAIL_LOST, not found[-1].end_ns and not self._shows_ends()),
        ):
            if holds:
                yield fact.LimitNoticed(ref=first.ref, time_ns=start_ns, limit=limit), first

    def _shows_ends(self) -> bool:
        """Whether an end would have been seen: without content only log records tell of one, or spans of turns."""
        logged = any(isinstance(item, Log) for item in self.items)
        return self.bounded or logged or any(names.OUTPUT_MESSAGES in each.span.attributes for each in self.calls)

    def _tasks(self, first: Span | Log) -> Seen:
        """What was asked, in the log; else on the command line, which is always told."""
        told: list[tuple[str, Span | Log]] = [(text(log.attributes.get(names.OWN_PROMPT)), log) for log in self.prompts]
        if not self.is_part and not any(said for said, _ in told):
            told = [(_on_command_line(first), first)]
        for said, item in told:
            if said:
                contract = Contract(objective=said)
                yield (
                    fact.TaskStarted(
                        ref=item.ref, time_ns=start_of(item)[0], contract=contract, stated=False, from_user=True
                    ),
                    item,
                )

    def _said(self, found: Sequence[Turn], forest: Forest) -> Seen:
        by_span = {asked.span.ref: asked.item for asked in self.calls}
        for turn in found:
            for seen, span in conversation((), turn.calls, Talk(), forest):
                if turn.end_ns or not isinstance(seen, fact.Claimed):  # words before the end are not the last
                    yield seen, by_span[span.ref]


class Sessions:
    """The sessions of a group, and the agents in them, by the places of their items.

    Args:
        name: what the agent is called.
        placed: the place of an item.
        versioned: whether the resource tells the agent's version.
        bounded: whether each turn is a span.
    """

    def __init__(
        self,
        name: str,
        placed: Callable[[Span | Log], Place | None],
        *,
        versioned: bool = False,
        bounded: bool = False,
    ) -> None:
        self._name = name
        self._versioned = versioned
        self._bounded = bounded
        self._placed = placed
        self._found: dict[Place | None, Session] = {}

    def of(self, item: Span | Log) -> Session:
        """The session, or agent in one, that an item is of."""
        at = self._placed(item)
        if at not in self._found:
            version = text(item.resource.get(names.SERVICE_VERSION)) if self._versioned else ""
            self._found[at] = Session(self._name, version, is_part=bool(at and at.parent), bounded=self._bounded)
        return self._found[at]

    def facts(self, prompts: Iterable[Log], forest: Forest) -> Seen:
        """The facts of all."""
        for log in prompts:
            session = self.of(log)
            session.items.append(log)
            session.prompts.append(log)
            session.moments.append(Moment(log.time_ns, "prompt"))
        for session in self._found.values():
            if session.items:  # what only left did nothing
                yield from model_facts(session.calls)
                yield from session.facts(forest)


def start_of(item: Span | Log) -> tuple[int, str]:
    """When an item began, in an order that two never share."""
    return (item.time_ns, item.key) if isinstance(item, Log) else (item.start_ns, item.ref)


def _on_command_line(item: Span | Log) -> str:
    line = texts(item.resource.get(names.PROCESS_COMMAND_ARGS))
    for option, value in pairwise(line):
        if option in PROMPT_OPTIONS:
            return value
    return next((option.partition("=")[2] for option in line if option.startswith("--prompt=")), "")
