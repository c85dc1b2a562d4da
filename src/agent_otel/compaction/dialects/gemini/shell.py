"""What the shell tool of Gemini CLI and its forks tells the model of a command.

Up to about 0.30, and in forks to this day, all of it: ``Command: … Directory: … Output: … Error: (none) Exit Code: 0
Signal: (none)``. Since then only what is not as it should be: that there is no line ``Exit Code`` means a code of 0, as
the tool's own description says, unless a line tells of a signal or an error, or the command goes on in the background.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from agent_otel.compaction.reading.values import whole

EXIT_CODE: Final = "Exit Code"
SILENT_UNLESS: Final = frozenset([EXIT_CODE, "Error", "Signal", "Background PIDs"])

_ENVELOPE: Final = re.compile(r"\A\s*<(\w+)>\n(.*?)\n?</\1>\s*\Z", re.DOTALL)
_HEAD: Final = re.compile(r"(?:\ACommand: [^\n]*\n(?:[^\n]*\n)*?Directory: ([^\n]*)\n|\A)Output: ?")
_TAIL: Final = re.compile(r"(Error|Exit Code|Signal|Background PIDs|Process Group PGID): ?(.*)\Z")
_TIMED_OUT: Final = re.compile(
    r"\ACommand (?:was automatically cancelled because it exceeded the timeout|timed out after)\b"
)
_CANCELLED: Final = re.compile(r"\ACommand was cancelled\b")
_NOTHING: Final = "(none)"


class Printed(NamedTuple):
    """What is told of a command. ``exit_code`` is None, and ``exited_zero`` False, where it is not told."""

    output: str
    directory: str = ""
    exit_code: int | None = None
    exited_zero: bool = False
    timed_out: bool = False
    cancelled: bool = False


def printed(said: str) -> Printed:
    """The parts of what the tool said; words in another form are taken for output, of which nothing is made."""
    envelope = _ENVELOPE.match(said)
    said = envelope[2] if envelope else said
    head = _HEAD.match(said)
    if head is None:
        return Printed(said, timed_out=bool(_TIMED_OUT.match(said)), cancelled=bool(_CANCELLED.match(said)))
    lines = said[head.end() :].split("\n")
    told = _told(lines)
    directory = head[1] or ""
    return Printed(
        "\n".join(lines),
        directory if directory.startswith("/") else "",
        whole(told.get(EXIT_CODE)),
        exited_zero=not head[0].startswith("Command") and not (told.keys() & SILENT_UNLESS),
    )


def _told(lines: list[str]) -> Mapping[str, str]:
    """What the lines at the end tell, which are taken away: a command may print the like before them."""
    told: dict[str, str] = {}
    seen: set[str] = set()
    while lines and (match := _TAIL.match(lines[-1])) and match[1] not in seen:
        seen.add(match[1])
        if match[2] != _NOTHING:
            told[match[1]] = match[2]
        lines.pop()
    return told
