"""Who did what: the items of each session and of each of its sub-agents, by kind and in order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from agent_otel.compaction.dialects.base import Place
from agent_otel.compaction.reading.values import count, first, text
from agent_otel.model import names
from agent_otel.model.item import Log, Span

MS: Final = 1_000_000
UNTOLD: Final = ("", "<REDACTED>")
"""What stands for words that are not recorded."""
NOTABLE: Final = frozenset(
    [
        names.CLAUDE_USER_PROMPT,
        names.CLAUDE_RESPONSE,
        names.CLAUDE_API_REQUEST,
        names.CLAUDE_API_ERROR,
        names.CLAUDE_TOOL_DECISION,
        names.CLAUDE_TOOL_RESULT,
        names.CLAUDE_SUBAGENT_COMPLETED,
    ]
)
"""The events that say something of the agent's work; the others tell of start-up, plugins, hooks and upkeep."""
WORK: Final = frozenset(
    [
        names.CLAUDE_INTERACTION,
        names.CLAUDE_LLM_REQUEST,
        names.CLAUDE_TOOL,
        names.CLAUDE_EXECUTION,
        names.CLAUDE_BLOCKED,
    ]
)
"""The types of spans that do."""


class Actor(NamedTuple):
    """A session, or a sub-agent in it, with its log events and spans by their kinds."""

    session: str
    agent_id: str
    logs: Mapping[str, Sequence[Log]]
    spans: Mapping[str, Sequence[Span]]

    @property
    def run_id(self) -> str:
        """The run that it is."""
        return f"{self.session}/{self.agent_id}" if self.agent_id else self.session

    def told(self, *kinds: str) -> Iterator[Log]:
        """Its log events of some kinds."""
        for kind in kinds:
            yield from self.logs.get(kind, ())

    @property
    def prompts(self) -> Iterator[str]:
        """What it was told to do, where that is recorded."""
        told = [log.attributes.get(names.OWN_PROMPT) for log in self.told(names.CLAUDE_USER_PROMPT)]
        told += (span.attributes.get(names.CLAUDE_PROMPT_ON_SPAN) for span in self.seen(names.CLAUDE_INTERACTION))
        return (prompt for prompt in map(text, told) if prompt not in UNTOLD)

    def seen(self, kind: str) -> Sequence[Span]:
        """Its spans of a type."""
        return self.spans.get(kind, ())


def kind_of(item: Span | Log) -> str:
    """What a span or log event of Claude Code tells of; "" for what tells nothing of the agent's work."""
    if isinstance(item, Span):
        kind = text(item.attributes.get(names.CLAUDE_SPAN_TYPE))
        return kind if kind in WORK else ""
    named = text(first(item.attributes, *names.EVENT_NAME_ATTRIBUTES)) or text(item.body)
    kind = named.removeprefix(names.CLAUDE_BODY)
    return kind if kind in NOTABLE else ""


def place_of(item: Span | Log) -> Place | None:
    """The run of an item: its session's, or that of a sub-agent in it."""
    session, agent_id = _names(item)
    if not session:
        return None
    return Place(f"{session}/{agent_id}", parent=session) if agent_id else Place(session)


def actors(items: Iterable[Span | Log]) -> list[Actor]:
    """The sessions of a group, each before its sub-agents."""
    logs: dict[tuple[str, str], dict[str, list[Log]]] = defaultdict(lambda: defaultdict(list))
    spans: dict[tuple[str, str], dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        if kind := kind_of(item):
            if isinstance(item, Span):
                spans[_names(item)][kind].append(item)
            else:
                logs[_names(item)][kind].append(item)
    return [
        Actor(
            *name,
            {kind: sorted(told, key=_order) for kind, told in logs[name].items()},
            {kind: sorted(seen, key=lambda span: (span.start_ns, span.ref)) for kind, seen in spans[name].items()},
        )
        for name in sorted({*logs, *spans})
    ]


def took_ns(item: Log) -> int:
    """How long what a log event tells of took; 0 where it does not say."""
    return (count(item.attributes.get(names.OWN_DURATION_MS)) or 0) * MS


def _names(item: Span | Log) -> tuple[str, str]:
    return text(item.attributes.get(names.SESSION_ID)), text(item.attributes.get(names.CLAUDE_AGENT_ID))


def _order(log: Log) -> tuple[int, int, str]:
    """Times are in milliseconds, so that many are equal; the number of an event begins anew in each process."""
    return (log.time_ns, count(log.attributes.get(names.CLAUDE_SEQUENCE)) or 0, log.key)
