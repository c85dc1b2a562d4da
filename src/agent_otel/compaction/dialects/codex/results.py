"""What Codex writes above the output of a command, and how it says that a call was refused or broken off.

``success`` tells that a tool ran, whatever its command came to: the exit code stands in a line of the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agent_otel.compaction.reading.results import Ending, says_error, unwrap
from agent_otel.compaction.reading.values import text, truth
from agent_otel.model import names

TIMED_OUT: Final = 124
"""The exit code of commands that were stopped at their limit of time."""

_HEAD: Final = re.compile(
    r"(?:(?:Chunk ID|Wall time|Exit code|Original token count|Total output lines|Warning): [^\n]*\n"
    r"|Process (?:exited with code|running with session ID) [^\n]*\n)+Output:(?:\n|$)"
)
_CODE: Final = re.compile(r"^(?:Exit code:|Process exited with code) (-?[0-9]{1,10})$", re.MULTILINE)
_RUNNING: Final = re.compile(r"^Process running with session ID ([0-9]{1,18})$", re.MULTILINE)
_REFUSED: Final = re.compile(
    r"\bRejected\(|\brejected by (?:the )?(?:user|policy)\b|\brejected: |\baction was rejected\b"
    r"|\bapproval policy is [^\n]*\breject\b|\bblocked by (?:policy|the user)\b|\bdenied by (?:policy|the user)\b"
)
_BROKEN_OFF: Final = re.compile(r"aborted(?: by user)?\b")
_NOT_STARTED: Final = re.compile(r"\bCreateProcess\b|\bfailed to (?:spawn|start)\b|^Unknown process id\b")


class Shown(NamedTuple):
    """A result of a command: its exit code, the session of a process that runs on, and what was printed."""

    code: int | None
    running: int | None
    output: str


def shown(said: str) -> Shown | None:
    """What the lines above the output tell; None where there are none."""
    said = said.lstrip()
    head = _HEAD.match(said)
    if head is None:
        return None
    code, running = _CODE.search(head[0]), _RUNNING.search(head[0])
    return Shown(int(code[1]) if code else None, int(running[1]) if running else None, said[head.end() :])


def ending(attributes: Mapping[str, Any], result: Shown | None) -> Ending:
    """How a call ended that has a result."""
    said = text(attributes.get(names.CODEX_OUTPUT))
    if result is not None and result.code == TIMED_OUT and "timed out" in result.output[:200]:
        return Ending("failed", names.ERROR_TIMEOUT, result.output, timed_out=True)
    succeeded = truth(attributes.get(names.OWN_SUCCESS)) is not False and not (
        result is None and says_error(unwrap(said).fields)
    )
    if succeeded and not _BROKEN_OFF.match(said):
        return Ending("ok")
    if result is not None and result.code:
        return Ending("ok")  # the tool did what it was to do; the command failed
    if _BROKEN_OFF.match(said):
        return Ending("cancelled", names.ERROR_CANCELLED, said)
    if _REFUSED.search(said):
        return Ending("denied", names.ERROR_DENIED, said)
    return Ending("failed", names.ERROR_TOOL, said, started=not _NOT_STARTED.search(said))
