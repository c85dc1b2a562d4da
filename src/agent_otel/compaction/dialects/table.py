"""The dialects, in the order in which they are asked. A new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agent_otel.compaction.dialects.agent_otel.dialect import AgentOtel
from agent_otel.compaction.dialects.base import Dialect
from agent_otel.compaction.dialects.cicd.dialect import Cicd
from agent_otel.compaction.dialects.claude_code.dialect import ClaudeCode
from agent_otel.compaction.dialects.codex.dialect import Codex
from agent_otel.compaction.dialects.copilot.dialect import Copilot
from agent_otel.compaction.dialects.gemini.dialect import Gemini
from agent_otel.compaction.dialects.genai.dialect import GenAI
from agent_otel.compaction.dialects.litellm.dialect import LiteLLM
from agent_otel.compaction.dialects.lmnr.dialect import Lmnr
from agent_otel.compaction.dialects.mcp.dialect import MCP
from agent_otel.compaction.dialects.opencode.dialect import OpenCode
from agent_otel.compaction.dialects.openinference.dialect import OpenInference
from agent_otel.compaction.dialects.qwen.dialect import Qwen
from agent_otel.compaction.dialects.traceloop.dialect import Traceloop

PARTICULAR: Final[tuple[Dialect, ...]] = (
    AgentOtel(),
    ClaudeCode(),
    Codex(),
    OpenCode(),
    Gemini(),
    Qwen(),
    Copilot(),
    LiteLLM(),
    MCP(),
    Lmnr(),
)
"""Those that know one agent or library, by its scope."""

GENERAL: Final[tuple[Dialect, ...]] = (GenAI(), OpenInference(), Traceloop())
"""Those that read a convention, whoever follows it."""

LAST: Final[tuple[Dialect, ...]] = (Cicd(),)
"""What is no agent's, and nobody else wanted."""

DIALECTS: Final = (*PARTICULAR, *GENERAL, *LAST)


def beside(others: Iterable[Dialect]) -> tuple[Dialect, ...]:
    """The table with dialects from elsewhere: after those that know an agent, before those that read anybody's."""
    return (*PARTICULAR, *others, *GENERAL, *LAST)
