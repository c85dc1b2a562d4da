"""Secrets that only their neighbours give away: names and values, headers, flags, URLs.

Knows where a value starts and ends in source text, shell, JSON (also inside a JSON string), YAML, URLs and headers;
``values`` decides whether it is a secret. Each finder yields the spans to mask and takes linear time: it is anchored at a
literal and reads a bounded or non-overlapping stretch behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from agent_otel.text.values import Beside, is_secret, looks_random


class Span(NamedTuple):
    """A stretch of text to mask, and what it holds."""

    start: int
    end: int
    kind: str


_STRONG = (
    r"pass(?:word|wd|phrase|code)|pwd|(?:client|app|consumer|shared|signing|webhook)[_-]?secret"
    r"|(?:api|access|secret|private|account|signing|encryption|auth|master|service|shared|storage|session|deploy|client"
    r"|accesstoken|license|app|application|ssh|sas)[_-]?key"
)
_WEAK = r"secret|(?<![a-z])auth(?:orization)?|token|credential|(?<![a-z])pat(?![a-z])"
_SUFFIX = r"(?P<plural>s)?(?:[_-](?:key|base|value|prod|production|dev|staging|live|old|new|primary|secondary)|[_-]?[0-9]{1,2}){0,3}"
_NAME = re.compile(rf"(?P<strong>{_STRONG})?(?(strong)|(?:{_WEAK})){_SUFFIX}$")
_ASSIGNMENT = re.compile(
    rf"(?:(?P<strong>{_STRONG})|{_WEAK}){_SUFFIX}"
    r"(?P<close>\\{0,7}[\"'`]?\]?)(?P<gap>[ \t]{0,8})(?P<separator>=>|:=|[:=](?![:=]))[ \t]{0,8}"
)
_QUOTED = re.compile(r"(?P<open>\\{0,7}[\"'`])(?P<value>[^\n]{0,4096}?)(?<!\\)(?P=open)")
_BARE = re.compile(r"[^\s\"'`,;&\\]{1,4096}")
_BLOCK = re.compile(r"[|>][-+]?[ \t]*\n(?P<indent>[ \t]+)(?P<value>[^\n]+(?:\n(?P=indent)[^\n]*){0,100})")
_FLAG = re.compile(r"(?<![\w-])--(?P<name>[A-Za-z][\w-]{0,60})(?:=|\s{1,8}|\\{0,7}[\"'],\s{0,80}(?=\\{0,7}[\"']))")
_AUTHORIZATION = re.compile(
    r"(?:authorization|(?<![a-z])auth)[\\\"'\]]{0,8}\s{0,4}[:=,]\s{0,4}[\\\"']{0,8}"
    r"(?P<scheme>bearer|basic|token|apikey|api-key|bot|digest|aws4-hmac-sha256)[ \t]{1,4}"
)
_BEARER = re.compile(r"(?<![a-z0-9])bearer[ \t]{1,4}(?P<secret>[\w.~+/=-]{16,})")
_COOKIE = re.compile(
    r"(?<![a-z])(?:set-)?cookie[\\\"'\]]{0,8}\s{0,4}[:=,]\s{0,4}[\\\"']{0,8}(?P<pairs>[^\"'\\\r\n]{1,8192})"
)
_COOKIE_PAIR = re.compile(r"(?P<name>[\w.-]{1,80})=(?P<secret>[^;,\s]{8,4096})")
_COOKIE_ATTRIBUTES = frozenset(("path", "domain", "expires", "max-age", "samesite", "priority", "version"))
_URL = re.compile(r"://(?P<user>[^\s/:@\"'<>\\]{0,256}):(?P<secret>[^\s/\"'<>\\]{1,512})@")
_URL_TOKEN = re.compile(r"://(?P<secret>[^\s/:@\"'<>\\]{20,256})@")
_SIGNATURE = re.compile(r"(?<![a-z])(?:sig|x-amz-signature|x-goog-signature|signature)=(?P<secret>[\w%+/=-]{20,512})")
_CURL_USER = re.compile(
    r"(?<![\w-])(?:-u|--user|--proxy-user)[ =\"']{1,3}[^\s:\"'@]{1,128}:(?P<secret>[^\s\"']{1,256})"
)
_AWS_SECRET = re.compile(r"(?<![\w/+=.-])(?P<secret>[A-Za-z0-9/+]{40})(?![\w/+=.-])")
_PLACEHOLDER_WORDS = frozenset(("password", "pass", "passwd", "pwd", "secret", "token"))


def named(name: str) -> Beside | None:
    """How a value of this name is to be judged; ``None`` when the name does not look secret."""
    match = _NAME.search(name.lower())
    return match and Beside(strong=match["strong"] is not None, plural=match["plural"] is not None)


def find(text: str, folded: str) -> Iterator[Span]:
    """The secrets in ``text`` that their neighbours give away.

    Args:
        text: what to look at.
        folded: the same text in lower case, position for position.
    """
    if ":" in text or "=" in text:
        yield from _assignments(text, folded)
        yield from _headers(text, folded)
        yield from _urls(text, folded)
    if "--" in text:
        yield from _flags(text)
    if "bearer" in folded:
        yield from (
            _span(match, "bearer-token") for match in _BEARER.finditer(folded) if looks_random(_secret(text, match))
        )
    if "curl" in folded:
        yield from (_span(match, "password") for match in _CURL_USER.finditer(text))
    if "aws" in folded or "akia" in folded:
        yield from (
            _span(match, "aws-secret-key") for match in _AWS_SECRET.finditer(text) if _is_base64_key(match["secret"])
        )


def _secret(text: str, match: re.Match[str]) -> str:
    """What a match on the folded text holds in the text itself."""
    return text[match.start("secret") : match.end("secret")]


def _span(match: re.Match[str], kind: str) -> Span:
    return Span(match.start("secret"), match.end("secret"), kind)


def _assignments(text: str, folded: str) -> Iterator[Span]:
    for match in _ASSIGNMENT.finditer(folded):
        if match["separator"] == ":" and text.startswith("//", match.end()):
            continue
        beside = Beside(
            strong=match["strong"] is not None,
            plural=match["plural"] is not None,
            code=bool(match["gap"]) or match["separator"] != "=",
        )
        yield from _value(text, match.end(), beside)


def _flags(text: str) -> Iterator[Span]:
    for match in _FLAG.finditer(text):
        beside = named(match["name"])
        if beside is not None and not text.startswith("-", match.end()):
            yield from _value(text, match.end(), beside)


def _value(text: str, start: int, beside: Beside) -> Iterator[Span]:
    """The value at ``start`` if it is a secret."""
    if (match := _QUOTED.match(text, start)) and not match["value"].startswith((")", ",", "]", "}", ":", " ")):
        first, last, beside = match.start("value"), match.end("value"), beside._replace(quoted=True)
    elif match := _BLOCK.match(text, start):
        first, last, beside = match.start("value"), match.end("value"), beside._replace(quoted=True)
    elif match := _BARE.match(text, start):
        first, last = start, _trimmed(text, start, match.end())
        code = beside.code or text[last : last + 1] in ("(", ")", "[", "]", ",")
        beside = beside._replace(quoted=False, code=code)
    else:
        return
    if first < last and is_secret(text[first:last], beside):
        yield Span(first, last, "password" if beside.strong else "secret")


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a bare value without the brackets that close around it."""
    while end > start and text[end - 1] in ")]}>" and not any(bracket in text[start:end] for bracket in "([{<"):
        end -= 1
    return end


def _headers(text: str, folded: str) -> Iterator[Span]:
    if "auth" in folded:
        for match in _AUTHORIZATION.finditer(folded):
            # Digest and AWS4 headers spread their secrets over the line; the others are one word.
            whole_line = match["scheme"] in ("digest", "aws4-hmac-sha256")
            value = _LINE.match(text, match.end()) if whole_line else _BARE.match(text, match.end())
            if value and is_secret(value[0], Beside()):
                yield Span(match.end(), value.end(), "authorization")
    if "cookie" in folded:
        for match in _COOKIE.finditer(folded):
            for pair in _COOKIE_PAIR.finditer(text, match.start("pairs"), match.end("pairs")):
                if pair["name"].lower() not in _COOKIE_ATTRIBUTES and is_secret(pair["secret"], Beside()):
                    yield _span(pair, "cookie")


_LINE = re.compile(r"[^\r\n\"'\\]{1,4096}")


def _urls(text: str, folded: str) -> Iterator[Span]:
    if "://" in text:
        yield from (_span(m, "url-password") for m in _URL.finditer(text) if is_secret(m["secret"], _URL_BESIDE))
        yield from (_span(m, "url-token") for m in _URL_TOKEN.finditer(text) if looks_random(m["secret"]))
    if "sig" in folded:
        yield from (_span(m, "signature") for m in _SIGNATURE.finditer(folded) if looks_random(_secret(text, m)))


_URL_BESIDE = Beside()


def _is_base64_key(value: str) -> bool:
    """True when the kinds of character alternate as in a random key, and not as in a path or a camel-cased name."""
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" if c.islower() else "s" for c in value]
    changes = sum(a != b for a, b in zip(kinds, kinds[1:], strict=False))
    return changes >= 12 and {"d", "u", "l"} <= set(kinds)  # noqa: PLR2004 - camel-cased paths have about eight
