"""The events of log records, by the names they have in Gemini CLI and its forks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from agent_otel.compaction.dialects.genai.talk import event_name
from agent_otel.model.item import Log, Span


def event(log: Log, prefix: str) -> str:
    """The name of an event without the agent's prefix."""
    return event_name(log).removeprefix(prefix)


class Events:
    """The log records of a group by the names of their events, in order of time.

    Args:
        items: the items of the group.
        prefix: what the agent's own events begin with.
    """

    def __init__(self, items: Iterable[Span | Log], prefix: str) -> None:
        self._by_name: dict[str, list[Log]] = defaultdict(list)
        logs = (item for item in items if isinstance(item, Log))
        for log in sorted(logs, key=lambda log: (log.time_ns, log.key)):
            self._by_name[event(log, prefix)].append(log)

    def __getitem__(self, name: str) -> Sequence[Log]:
        """The log records of an event."""
        return self._by_name.get(name, ())
