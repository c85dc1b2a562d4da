"""Reads a page of a post-mortem: its front matter and its sections."""

from __future__ import annotations

import re
import sys
from datetime import date
from typing import Final

import msgspec

from agent_otel.errors import DecodeError
from agent_otel.review.postmortems.page import FENCE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_TITLE: Final = re.compile(r"^# +(.+?) *$", re.MULTILINE)
_HEADING: Final = re.compile(r"^## +(.+?) *$", re.MULTILINE)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An edit to the setup; ``state`` is what the page says became of it.

    ``fingerprints`` are those that it is to stop, where they are not all of the page's.
    """

    file: str = ""
    what: str = ""
    owner: str = ""
    due: date | None = None
    state: str = "open"
    fingerprints: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page as it is written.

    ``layer`` and ``area`` are where it points to, where a human says so; the quarterly review groups pages by them.
    ``patterns`` are those that its runs show, as a human says.
    """

    trigger: str
    runs: tuple[str, ...]
    failed: date
    written: date
    owner: str = ""
    fingerprints: tuple[str, ...] = ()
    layer: str = ""
    area: str = ""
    patterns: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    title: str = ""
    sections: dict[str, str] = {}
    words: int = 0


def read_page(text: str) -> Page:
    """The page that a text is.

    Raises:
        DecodeError: it has no front matter, or something else stands there.
    """
    before, opened, rest = text.partition(f"{FENCE}\n")
    front, closed, body = rest.partition(f"\n{FENCE}\n")
    if before.strip() or not opened or not closed:
        message = f"expected front matter between two lines of {FENCE}"
        raise DecodeError(message)
    try:
        page = msgspec.convert(tomllib.loads(front), Page)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        message = f"front matter: {exc}"
        raise DecodeError(message) from exc
    titled = _TITLE.search(body)
    _, *parts = _HEADING.split(body)
    sections = dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    return msgspec.structs.replace(page, title=titled[1] if titled else "", sections=sections, words=len(body.split()))
