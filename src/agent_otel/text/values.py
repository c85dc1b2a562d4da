"""Whether a value standing beside a secret-looking name is a secret, or evidence that must survive.

A name such as ``token`` is followed by a secret in a log line, and by a variable, a count or a verdict nearly
everywhere else. The rules here name the harmless cases; what is left is masked.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_HARMLESS = """
    accepted admin-only always anonymous any array authenticated aws4-hmac-sha256 bad basic bearer body bool boolean
    bytes changed cookie created default deleted denied dict digest disabled empty enabled env environment error
    errors expired external fail failed failure false file filtered float forbidden form found granted header hidden
    incorrect inherit inherited input int integer internal invalid jwt list masked mismatch missing negotiate never
    nil no none not ntlm null number oauth oauth2 object off ok okay omitted on optional pass passed password path
    placeholder private prompt public query read redacted rejected removed required revoked rotated secret secretstr
    set skipped stdin str string test text token true unauthorized unchanged undefined unknown unset updated valid
    value write wrong xfail xpass yes
"""
_HARMLESS_WORDS = frozenset(_HARMLESS.split())
_PLACEHOLDER = re.compile(
    r"""(?x)
      \$\{.* | \$\(.* | \$[A-Za-z_]\w*\$? | %\([^)]*\)s | %\w+%? | [{<\[(].*          # a reference, or a structure
    | \*+ | [xX]{3,} | \.{2,}.* | …+ | -+ | _+ | [@#&|>!=~]?                          # nothing to see
    | (?:env|vault|ssm|op|secretref|file|arn|https?|git|ssh)[@:].*                    # where to look it up
    | (?:os|process|self|cls|this|args|ctx|config|cfg|settings|options|opts|params|request|req|secrets|env)[.\[(].*
    """,
    re.DOTALL,
)
_CODE = re.compile(r"[A-Za-z_][A-Za-z_0-9.]*(?:\(|\[|->|::).*|[A-Za-z_]+(?:\.[A-Za-z_]+)+", re.DOTALL)
_WORDS = re.compile(r"[A-Za-z_]+")
_NUMBER = re.compile(r"[+-]?[0-9][0-9_,]*(?:\.[0-9]+)?(?:[a-zA-Zµ%]{1,3})?")
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_NAME_INSIDE = re.compile(r"pass(?:wor|w|phrase)|pwd|secret|token|credential|auth|key|cookie", re.IGNORECASE)
_SLUG = re.compile(r"[a-z]+[0-9]{0,3}(?:[-_./:][a-z]*[0-9]{0,4}){0,16}")
_FILE = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z0-9]{1,20}){0,8}(?:\.[a-z]{1,12})?\.[a-z]{1,5}[0-9]?(?::[0-9]{1,6}){0,2}")
_PATH = re.compile(
    r"(?:[A-Za-z]:|~|\.{1,2})?(?P<root>[/\\])?[\w@+~. -]{0,64}(?:[/\\][\w@+~. -]{0,64}){0,32}(?::[0-9]{1,6}){0,2}"
)
_EXTENSION = re.compile(r"\.[A-Za-z][a-z0-9]{0,4}(?::[0-9]{1,6}){0,2}$")

SHORTEST = 8
"""A value of fewer characters beside a name such as ``token`` is an identifier or a status, not a secret."""
_SHORTEST_NUMBER = 4
_KEY_LIKE = 12
_TELLING = 64  # characters that tell whether a value is random; the rest is not read


class Beside(NamedTuple):
    """How a value stands beside its name.

    ``kind`` is what the name calls it. ``strong`` names (``password``, ``client_secret``) are followed by
    secrets of any shape; the others need a value that looks random. ``plural`` names count things. ``code`` says that
    the surroundings read like a program's source.
    """

    kind: str = "secret"
    strong: bool = True
    plural: bool = False
    quoted: bool = True
    code: bool = False


def is_secret(value: str, beside: Beside) -> bool:
    """True unless the value is a placeholder, a reference, a verdict, a path or a count."""
    if value.lower() in _HARMLESS_WORDS or _PLACEHOLDER.fullmatch(value) or _is_path(value):
        return False
    if _NUMBER.fullmatch(value):
        return beside.strong and not beside.plural and len(value) >= _SHORTEST_NUMBER
    if not beside.quoted and _is_reference(value, beside):
        return False
    return beside.strong or looks_random(value)


def looks_random(value: str) -> bool:
    """True when letters, digits and cases mix as they do in generated keys and not in names and versions."""
    if len(value) < SHORTEST or _SLUG.fullmatch(value):
        return False
    start = value[:_TELLING]
    return (_DIGIT.search(start) is not None and _LETTER.search(start) is not None) or _cases_mix(start)


def _cases_mix(value: str) -> bool:
    """True when capitals are strewn as by chance; camel-cased names have one in four at most."""
    if value.islower():
        return False
    upper = sum(map(str.isupper, value))
    lower = sum(map(str.islower, value))
    return min(upper, lower) * 100 >= 28 * len(value)


def _is_reference(value: str, beside: Beside) -> bool:
    """True for what stands unquoted in source text: calls, attributes, variables."""
    if _CODE.fullmatch(value):
        return not any(looks_random(part) for part in value.split("."))
    if not _WORDS.fullmatch(value):
        return False
    return bool(_NAME_INSIDE.search(value)) or (beside.code and not (len(value) >= SHORTEST and _cases_mix(value)))


def _is_path(value: str) -> bool:
    """True for file names and paths, which tools print beside names such as ``auth`` all the time."""
    if _FILE.fullmatch(value):
        return not _cases_mix(value)
    match = _PATH.fullmatch(value)
    if match is None or ("/" not in value and "\\" not in value):
        return False
    if not (match["root"] or _EXTENSION.search(value) or _SLUG.fullmatch(value)):
        return False
    return not any(_is_key_like(part) for part in re.split(r"[/\\]", value))


def _is_key_like(part: str) -> bool:
    """True for a stretch of base64 between two slashes, which only looks like a directory."""
    return len(part) >= _KEY_LIKE and all(any(map(kind, part)) for kind in (str.isdigit, str.isupper, str.islower))
