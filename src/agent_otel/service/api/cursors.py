"""Where a list goes on, as a text that means nothing to whoever gets it, and that cannot break anything coming back."""

from __future__ import annotations

import base64
import re
from typing import Final

_RECORD: Final = re.compile(r"(|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) .*", re.ASCII | re.DOTALL)
_ITEM: Final = re.compile(r"\d{1,18} ([0-9a-f]{2})+", re.ASCII)


def opaque(cursor: str) -> str:
    """The text for a ``cursor`` or ``item_cursor`` of the store."""
    return base64.urlsafe_b64encode(cursor.encode()).rstrip(b"=").decode()


def record_cursor(text: str) -> str:
    """The store's ``cursor`` behind the text.

    Raises:
        ValueError: the text is none that a list of runs gave.
    """
    return _matching(_RECORD, text)


def item_cursor(text: str) -> str:
    """The store's ``item_cursor`` behind the text.

    Raises:
        ValueError: the text is none that a list of items gave.
    """
    return _matching(_ITEM, text)


def _matching(form: re.Pattern[str], text: str) -> str:
    cursor = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    if not form.fullmatch(cursor):
        raise ValueError(text)
    return cursor
