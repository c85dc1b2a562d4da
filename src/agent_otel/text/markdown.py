"""Putting foreign text into Markdown (a pull request comment, a review note) without giving it a say in the markup.

The rules are those of CommonMark and GitHub's dialect: what could start HTML, a link, emphasis, a table cell, a mention
or an issue reference is escaped, and invisible characters are shown as ``terminal`` shows them. GitHub and GitLab look
for mentions, references and addresses after the markup is gone, escapes included: there a space of no width keeps apart
what they would take for one.
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
_LIVE = re.compile(
    r"(?<=[@#~%])(?=[\w\"])|(?<=[!&$])(?=[0-9])|(?<=:)(?=/)|(?<=www)(?=\.)|(?<=gh)(?=-[0-9])", re.IGNORECASE
)
"""Where forges see a user, a label, an issue or an address begin."""
_APART = "\u200b"  # never left in what is printable
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_RUNS = re.compile(r"`+")
_ORDERED = re.compile(r"^([0-9]+)([.)])")


def inline(text: str) -> str:
    """The text on one line, meaning nothing but itself, for a paragraph, heading, list item or table cell."""
    apart = _LIVE.sub(_APART, printable(text).strip())
    escaped = _MARKUP.sub(lambda match: _ENTITIES.get(match[0], "\\" + match[0]), apart)
    return _ORDERED.sub(r"\1\\\2", escaped.replace(_APART, "&#8203;"))


def code(text: str) -> str:
    """The text as a code span on one line; also safe in a table cell."""
    shown = printable(text)
    if not shown.strip():
        return "` `"
    if "|" in shown:  # no escape for a bar inside a code span works both in and out of a table
        # Between tags Markdown goes on: everything that may be markup is written as an entity.
        return f"<code>{_PUNCTUATION.sub(_entity, shown)}</code>"
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


def _entity(match: re.Match[str]) -> str:
    return _ENTITIES.get(match[0], f"&#{ord(match[0])};")


def _longest_run(text: str) -> int:
    return max((len(run) for run in _RUNS.findall(text)), default=0)
