"""Secrets in headers and URLs: ``Authorization``, ``Cookie``, ``user:password@host``, signed query strings.

Only the secret part is masked; scheme, user, host and the names of cookies are evidence. Each finder is given a text
and the same text in lower case, position for position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from agent_otel.text.span import Span
from agent_otel.text.values import Beside, is_secret, looks_random

_OPENING = r"[\\\"'\]]{0,8}\s{0,4}[:=,]\s{0,4}[\\\"']{0,8}"  # between a header's name and its value, in any notation
_AUTHORIZATION = re.compile(
    rf"auth(?:orization)?{_OPENING}(?:bearer|basic|token|apikey|api-key|bot)[ \t]{{1,4}}"
    r"(?P<secret>[^\s\"'`,;&\\]{1,4096})"
)
_BEARER = re.compile(r"bearer(?<![a-z0-9]bearer)[ \t]{1,4}(?P<secret>[\w.~+/=-]{16,})")
_COOKIE = re.compile(rf"cookie{_OPENING}(?P<pairs>[^\"'\\\r\n]{{1,8192}})")
_COOKIE_PAIR = re.compile(r"(?P<name>(?<![\w.-])[\w.-]{1,80})=(?P<secret>[^;,\s]{8,4096})")
_COOKIE_ATTRIBUTES = frozenset(("path", "domain", "expires", "max-age", "samesite", "priority", "version"))
_URL_PASSWORD = re.compile(r"://[^\s/:@\"'<>\\]{0,256}:(?P<secret>[^\s/\"'<>\\]{1,512})@")
_URL_TOKEN = re.compile(r"://(?P<secret>[^\s/:@\"'<>\\]{20,256})@")
_SIGNATURE = re.compile(r"=(?:(?<=[?&;\"'\s]sig=)|(?<=signature=))(?P<secret>[\w%+/=-]{20,512})")
_CURL_USER = re.compile(r"-(?:u|-user|-proxy-user)[ =\"']{1,3}[^\s:\"'@]{1,128}:(?P<secret>[^\s\"']{1,256})")
_AWS_SECRET = re.compile(r"(?<![\w/+=.-])(?P<secret>[A-Za-z0-9/+]{40})(?![\w/+=.-])")
_KEY_CHANGES = 15  # a random key of 40 characters has about 26 changes of kind, a camel-cased path about ten


def find_authorizations(text: str, folded: str) -> Iterator[Span]:
    """The credentials behind the scheme of an ``Authorization`` header."""
    return _credentials(_AUTHORIZATION, folded, text, "authorization")


def find_bearers(text: str, folded: str) -> Iterator[Span]:
    """The tokens behind the word ``Bearer``, wherever it stands."""
    return _random(_BEARER, folded, text, "bearer-token")


def find_cookies(text: str, folded: str) -> Iterator[Span]:
    """The values in ``Cookie`` and ``Set-Cookie`` headers that are long enough for a session."""
    for match in _COOKIE.finditer(folded):
        for pair in _COOKIE_PAIR.finditer(text, *match.span("pairs")):
            if pair["name"].lower() not in _COOKIE_ATTRIBUTES and is_secret(pair["secret"], Beside()):
                yield Span(*pair.span("secret"), "cookie")


def find_url_secrets(text: str, _folded: str) -> Iterator[Span]:
    """The password, or the token in the user's place, of URLs and connection strings."""
    yield from _credentials(_URL_PASSWORD, text, text, "url-password")
    yield from _random(_URL_TOKEN, text, text, "url-token")


def find_signatures(text: str, folded: str) -> Iterator[Span]:
    """The signatures of signed URLs (Azure, AWS, Google Cloud): whoever has one can fetch the resource."""
    return _random(_SIGNATURE, folded, text, "signature")


def find_curl_users(text: str, _folded: str) -> Iterator[Span]:
    """The password of ``curl -u user:password``."""
    return _credentials(_CURL_USER, text, text, "password")


def find_aws_secrets(text: str, _folded: str) -> Iterator[Span]:
    """The forty random characters of an AWS secret key, which has no prefix; only for texts that speak of AWS."""
    for match in _AWS_SECRET.finditer(text):
        if _alternates(match["secret"]):
            yield Span(*match.span("secret"), "aws-secret-key")


def _credentials(pattern: re.Pattern[str], searched: str, text: str, kind: str) -> Iterator[Span]:
    for match in pattern.finditer(searched):
        start, end = match.span("secret")
        if is_secret(text[start:end], Beside()):
            yield Span(start, end, kind)


def _random(pattern: re.Pattern[str], searched: str, text: str, kind: str) -> Iterator[Span]:
    for match in pattern.finditer(searched):
        start, end = match.span("secret")
        if looks_random(text[start:end]):
            yield Span(start, end, kind)


def _alternates(value: str) -> bool:
    """True when the kinds of character alternate as in a random key, and not as in a path or a camel-cased name."""
    kinds = [(c.isdigit(), c.isupper(), c.islower()) for c in value]
    changes = sum(kind != following for kind, following in pairwise(kinds))
    return changes >= _KEY_CHANGES and all(map(any, zip(*kinds, strict=True)))
