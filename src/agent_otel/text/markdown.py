"""Putting foreign text into Markdown (a pull request comment, a review note) without giving it a say in the markup.

The rules are those of CommonMark and GitHub's dialect: what could start HTML, a link, emphasis, a table cell, a mention
or an issue reference is escaped, and invisible characters are shown as ``terminal`` shows them.
"""

from __future__ import annotations

import re

from agent_otel.text.terminal import printable

_MARKUP = re.compile(r"[\\`*_\[\](){}#+!|~<>&@$^=:-]")
_ENTITIES = {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    "@": "&#64;",
    "#": "&#35;",
    ":": "&#58;",
    "|": "&#124;",
    "$": "&#36;",
}
_RUNS = re.compile(r"`+")
_ORDERED = re.compile(r"^([0-9]+)([.)])")


def inline(text: str) -> str:
    """The text on one line, meaning nothing but itself, for a paragraph, heading, list item or table cell."""
    escaped = _MARKUP.sub(lambda match: _ENTITIES.get(match[0], "\\" + match[0]), printable(text).strip())
    return _ORDERED.sub(r"\1\\\2", escaped)


def code(text: str) -> str:
    """The text as a code span on one line; also safe in a table cell."""
    shown = printable(text)
    if not shown.strip():
        return "` `"
    if "|" in shown:  # no escape for a bar inside a code span works both in and out of a table
        entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;", "@": "&#64;", "\\": "&#92;"}
        return f"<code>{''.join(entities.get(character, character) for character in shown)}</code>"
    fence = "`" * (_longest_run(shown) + 1)
    space = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{space}{shown}{space}{fence}"


def fenced(text: str, *, language: str = "") -> str:
    """The text as a fenced block, closed by a fence longer than any inside, ending in a line feed.

    Args:
        text: several lines of foreign text.
        language: the info string; everything but letters, digits, ``+`` and ``-`` is left out.
    """
    shown = printable(text, keep_newlines=True)
    fence = "`" * max(3, _longest_run(shown) + 1)
    info = re.sub(r"[^A-Za-z0-9+-]", "", language)
    return f"{fence}{info}\n{shown}{'' if shown.endswith(chr(10)) else chr(10)}{fence}\n"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _RUNS.findall(text)), default=0)
