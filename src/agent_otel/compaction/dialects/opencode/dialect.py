"""The dialect: opencode 1.18.33 (2026-11), whose telemetry is that of its effects, with the AI SDK's inside.

A run is a session, in dozens of traces; of one to two thousand spans a hundredth tells of the agent's work, and errors
of the others (a file of settings that is not there) mean nothing. ``session.id`` is only on the spans that matter. The
last batch never leaves the process: the end of a run, and the agent's last words, are seen of long-lived servers only.
Never seen: costs; and where the AI SDK's telemetry is off, results, exit codes and what was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.opencode.logged import LOOP, STREAM, note
from agent_otel.compaction.dialects.opencode.models import model_facts
from agent_otel.compaction.dialects.opencode.sessions import session_facts
from agent_otel.compaction.dialects.opencode.tools import tool_facts
from agent_otel.compaction.dialects.opencode.work import OPERATIONS, Work, operation, session_of
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Log, Span


class OpenCode:
    """Reads opencode."""

    name = "opencode"
    about = "opencode: spans and logs; more with its setting experimental.openTelemetry"
    scopes = (names.OPENCODE_SCOPE,)

    def claims(self, item: Span | Log) -> bool:
        """Everything of its scope."""
        return item.scope == names.OPENCODE_SCOPE

    def place(self, item: Span | Log) -> Place | None:
        """The session, where the item names it."""
        session = session_of(item)
        return Place(session) if session else None

    def backdrop(self, item: Span | Log) -> bool:
        """Everything that tells neither of a model nor of a tool."""
        if isinstance(item, Span):
            return operation(item) not in OPERATIONS
        return note(item).message not in (LOOP, STREAM)

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of each session."""
        work = Work(items, forest)
        for seen, item in (*tool_facts(work, forest), *model_facts(work), *session_facts(work, forest)):
            yield Sighting(seen, item, self.name)
