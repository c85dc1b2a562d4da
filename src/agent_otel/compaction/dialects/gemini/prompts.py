"""Prompt ids: they tell a session's own turns from those of the agents it starts."""

from __future__ import annotations

import re
from typing import Final

from agent_otel.compaction.dialects.base import Place

_WITHIN_SESSION: Final = re.compile(r"#([^#]+)#[0-9]+")
_ALONE: Final = re.compile(r"([^#]+)#[0-9]+")


def agent_of(prompt_id: str, session: str) -> str:
    """The agent a prompt id is of, "" where that is the session's own.

    Of the session itself: its id, or ``<session>########<turn>``. Of its agents: ``<agent>#<turn>`` in Gemini CLI,
    ``<session>#<agent>#<turn>`` in Qwen Code.
    """
    if session and prompt_id.startswith(session):
        match = _WITHIN_SESSION.fullmatch(prompt_id[len(session) :])
    else:
        match = _ALONE.fullmatch(prompt_id)
    return match[1] if match else ""


def place(session: str, agent: str) -> Place | None:
    """Where an item belongs that is of this session, and of this agent of it."""
    if not session:
        return None
    return Place(f"{session}/{agent}", parent=session) if agent else Place(session)
