"""A request and its reply, as whoever answers sees them: values, whatever server or client is around them.

``reply(request) -> Reply`` is all there is to HTTP here. The server hands over requests that are whole, bounded and
authorised, on a thread of a small pool, so that whoever answers may read the database; it adds ``Content-Length``, and
leaves the body out for HEAD.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked.

    ``method`` is in upper case. ``path`` and ``query`` stand as they came, percent-encoded, because what a path names
    may hold a slash itself; the question mark is in neither. The names in ``headers`` are in lower case; of a header
    that came twice, the values are joined by a comma. ``body`` is inflated.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = NO_HEADERS
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered; the body's ``content-type`` is one of the headers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = NO_HEADERS
