"""Which session started which: the result of the call that starts a sub-agent names its session, or its path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agent_otel.compaction.dialects.codex.sessions import Session
from agent_otel.compaction.reading.values import text
from agent_otel.model import names

SPAWN: Final = "spawn_agent"
_NAME: Final = re.compile(r"[\w/.-]{4,200}")


def parents(found: Sequence[Session]) -> Mapping[str, str]:
    """The sessions that others of the group started, and these."""
    started = {name: session.name for session in found for name in _started(session)}
    known = {session.name: [session.name, *_paths(session)] for session in found}
    by_child = {
        child: next((started[name] for name in own if started.get(name, child) != child), "")
        for child, own in known.items()
    }
    return {child: parent for child, parent in by_child.items() if parent}


def spawns(session: Session) -> bool:
    """True for a session that started sub-agents."""
    return any(event.attributes.get(names.OWN_TOOL_NAME) == SPAWN for event in session.events)


def _started(session: Session) -> Iterator[str]:
    for event in session.events:
        if event.attributes.get(names.OWN_TOOL_NAME) == SPAWN:
            yield from _NAME.findall(text(event.attributes.get(names.CODEX_OUTPUT)))


def _paths(session: Session) -> Iterator[str]:
    """Where its agent is below the first (``/root/explorer``), as the results of its tools say."""
    paths = (text(event.attributes.get(names.CODEX_AGENT_PATH)) for event in session.events)
    return (path for path in dict.fromkeys(paths) if path.count("/") > 1)
