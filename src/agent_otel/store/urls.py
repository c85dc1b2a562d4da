"""Where a database is, as people write it, and how to show that without its passwords."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

HIDDEN: Final = "***"

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# To the last "@": a password that was not quoted as it should be is hidden, too.
_PASSWORD: Final = re.compile(r"(?<=://)([^:/@?]*):(.*)@", re.DOTALL)
_PARAMETER: Final = re.compile(r"([?&][^=&]*=)([^&]*)")


def scheme(url: str) -> str:
    """What stands before ``://``, in small letters; "" in a plain path."""
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def masked(url: str) -> str:
    """The URL for people, without its passwords."""
    shown = _PASSWORD.sub(rf"\1:{HIDDEN}@", url)
    return _PARAMETER.sub(lambda found: found[1] + HIDDEN if _secret(found[1]) else found[0], shown)


def without_secrets(text: str, url: str) -> str:
    """A text about the URL (a driver's message quotes parts of it) without its passwords, quoted or not."""
    raw = [found[2] for found in _PASSWORD.finditer(url)]
    raw += [found[2] for found in _PARAMETER.finditer(url) if _secret(found[1])]
    secrets = {secret for each in raw for secret in (each, unquote(each)) if secret}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _secret(parameter: str) -> bool:
    return "pass" in unquote(parameter).lower()
