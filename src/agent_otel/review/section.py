"""A marked section of a file that people write too: it is rewritten, and every other byte stays as it was."""

from __future__ import annotations

import re
from urllib.parse import quote

from agent_otel.errors import SettingsError

_CLOSING = "<!-- /agent-otel:note -->"

_ANY = re.compile(rb"^<!-- agent-otel:note ", re.MULTILINE)


def marks(run_id: str) -> tuple[str, str]:
    """The lines before and after the section of a run. An id that could end the comment is percent-encoded."""
    # No two hyphens in a row: they end a comment for some readers.
    named = quote(run_id, safe="/:@", errors="replace").replace("--", "-%2D")
    return f"<!-- agent-otel:note {named} -->", _CLOSING


def with_section(content: bytes, run_id: str, note: str) -> bytes:
    """The content with the section of the run holding ``note``: in its place, or at the end where there was none.

    Twice equals once. Lines end as they do in the content.

    Raises:
        SettingsError: the section is opened and not closed, or opened more than once; it is not guessed which is meant.
    """
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    opening, closing = (mark.encode() for mark in marks(run_id))
    section = newline.join((opening, *note.encode().splitlines(), closing))
    found = list(re.finditer(rb"^" + re.escape(opening) + rb"(?=\r?$)", content, re.MULTILINE))
    if not found:
        between = b"" if not content else newline if content.endswith(b"\n") else newline * 2
        return content + between + section + newline
    end = re.compile(rb"^" + re.escape(closing) + rb"(?=\r?$)", re.MULTILINE).search(content, found[0].end())
    if len(found) > 1 or end is None or _ANY.search(content, found[0].end(), end.start()):
        message = f"expected {opening.decode()} once, and {closing.decode()} on a line of its own after it"
        raise SettingsError(message)
    return content[: found[0].start()] + section + content[end.end() :]
