"""What the success of a shell command means: Claude Code tells no exit codes, only what it took for failures."""

from __future__ import annotations

import re
from typing import Final

from agent_otel.compaction.shell.lines import commands

LIMIT_MS: Final = 120_000
"""How long a command may take where the call does not say; what is not done by then may run on in the background."""
LENIENT: Final = frozenset(["grep", "egrep", "fgrep", "rg", "find", "diff", "test", "["])
"""Programs whose exit code of 1 is an answer, which Claude Code does not take for a failure."""
_BACKGROUND: Final = re.compile(
    r"\s*Command (?:(?:is )?running|(?:was )?moved|did not complete)\b[^\n]{0,80}background"
)


def means_zero(line: str, output: str, took_ms: int | None, limit_ms: int | None, *, background: bool) -> bool:
    """True where a command that succeeded has exited, and with 0."""
    if background or _BACKGROUND.match(output) or (took_ms is not None and took_ms >= (limit_ms or LIMIT_MS)):
        return False
    last = commands(line)[-1:]
    return not any(command.name in LENIENT for command in last)
