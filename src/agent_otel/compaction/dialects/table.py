"""The dialects, in the order in which they are asked. A new one is one module and one line here."""

from __future__ import annotations

from typing import Final

from agent_otel.compaction.dialects.agent_otel.dialect import AgentOtel
from agent_otel.compaction.dialects.base import Dialect
from agent_otel.compaction.dialects.genai.dialect import GenAI

DIALECTS: Final[tuple[Dialect, ...]] = (AgentOtel(), GenAI())
