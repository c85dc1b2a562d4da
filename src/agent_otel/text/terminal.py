"""Making hostile text inert for a terminal.

Spans carry what other programs printed. Control characters move the cursor, set titles and paste commands;
bidirectional and invisible characters make a line read as something else (CVE-2021-42574). All of them are shown as
escapes.
"""

from __future__ import annotations

import re

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSAFE = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f{_INVISIBLE}\\ud800-\\udfff]")
_UNSAFE_BUT_NEWLINE = re.compile(f"[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f{_INVISIBLE}\\ud800-\\udfff]")


def printable(text: str, *, keep_newlines: bool = False) -> str:
    r"""The text with every character that is not seen shown as an escape such as ``\\x1b``; a tab becomes a space.

    Args:
        text: what to print.
        keep_newlines: leave line feeds, for text of several lines; otherwise they are shown as ``\\n``.
    """
    return (_UNSAFE_BUT_NEWLINE if keep_newlines else _UNSAFE).sub(_escaped, text)


_COMMAND = re.compile(r"^( *):(?=:)", re.MULTILINE)


def uncommanding(text: str) -> str:
    r"""The text in which no line begins with ``::``, which would be a command to the runner of a job on GitHub.

    A runner looks behind blanks, too, and takes what a step prints for a command of the step: the first colon of such a
    line is shown as ``\\x3a``.
    """
    return _COMMAND.sub(r"\1\\x3a", text)


_NAMED = {"\t": " ", "\n": "\\n", "\r": "\\r"}


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code <= 0xFF:  # noqa: PLR2004 - two hex digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four hex digits
