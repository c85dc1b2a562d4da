"""Whether a value standing beside a secret-looking name is a secret, or evidence that must survive.

A name such as ``token`` is followed by a secret in a log line and by a variable, a count or a verdict nearly everywhere
else. The rules here name the harmless cases; what is left is masked.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_STATUS = """
    pass passed fail failed failure error errors ok okay skipped xfail xpass true false none null nil undefined yes no on off
    required optional enabled disabled invalid valid missing expired revoked rotated set unset empty string str int integer
    bool boolean bytes number float object array list dict any secretstr text default redacted masked hidden filtered removed
    omitted placeholder unknown incorrect mismatch wrong accepted rejected denied granted changed unchanged updated created
    deleted found read write readonly admin-only basic bearer digest negotiate ntlm oauth oauth2 jwt token password secret
    header query cookie body form env environment file path stdin prompt input value test never always inherit auto
    unauthorized forbidden authenticated anonymous public private internal external
"""
_HARMLESS_WORDS = frozenset(_STATUS.split())

_PLACEHOLDER = re.compile(
    r"""(?x)
      \$\{.* | \$\(.* | \$[A-Za-z_]\w*\$? | %\([^)]*\)s | %\w+%? | \{.* | <.* | \*+ | [xX]{3,} | \.{2,}.* | …+ | -+ | _+
    | \[.* | \(.* | [@#&|>!=~]?
    | (?:env|vault|ssm|op|secretref|file|arn|https?|git|ssh)(?:@|:).*
    | (?:os|process|self|cls|this|args|ctx|config|cfg|settings|options|opts|params|request|req|secrets|env)\b[.\[(].*
    """,
    re.DOTALL,
)
_CODE = re.compile(r"[A-Za-z_][\w.]*(?:\(|\[|\.[A-Za-z_]+$|->|::).*", re.DOTALL)
_WORDS = re.compile(r"[A-Za-z_]+")
_NUMBER = re.compile(r"[+-]?[0-9][0-9_,]*(?:\.[0-9]+)?(?:[a-zA-Zµ%]{1,3})?")
_NAME_INSIDE = re.compile(r"pass(?:wor|w|phrase|code)|pwd|secret|token|credential|auth|key|cookie", re.IGNORECASE)
_SLUG = re.compile(r"[a-z]+[0-9]{0,3}(?:[-_./:][a-z]*[0-9.]{0,4}){0,12}")
_FILE = re.compile(r"(?:[A-Za-z]:\\|~?/|\.{1,2}/)?[\w@+~. -]*(?:[/\\][\w@+~. -]+)*\.[A-Za-z]{1,5}(?::[0-9]{1,6})*")
_ABSOLUTE = re.compile(r"(?:~|\.{1,2})?/(?:[\w@+~.-]{1,24}/)*[\w@+~.-]{0,24}")

SHORTEST = 8
"""A value of fewer characters beside a name such as ``token`` is an identifier or a status, not a secret."""


class Beside(NamedTuple):
    """How a value stands beside its name.

    ``strong`` names (password, client_secret) are followed by secrets of any shape; the others need a value that looks
    random. ``plural`` names count things. ``code`` says that the surroundings read like a program's source.
    """

    strong: bool = True
    plural: bool = False
    quoted: bool = True
    code: bool = False


def is_secret(value: str, beside: Beside) -> bool:
    """True unless the value is a placeholder, a reference, a verdict, a path or a count."""
    if value.lower() in _HARMLESS_WORDS or _PLACEHOLDER.fullmatch(value) or _is_path(value):
        return False
    if _NUMBER.fullmatch(value):
        return beside.strong and not beside.plural and len(value) >= 4  # noqa: PLR2004 - the shortest PIN
    if beside.quoted:
        return beside.strong or looks_random(value)
    if _CODE.fullmatch(value):
        return False
    if _WORDS.fullmatch(value) and (beside.code or _NAME_INSIDE.search(value)):
        return False
    return beside.strong or looks_random(value)


def looks_random(value: str) -> bool:
    """True when letters and digits mix as they do in generated keys and not in names, versions and paths."""
    if len(value) < SHORTEST or _SLUG.fullmatch(value):
        return False
    digits = sum(character.isdigit() for character in value)
    upper = sum(character.isupper() for character in value)
    lower = sum(character.islower() for character in value)
    return (digits > 0 and upper + lower > 0) or min(upper, lower) * 10 >= 3 * len(value)


def _is_path(value: str) -> bool:
    """True for file names and paths, which tools print beside names such as ``auth`` all the time."""
    return bool(_FILE.fullmatch(value) or _ABSOLUTE.fullmatch(value))
