"""How foreign words stand on a page: meaning nothing but themselves, and readable for who edits it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from agent_otel.review.wording import shortened
from agent_otel.text.markdown import code, inline as escaped
from agent_otel.text.terminal import printable

MOST: Final = 6
LONG: Final = 160
SHORT: Final = 60

_TIME: Final = re.compile(r"(?<=\d)&#58;(?=\d\d(?!\d))")
"""A colon of a time: no forge has an image of so few digits."""

_ASIDE: Final = re.compile(r"(?<=[^\d\s]\s)\\\(([^()\\\[\]]*)\\\)")
"""Brackets after a word, which are no link's."""


def said(text: str) -> str:
    """The text, meaning nothing but itself; what means nothing on its place stays readable for who edits the page."""
    plain = escaped(text).replace("&#58; ", ": ").replace("\\-", "-")
    return _ASIDE.sub(r"(\1)", _TIME.sub(":", plain))


def told(text: str, most: int = LONG) -> str:
    """So much of a text."""
    return said(shortened(printable(text), most))


def quoted(text: str) -> str:
    """The text as somebody's words."""
    return f"“{told(text)}”"


def codes(names: Iterable[str]) -> str:
    """The first of some names, and how many more."""
    known = list(dict.fromkeys(names))
    shown = ", ".join(code(name) for name in known[:MOST])
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return shown + more if known else "none recorded"
