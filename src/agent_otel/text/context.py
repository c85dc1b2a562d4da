"""Secrets that only their neighbours give away, whatever they look like.

Puts a cheap test before each finder of ``assignments`` and ``headers``. Each finder is anchored at a literal and reads a
bounded or non-overlapping stretch behind it, so that the whole takes time linear in the text.
"""

from __future__ import annotations

from agent_otel.text.assignments import find_assigned, find_flagged
from agent_otel.text.headers import (
    find_aws_secrets,
    find_bearer,
    find_curl_users,
    find_in_headers,
    find_in_urls,
    find_signatures,
)
from agent_otel.text.span import Span

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def find(text: str) -> list[Span]:
    """The secrets in ``text`` that their neighbours give away, in no particular order."""
    folded = fold(text)
    spans: list[Span] = []
    if ":" in text or "=" in text:
        spans += find_assigned(text, folded)
        if "auth" in folded or "cookie" in folded:
            spans += find_in_headers(text, folded)
        if "=" in text:
            spans += find_signatures(text, folded)
        if "://" in text:
            spans += find_in_urls(text)
        if "-u" in text:
            spans += find_curl_users(text)
    if "--" in text:
        spans += find_flagged(text)
    if "bearer" in folded:
        spans += find_bearer(text, folded)
    if "aws" in folded or "AKIA" in text:
        spans += find_aws_secrets(text)
    return spans


def fold(text: str) -> str:
    """The text in lower case, position for position."""
    folded = text.lower()
    # Lower case is longer for a few characters, never shorter; then only ASCII is folded, which all names consist of.
    return folded if len(folded) == len(text) else text.translate(_ASCII_LOWER)
