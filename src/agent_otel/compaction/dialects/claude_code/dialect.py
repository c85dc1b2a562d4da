"""The dialect: which items are Claude Code's, the session or sub-agent of each, and their facts.

Seen: claude-code 2.1.329, ``claude -p``, 2026-11-21, log events and spans, with and without content. Neither has exit
codes, the output of commands that fail, or a trace of calls that their validation refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.claude_code.actors import actors, kind_of, place_of
from agent_otel.compaction.dialects.claude_code.calls import joined
from agent_otel.compaction.dialects.claude_code.delegation import delegated
from agent_otel.compaction.dialects.claude_code.models import model_calls
from agent_otel.compaction.dialects.claude_code.tools import tool_facts
from agent_otel.compaction.dialects.claude_code.turns import turn_facts
from agent_otel.compaction.reading.values import text
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Log, Span


class ClaudeCode:
    """Reads the telemetry of Claude Code."""

    name = "claude-code"
    about = "Claude Code (Anthropic): log events, and spans where its traces are on; either alone too"
    scopes = ("com.anthropic.claude_code.events", "com.anthropic.claude_code.tracing")

    def claims(self, item: Span | Log) -> bool:
        """Its scopes, and its log events whatever their scope."""
        if item.scope.startswith(names.CLAUDE_SCOPE):
            return True
        return isinstance(item, Log) and text(item.body).startswith(names.CLAUDE_BODY)

    def place(self, item: Span | Log) -> Place | None:
        """Its session, or the sub-agent in it."""
        return place_of(item)

    def backdrop(self, item: Span | Log) -> bool:
        """Start-up, plugins, hooks and upkeep."""
        return not kind_of(item)

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:  # noqa: ARG002 - the protocol's
        """The facts of each session and sub-agent."""
        for _, together in groupby(actors(items), key=attrgetter("session")):
            everybody = list(together)
            tools = joined(everybody)
            for actor in everybody:
                calls = model_calls(actor)
                for seen, item in chain(turn_facts(actor, calls), calls):
                    yield Sighting(seen, item, self.name)
            for seen, item in chain(tool_facts(tools), delegated(everybody, tools)):
                yield Sighting(seen, item, self.name)
