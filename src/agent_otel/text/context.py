"""Secrets that only their neighbours give away, whatever they look like.

Puts a cheap test before each finder of ``assignments`` and ``headers``. Each finder is anchored at a literal and reads
a bounded or non-overlapping stretch behind it, so that the whole takes time linear in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent_otel.text.assignments import find_assigned, find_flagged
from agent_otel.text.headers import (
    find_authorizations,
    find_aws_secrets,
    find_bearers,
    find_cookies,
    find_curl_users,
    find_signatures,
    find_url_secrets,
)
from agent_otel.text.span import Span

Finder = Callable[[str, str], Iterable[Span]]
"""Finds secrets, given a text and the same text in lower case, position for position."""

_FINDERS: tuple[tuple[str, Finder], ...] = (
    ("=", find_assigned),
    (":", find_assigned),
    ("--", find_flagged),
    ("://", find_url_secrets),
    ("auth", find_authorizations),
    ("bearer", find_bearers),
    ("cookie", find_cookies),
    ("curl", find_curl_users),
    ("sig", find_signatures),
    ("aws", find_aws_secrets),
    ("akia", find_aws_secrets),
)
"""What each finder needs to see in the lower case text; one that stands twice needs either."""

_SHORTEST = 7  # "pwd", a separator and three characters
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def find(text: str) -> list[Span]:
    """The secrets in ``text`` that their neighbours give away, in no particular order."""
    spans: list[Span] = []
    if len(text) < _SHORTEST:
        return spans
    folded = fold(text)
    called = None
    for needle, finder in _FINDERS:
        if needle in folded and finder is not called:
            spans += finder(text, folded)
            called = finder
    return spans


def fold(text: str) -> str:
    """The text in lower case, position for position."""
    folded = text.lower()
    # Lower case is longer for a few characters, never shorter; then only ASCII is folded, which all names consist of.
    return folded if len(folded) == len(text) else text.translate(_ASCII_LOWER)
