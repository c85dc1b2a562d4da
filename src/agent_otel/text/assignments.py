r"""Secrets beside their names: ``DB_PASSWORD=...``, ``"api_key": "..."``, ``--token ...``.

Knows which names look secret, and where a value starts and ends in source text, shell, JSON (also inside a JSON string,
where a quote reads ``\"``), YAML and connection strings. ``values`` decides whether what stands there is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from agent_otel.text.span import Span
from agent_otel.text.values import SHORTEST, Beside, is_secret

SUFFIX = (
    r"(?P<plural>s)?"
    r"(?:[_-](?:key|base|value|prod|production|dev|staging|live|old|new|primary|secondary)|[_-]?[0-9]{1,2}){0,3}"
)
SEPARATOR = r"\\{0,7}[\"'`]?\]?(?P<gap>[ \t]{0,8})(?P<separator>=>|:=|[!=]==?|[:=](?![:=]))[ \t]{0,8}"  # not "::"
WORDS = (
    # Each begins at its rarest letters, because the matcher skips to a literal at the speed of memchr.
    r"w(?:ord(?<=password)|d(?<=passwd)|d(?<=pwd))",
    r"phrase(?<=passphrase)",
    r"k(?:ey|en(?<=token))",
    r"cr(?:et(?<=secret)|edential)",
)
AUTH = r"auth(?:orization)?"
_ASSIGNMENTS = tuple(re.compile(f"(?P<word>{word}){SUFFIX}{SEPARATOR}") for word in (*WORDS, f"(?<![a-z]){AUTH}"))
_KEY_OF = re.compile(
    r"(?:api|access|secret|private|account|signing|encryption|auth|master|service|shared|storage|session|deploy|client"
    r"|license|app|application|ssh|sas)[_-]?$"
)
_SECRET_OF = re.compile(r"(?:client|app|consumer|shared|signing|webhook)[_-]?se$")
_ALWAYS, _NEVER = re.compile(""), re.compile("(?!)")
_MEANINGS = {
    # What was matched of the word: what the marker calls it, and what stands before it when any value is a secret.
    "word": ("password", _ALWAYS),
    "wd": ("password", _ALWAYS),
    "phrase": ("password", _ALWAYS),
    "key": ("key", _KEY_OF),
    "ken": ("token", _NEVER),
    "cret": ("secret", _SECRET_OF),
    "credential": ("credential", _NEVER),
    "auth": ("credential", _NEVER),
    "authorization": ("credential", _NEVER),
}
_SCHEME = re.compile(r"(?:\\{0,7}[\"'])?(?:bearer|basic|token|apikey|api-key|bot)[ \t]")
_LONGEST_QUALIFIER = 16
_LONGEST_NAME = 64

_QUOTED = re.compile(r"(?P<open>\\{0,7}[\"'`])(?P<value>[^\n]{0,4096}?)(?<!\\)(?P=open)")
# A quote that never closes was cut off.
_BARE = re.compile(r"(?:\\{0,7}[\"'`])?(?P<value>[^\s\"'`,;&\\]{1,1024})")
_BLOCK = re.compile(
    r"[|>][-+]?[ \t]*\n(?P<indent>[ \t]+)(?P<value>[^\s][^\n]{0,512}(?:\n(?P=indent)[^\n]{0,512}){0,40})"
)
_FLAG = re.compile(r"--(?P<name>(?<![\w-]--)[A-Za-z][\w-]{0,60})(?:\s{1,8}|\\{0,7}[\"'],\s{0,80}(?=\\{0,7}[\"']))")
_FLAG_WORD = re.compile(r"--[A-Za-z][\w-]{0,60}")
_NOT_OPENING = (")", ",", "]", "}", ":", " ")  # the quote before one of these closes an earlier string


def named(name: str) -> Beside | None:
    """How a value of this name is to be judged; ``None`` when the name does not look secret."""
    return _named(name[-_LONGEST_NAME:].lower())


def is_flag(word: str) -> bool:
    """Whether an argument is a command line flag whose value, if it has one, is the next argument."""
    return word.startswith("--") and _FLAG_WORD.fullmatch(word) is not None


@lru_cache(maxsize=1024)  # the names of attributes, fields and flags recur
def _named(name: str) -> Beside | None:
    assigned = name + "="
    for pattern in _ASSIGNMENTS:
        for match in pattern.finditer(assigned):
            if match.end() == len(assigned) and (beside := _judged(assigned, match)):
                return beside
    return None


def find_assigned(text: str, folded: str) -> Iterator[Span]:
    """The secrets that stand behind a secret-looking name and a separator.

    Args:
        text: what to look at.
        folded: the same text in lower case, position for position.
    """
    for pattern in _ASSIGNMENTS:
        if pattern.search(folded) is None:  # quicker than an iterator that finds nothing
            continue
        done = 0
        for match in pattern.finditer(folded):
            beside = _judged(folded, match) if match.start() >= done else None
            if beside is not None:
                code = bool(match["gap"]) or match["separator"] not in ("=", ":")
                if span := _value(text, match.end(), beside._replace(code=code)):
                    yield span
                    done = span.end  # what it holds is masked already; reading it again would take quadratic time


def find_flagged(text: str, _folded: str) -> Iterator[Span]:
    """The secrets that stand behind a secret-looking command line flag, in shell or in a JSON list of arguments.

    A flag joined to its value by an equals sign is an assignment.
    """
    for match in _FLAG.finditer(text):
        beside = named(match["name"])
        if beside is not None and not text.startswith("-", match.end()) and (span := _value(text, match.end(), beside)):
            yield span


def _judged(folded: str, match: re.Match[str]) -> Beside | None:
    """What the name says about the value; ``None`` for names such as ``monkey`` and ``cache_key``."""
    kind, qualifier = _MEANINGS[match["word"]]
    if match["word"].startswith("auth") and _SCHEME.match(folded, match.end()):
        return None  # the finder of headers knows where the scheme ends
    strong = qualifier.search(folded[max(match.start() - _LONGEST_QUALIFIER, 0) : match.start()]) is not None
    if kind == "key" and not strong:
        return None
    return Beside(kind, strong=strong, plural=match["plural"] is not None)


def _value(text: str, start: int, beside: Beside) -> Span | None:
    """The value at ``start``, if it is a secret."""
    match = _QUOTED.match(text, start)
    if match is None or match["value"].startswith(_NOT_OPENING):
        match = _BLOCK.match(text, start)
    if match is not None:
        first, last = match.span("value")
        beside = beside._replace(quoted=True)
    elif match := _BARE.match(text, start):
        first, last = match.start("value"), _trimmed(text, *match.span("value"))
        beside = beside._replace(quoted=False, code=beside.code or _in_source(text, first, last))
    else:
        return None
    return Span(first, last, beside.kind) if first < last and is_secret(text[first:last], beside) else None


def _in_source(text: str, first: int, last: int) -> bool:
    """True when a bare value stands as an argument, or behind a colon as a type or a word of a sentence."""
    following = text[last : last + 1]
    if following in ("(", ")", "[", "]", ","):
        return True
    is_scalar = following in ("", "\n", "\r") and text[first:last].islower() and last - first >= SHORTEST  # of YAML
    return not is_scalar and text[max(first - 2, 0) : first].strip() == ":"


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a bare value without the brackets that close around it, or the colon of a block."""
    value = text[start:end]
    return end if any(bracket in value for bracket in "([{<") else start + len(value.rstrip(":)]}>"))
