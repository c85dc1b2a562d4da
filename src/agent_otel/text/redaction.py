"""Masking: secrets out, evidence kept.

Knows how to replace the secrets that ``patterns`` and ``context`` find, and the exact values a caller gives, by a
marker. Pure: the caller brings the key and the values; nothing is read from the environment.

Mask the whole text, before it is cut: a secret that spans lines, or that a truncation halved, no longer looks like one.

A marker reads ``[REDACTED:github-token:3f9a1c07]``. The eight hex digits are an HMAC under the key of the ``Masker``:
equal secrets can be correlated within one deployment, and not be looked up in a table of known hashes.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

from agent_otel.errors import SettingsError
from agent_otel.text import context
from agent_otel.text.assignments import is_flag, named
from agent_otel.text.environment import secret_values as secret_values  # noqa: PLC0414 - re-exported: it feeds Masker
from agent_otel.text.patterns import find_tokens
from agent_otel.text.span import Span
from agent_otel.text.values import is_secret

FAILED = "[REDACTED:masker-failed]"
"""What a text becomes when masking it failed: nothing of it is known to be safe."""

_MARKER = re.compile(r"(\[REDACTED:[a-z0-9-]{1,40}(?::[0-9a-f]{8})?\])")
_MARKER_START = "[REDACTED:"
_SHORTEST_SECRET = 4
_ROUNDS = 8


class Masker:
    """Replaces secrets by markers. Immutable, safe to share between threads.

    Args:
        key: keys the hashes in the markers; without one (b"") there are none, and everybody's markers are the same.
        secrets: exact values to mask wherever they stand; those shorter than four characters are ignored.
        extra_patterns: regular expressions of further secrets; masks the group ``secret``, or else the whole match.

    Raises:
        SettingsError: an extra pattern is not a regular expression.
    """

    __slots__ = ("_extra", "_key", "_secrets")

    def __init__(
        self, *, key: bytes, secrets: Iterable[str] = (), extra_patterns: Iterable[str | re.Pattern[str]] = ()
    ) -> None:
        self._key = key
        self._secrets = tuple(sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=lambda s: (-len(s), s)))
        self._extra = tuple(_compiled(pattern) for pattern in extra_patterns)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The exact values that are masked wherever they stand, longest first."""
        return self._secrets

    def mask(self, text: str) -> tuple[str, int]:
        """The text with every secret replaced, and how many were; the same object and 0 when there is none.

        Never raises. Masking a masked text changes nothing.
        """
        try:
            return self._mask(text)
        except Exception:  # noqa: BLE001 - the instrumented program must survive, and the text must not leave unmasked
            return FAILED, 1

    def mask_value(self, value: Any, *, name: str = "") -> tuple[Any, int]:
        """The value with every secret in its strings, keys included, replaced, and how many were.

        Strings, bytes, lists, tuples and mappings are walked; everything else is returned as it is. A string under a
        secret-looking name, or behind a secret-looking flag in a list of arguments, is masked whole. Never raises.

        Args:
            value: what to mask.
            name: the key or attribute name the value stands under.
        """
        try:
            return self._mask_value(value, name)
        except Exception:  # noqa: BLE001 - as in mask; the value may also be a mapping whose methods raise
            return FAILED, 1

    def _mask(self, text: str) -> tuple[str, int]:
        if _MARKER_START not in text:
            spans = self._find(text)
            if not spans:
                return text, 0
            text, total = self._replaced(text, spans)
        else:
            total = 0
        # What stands between two markers may look different without its masked neighbour; repeat until it settles.
        for _ in range(_ROUNDS):
            pieces = [self._replaced(piece, self._find(piece)) for piece in _MARKER.split(text)[::2]]
            count = sum(found for _, found in pieces)
            if not count:
                return text, total
            markers = [*_MARKER.findall(text), ""]
            text = "".join(piece + marker for (piece, _), marker in zip(pieces, markers, strict=True))
            total += count
        return FAILED, total

    def _find(self, text: str) -> list[Span]:
        spans = find_tokens(text) + context.find(text)
        if self._secrets:
            spans = [span for secret in self._secrets if secret in text for span in _occurrences(text, secret)] + spans
        for pattern in self._extra:
            group = "secret" if "secret" in pattern.groupindex else 0
            spans += [Span(*match.span(group), "custom") for match in pattern.finditer(text)]
        return spans

    def _replaced(self, text: str, spans: list[Span]) -> tuple[str, int]:
        pieces, position, merged = [], 0, _merged(spans)
        for start, end, kind in merged:
            pieces += [text[position:start], self._marker(text[start:end], kind)]
            position = end
        return "".join([*pieces, text[position:]]), len(merged)

    def _marker(self, secret: str, kind: str) -> str:
        if not self._key:
            return f"{_MARKER_START}{kind}]"
        digest = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        return f"{_MARKER_START}{kind}:{digest[:4].hex()}]"

    def _mask_value(self, value: Any, name: str) -> tuple[Any, int]:
        if isinstance(value, str):
            return self._mask_named(value, name) if name else self.mask(value)
        if isinstance(value, bytes):
            masked, count = self._mask_value(value.decode("utf-8", "surrogateescape"), name)
            return (masked.encode("utf-8", "surrogateescape"), count) if count else (value, 0)
        if isinstance(value, Mapping):
            return self._mask_mapping(value)
        if isinstance(value, (list, tuple)):
            return self._mask_sequence(value, name)
        return value, 0

    def _mask_named(self, value: str, name: str) -> tuple[str, int]:
        beside = named(name)
        if beside is None or _MARKER_START in value or not is_secret(value, beside._replace(strong=True)):
            return self.mask(value)
        return self._marker(value, beside.kind), 1

    def _mask_mapping(self, value: Mapping[Any, Any]) -> tuple[Any, int]:
        masked, total = {}, 0
        for key, item in value.items():
            name = key if isinstance(key, str) else ""
            safe_key, in_key = self._mask_value(key, "")
            masked[safe_key], in_item = self._mask_value(item, name)
            total += in_key + in_item
        return (masked, total) if total else (value, 0)

    def _mask_sequence(self, value: list[Any] | tuple[Any, ...], name: str) -> tuple[Any, int]:
        masked, total, flag = [], 0, ""
        for item in value:
            flags = isinstance(item, str) and is_flag(item)
            safe, count = self._mask_value(item, name if flags else flag or name)
            masked.append(safe)
            total += count
            flag = item if flags else ""
        if not total:
            return value, 0
        return (masked if isinstance(value, list) else tuple(masked)), total


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    if not isinstance(pattern, str):
        return pattern
    try:
        return re.compile(pattern)
    except re.error as exc:
        msg = f"expected a regular expression that finds secrets, got {pattern!r}: {exc}"
        raise SettingsError(msg) from exc


def _occurrences(text: str, secret: str) -> Iterable[Span]:
    start = text.find(secret)
    while start >= 0:
        yield Span(start, start + len(secret), "known-secret")
        start = text.find(secret, start + 1)  # occurrences may overlap; together they are one secret


def _merged(spans: list[Span]) -> list[Span]:
    """The spans by position, overlapping ones joined under the kind of the one that was found first."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):  # a stable sort: exact values and formats stay before names
        if merged and span.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, span.end))
        elif span.start < span.end:
            merged.append(span)
    return merged
