"""Masking: secrets out, evidence kept.

Knows how to replace the secrets that ``patterns`` and ``context`` find, and the exact values a caller gives, by a marker.
Pure: the caller brings the key and the values; nothing is read from the environment.

Mask the whole text, before it is cut: a secret that spans lines, or that a truncation halved, no longer looks like one.

A marker reads ``[REDACTED:github-token:3f9a1c07]``. The eight hex digits are an HMAC under the key of the ``Masker``, so
that equal secrets can be correlated within one deployment and not be looked up in a table of known hashes.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from agent_otel.errors import SettingsError
from agent_otel.text import context
from agent_otel.text.assignments import named
from agent_otel.text.patterns import TOKEN_GROUPS
from agent_otel.text.span import Span
from agent_otel.text.values import Beside, is_secret

FAILED = "[REDACTED:masker-failed]"
"""What a text becomes when masking it failed: nothing of it is known to be safe."""

_MARKER = re.compile(r"(\[REDACTED:[a-z0-9-]{1,40}(?::[0-9a-f]{8})?\])")
_MARKER_START = "[REDACTED:"
_SHORTEST_SECRET = 4
_ROUNDS = 8


class Masker:
    """Replaces secrets by markers. Immutable, safe to share between threads.

    Args:
        key: keys the hashes in the markers.
        secrets: exact values to mask wherever they stand; those shorter than four characters are ignored.
        extra_patterns: regular expressions of further secrets; the group ``secret``, or else the whole match, is masked.

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

        Strings, bytes, lists, tuples and mappings are walked; everything else is returned as it is. A scalar under a
        secret-looking name is masked whole.

        Args:
            value: what to mask.
            name: the key or attribute name the value stands under.
        """
        try:
            return self._mask_value(value, name)
        except Exception:  # noqa: BLE001 - as in mask; also a mapping whose methods raise
            return FAILED, 1

    def marker(self, secret: str, kind: str) -> str:
        """What stands in the place of the secret."""
        digest = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        return f"{_MARKER_START}{kind}:{digest[:4].hex()}]"

    def _mask(self, text: str) -> tuple[str, int]:
        if _MARKER_START not in text:
            masked, total = self._mask_segment(text)
            if not total:
                return text, 0
            text = masked
        else:
            total = 0
        # What stands between two markers may look different once its neighbour is masked; repeat until it settles.
        for _ in range(_ROUNDS):
            pieces = _MARKER.split(text)
            results = [
                self._mask_segment(piece) if index % 2 == 0 else (piece, 0) for index, piece in enumerate(pieces)
            ]
            count = sum(found for _, found in results)
            if not count:
                return text, total
            text, total = "".join(piece for piece, _ in results), total + count
        return FAILED, total

    def _mask_segment(self, text: str) -> tuple[str, int]:
        spans = [*self._known(text), *_tokens(text), *context.find(text), *self._further(text)]
        if not spans:
            return text, 0
        return self._replaced(text, _merged(spans))

    def _known(self, text: str) -> Iterable[Span]:
        for secret in self._secrets:
            start = text.find(secret)
            while start >= 0:
                yield Span(start, start + len(secret), "known-secret")
                start = text.find(secret, start + len(secret))

    def _further(self, text: str) -> Iterable[Span]:
        for pattern in self._extra:
            group = "secret" if "secret" in pattern.groupindex else 0
            yield from (Span(*match.span(group), "custom") for match in pattern.finditer(text))

    def _replaced(self, text: str, spans: list[Span]) -> tuple[str, int]:
        pieces, position = [], 0
        for start, end, kind in spans:
            pieces += [text[position:start], self.marker(text[start:end], kind)]
            position = end
        pieces.append(text[position:])
        return "".join(pieces), len(spans)

    def _mask_value(self, value: Any, name: str) -> tuple[Any, int]:
        if isinstance(value, str):
            beside = named(name) if name else None
            if (
                beside is not None
                and value
                and _MARKER_START not in value
                and is_secret(value, beside._replace(strong=True))
            ):
                return self.marker(value, "password" if beside.strong else "secret"), 1
            return self.mask(value)
        if isinstance(value, bytes):
            masked, count = self._mask_value(value.decode("utf-8", "surrogateescape"), name)
            return (masked.encode("utf-8", "surrogateescape"), count) if count else (value, 0)
        if isinstance(value, Mapping):
            return self._mask_mapping(value)
        if isinstance(value, list | tuple):
            return self._mask_sequence(value, name)
        return value, 0

    def _mask_mapping(self, value: Mapping[Any, Any]) -> tuple[Any, int]:
        results = {self.mask(key)[0] if isinstance(key, str) else key: self._mask_value(item, key if isinstance(key, str) else "")
                   for key, item in value.items()}  # fmt: skip
        total = sum(count for _, count in results.values())
        return {key: item for key, (item, _) in results.items()}, total

    def _mask_sequence(self, value: list[Any] | tuple[Any, ...], name: str) -> tuple[Any, int]:
        results, flag = [], ""
        for item in value:
            results.append(self._mask_value(item, flag or name))
            flag = item if isinstance(item, str) and item.startswith("--") else ""
        total = sum(count for _, count in results)
        if not total:
            return value, 0
        return type(value)(item for item, _ in results), total


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    if not isinstance(pattern, str):
        return pattern
    try:
        return re.compile(pattern)
    except re.error as exc:
        msg = f"expected a regular expression for secrets, got {pattern!r}: {exc}"
        raise SettingsError(msg) from exc


def _tokens(text: str) -> Iterable[Span]:
    for hint, rules in TOKEN_GROUPS:
        if hint.search(text):
            for kind, literal, _, regex in rules:
                if literal in text:
                    group = "secret" if regex.groups else 0
                    yield from (Span(*match.span(group), kind) for match in regex.finditer(text))


def _merged(spans: list[Span]) -> list[Span]:
    """The spans in order of position, overlapping ones joined under the kind of the one found first."""
    merged: list[Span] = []
    for order, span in sorted(enumerate(spans), key=lambda pair: (pair[1].start, pair[0])):
        if span.start == span.end:
            continue
        if merged and span.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


_NAME_WORDS = (
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "AUTH",
)


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables with secret-looking names, and their base64, URL-encoded and JSON-escaped forms.

    Values that are short, paths, numbers or common words stay out: masking them everywhere would destroy evidence.

    Args:
        environ: names and values, as in ``os.environ``.

    Returns:
        The values, longest first, ready for ``Masker``.
    """
    found: set[str] = set()
    for name, value in environ.items():
        if any(word in name.upper() for word in _NAME_WORDS) and len(value) >= 8 and is_secret(value, Beside()):  # noqa: PLR2004
            found.update(_forms(value))
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def _forms(value: str) -> Iterable[str]:
    data = value.encode("utf-8", "surrogateescape")
    standard = base64.b64encode(data).decode("ascii").rstrip("=")
    urlsafe = base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value, standard, urlsafe, quote(data, safe=""), quote_plus(data), escaped
