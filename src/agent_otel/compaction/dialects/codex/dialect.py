"""The dialect: which items are Codex's, the session each names, and the facts of its sessions.

Seen: codex-cli 0.169.0, ``codex exec``, 2026-11-21; the names of events are the same since 0.5x. Arguments and outputs
are only in log records. Neither signal has the last message (a log event of later versions has, where it is switched
on), the costs, or what programs changed. More than a thousand spans tell of a run's housekeeping.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.codex.agents import parents
from agent_otel.compaction.dialects.codex.models import counted_on_spans, model_facts
from agent_otel.compaction.dialects.codex.sessions import is_notable, session_named, sessions
from agent_otel.compaction.dialects.codex.tools import tool_facts
from agent_otel.compaction.dialects.codex.turns import turn_facts
from agent_otel.compaction.reading.values import first, text
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Log, Span


class Codex:
    """Reads the telemetry of Codex."""

    name = "codex"
    about = "Codex (OpenAI): log events with commands and outputs; spans for the ends of turns"
    scopes = ("codex_*", "codex_otel.log_only")

    def claims(self, item: Span | Log) -> bool:
        """Its scopes, and its log events whatever their scope."""
        if item.scope.casefold().startswith(names.CODEX_SCOPE):
            return True
        named = text(first(item.attributes, *names.EVENT_NAME_ATTRIBUTES)) if isinstance(item, Log) else ""
        return named.startswith(names.CODEX_EVENTS)

    def place(self, item: Span | Log) -> Place | None:
        """The session that it names; that of a sub-agent may name the session it was started in."""
        session = session_named(item.attributes)
        return Place(session, text(item.attributes.get(names.CODEX_PARENT))) if session else None

    def backdrop(self, item: Span | Log) -> bool:
        """Nearly all spans, and start-up."""
        return not is_notable(item)

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:  # noqa: ARG002 - the protocol's
        """The facts of each session."""
        found = sessions(items)
        started_by = parents(found)
        linked = frozenset(started_by.values())
        for session in found:
            parent = started_by.get(session.name, "")
            for seen, item in turn_facts(session, parent, linked=session.name in linked):
                yield Sighting(seen, item, self.name)
            for seen, event in chain(tool_facts(session), model_facts(session)):
                yield Sighting(seen, event.item, self.name)
            if not session.logged:
                for seen, item in counted_on_spans(session):
                    yield Sighting(seen, item, self.name)
