"""Which values of an environment are secrets. Pure: the environment is an argument."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from agent_otel.text.values import SHORTEST, Beside, is_secret

_NAMES = (
    *("SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "PWD", "CREDENTIAL", "AUTH"),
    *("API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY", "SIGNING_KEY", "ENCRYPTION_KEY", "ACCOUNT_KEY"),
)


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables with secret-looking names, and their base64, URL-encoded and JSON-escaped forms.

    Short values, paths, numbers and common words stay out: masking them everywhere would destroy evidence.

    Args:
        environ: names and values, as in ``os.environ``.

    Returns:
        The values, longest first, ready for ``Masker(secrets=...)``.
    """
    found: set[str] = set()
    for name, value in environ.items():
        if _looks_secret(name.upper()) and len(value) >= SHORTEST and is_secret(value, Beside(plural=True)):
            found.update(_forms(value))
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def _looks_secret(name: str) -> bool:
    return any(word in name for word in _NAMES)


def _forms(value: str) -> Iterable[str]:
    data = value.encode("utf-8", "surrogateescape")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    standard = base64.b64encode(data).decode("ascii").rstrip("=")  # the padding may be missing where it is met
    urlsafe = base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
    return value, escaped, standard, urlsafe, quote(data, safe=""), quote_plus(data)
