"""Whether encoded telemetry may hold a secret at all: a quick look at its bytes, before anybody decodes them.

Says yes too often, and no only where ``redaction`` would find nothing: each finder's own first step, put to the bytes.
Names and values of attributes stand in fields of their own there, so that a name that looks secret counts by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from agent_otel.text.assignments import AUTH, SEPARATOR, SUFFIX, WORDS
from agent_otel.text.patterns import TOKEN_GROUPS

_VALUE_FOLLOWS: Final = r"\\{0,7}[\"'`]?\]?[ \t]{0,8}[!=:]{0,2}\x12[\x80-\xff]{0,4}[\x00-\x7f][\n*2:]"
"""Behind a key and what may stand at its end: its value, of some length, that is text, bytes or made of others."""

_TELLING: Final = "(?:passw|pwd|passphrase|secret|credential|token|key|auth)"


def _encoded(pattern: str) -> re.Pattern[bytes]:
    """The same for bytes; what is no ASCII there may be part of a word."""
    return re.compile(pattern.replace(r"\w", r"\w\x80-\xff").encode("latin-1"))


_TOKENS: Final = tuple(_encoded(group.hint.pattern) for group in TOKEN_GROUPS)
_NAMES: Final = tuple(_encoded(f"(?:{word}){SUFFIX}(?:{SEPARATOR}|{_VALUE_FOLLOWS})") for word in WORDS)
_NEIGHBOURS: Final[tuple[tuple[bytes, re.Pattern[bytes]], ...]] = (
    (b"auth", _encoded(rf"{AUTH}{SUFFIX}(?:[\\\"'`\]]{{0,8}}\s{{0,8}}[:=,!]|{_VALUE_FOLLOWS})")),
    (b"--", _encoded(rf"--(?=[a-z])[\w-]{{0,120}}{_TELLING}")),
    (b"://", _encoded(r"://[^\s/@\"'<>\\]{0,4096}@")),
    (b"bearer", _encoded(r"bearer[ \t]")),
    (b"cookie", _encoded("cookie")),
    (b"curl", _encoded(r"-(?:u|-user|-proxy-user)[ =\"']")),
    (b"sig", _encoded("(?:sig|signature)=")),
    (b"aws", _encoded("[a-z0-9/+]{40}")),
    (b"akia", _encoded("[a-z0-9/+]{40}")),
)
"""What must stand there at all, and how it must go on, in lower case."""


class Suspicion:
    """Looks at encoded messages.

    Args:
        secrets: exact values that are secret wherever they stand.
    """

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret.encode("utf-8", "surrogatepass") for secret in secrets)

    def __call__(self, encoded: bytes) -> bool:
        """Whether to look closer."""
        folded = encoded.lower()
        return (
            any(name.search(folded) for name in _NAMES)
            or any(needle in folded and pattern.search(folded) for needle, pattern in _NEIGHBOURS)
            or any(token.search(encoded) for token in _TOKENS)
            or any(secret in encoded for secret in self._secrets)
        )
