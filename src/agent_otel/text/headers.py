"""Secrets in headers and URLs: ``Authorization``, ``Cookie``, ``user:password@host``, signed query strings.

Only the secret part is masked; scheme, user, host and the names of cookies are evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_otel.text.span import Span
from agent_otel.text.values import Beside, is_secret, looks_random

_OPENING = r"[\\\"'\]]{0,8}\s{0,4}[:=,]\s{0,4}[\\\"']{0,8}"  # between a header's name and its value, in any notation
_AUTHORIZATION = re.compile(
    rf"auth(?:orization)?{_OPENING}(?P<scheme>bearer|basic|token|apikey|api-key|bot|digest|aws4-hmac-sha256)[ \t]{{1,4}}"
)
_SPREAD_SCHEMES = ("digest", "aws4-hmac-sha256")  # their secrets are spread over the line; the others are one word
_WORD = re.compile(r"[^\s\"'`,;&\\]{1,4096}")
_LINE = re.compile(r"[^\r\n\"'\\]{1,4096}")
_BEARER = re.compile(r"bearer(?<![a-z0-9]bearer)[ \t]{1,4}(?P<secret>[\w.~+/=-]{16,})")
_COOKIE = re.compile(rf"cookie{_OPENING}(?P<pairs>[^\"'\\\r\n]{{1,8192}})")
_COOKIE_PAIR = re.compile(r"(?P<name>(?<![\w.-])[\w.-]{1,80})=(?P<secret>[^;,\s]{8,4096})")
_COOKIE_ATTRIBUTES = frozenset(("path", "domain", "expires", "max-age", "samesite", "priority", "version"))
_URL_PASSWORD = re.compile(r"://(?P<user>[^\s/:@\"'<>\\]{0,256}):(?P<secret>[^\s/\"'<>\\]{1,512})@")
_URL_TOKEN = re.compile(r"://(?P<secret>[^\s/:@\"'<>\\]{20,256})@")
_SIGNATURE = re.compile(r"=(?:(?<=[?&;\"'\s]sig=)|(?<=signature=))(?P<secret>[\w%+/=-]{20,512})")
_CURL_USER = re.compile(r"-(?:u|-user|-proxy-user)[ =\"']{1,3}[^\s:\"'@]{1,128}:(?P<secret>[^\s\"']{1,256})")
_AWS_SECRET = re.compile(r"(?<![\w/+=.-])(?P<secret>[A-Za-z0-9/+]{40})(?![\w/+=.-])")
_KEY_CHANGES = 12  # a random key of 40 characters has about 26 changes of kind, a camel-cased path about eight


def find_in_headers(text: str, folded: str) -> Iterator[Span]:
    """The credentials in ``Authorization``, ``Cookie`` and ``Set-Cookie`` headers, in any notation.

    Args:
        text: what to look at.
        folded: the same text in lower case, position for position.
    """
    for match in _AUTHORIZATION.finditer(folded):
        value = (_LINE if match["scheme"] in _SPREAD_SCHEMES else _WORD).match(text, match.end())
        if value and is_secret(value[0], Beside()):
            yield Span(*value.span(), "authorization")
    for match in _COOKIE.finditer(folded):
        for pair in _COOKIE_PAIR.finditer(text, *match.span("pairs")):
            if pair["name"].lower() not in _COOKIE_ATTRIBUTES and is_secret(pair["secret"], Beside()):
                yield Span(*pair.span("secret"), "cookie")


def find_bearer(text: str, folded: str) -> Iterator[Span]:
    """The tokens behind the word ``Bearer`` wherever it stands."""
    for match in _BEARER.finditer(folded):
        start, end = match.span("secret")
        if looks_random(text[start:end]):
            yield Span(start, end, "bearer-token")


def find_in_urls(text: str) -> Iterator[Span]:
    """The password, or the token in a user's place, of URLs and connection strings."""
    for match in _URL_PASSWORD.finditer(text):
        if is_secret(match["secret"], Beside()):
            yield Span(*match.span("secret"), "url-password")
    for match in _URL_TOKEN.finditer(text):
        if looks_random(match["secret"]):
            yield Span(*match.span("secret"), "url-token")


def find_signatures(text: str, folded: str) -> Iterator[Span]:
    """The signatures of signed URLs (Azure, AWS, Google Cloud): whoever has one can fetch the resource."""
    for match in _SIGNATURE.finditer(folded):
        start, end = match.span("secret")
        if looks_random(text[start:end]):
            yield Span(start, end, "signature")


def find_curl_users(text: str) -> Iterator[Span]:
    """The password of ``curl -u user:password``."""
    for match in _CURL_USER.finditer(text):
        if "curl" in text and is_secret(match["secret"], Beside()):
            yield Span(*match.span("secret"), "password")


def find_aws_secrets(text: str) -> Iterator[Span]:
    """The forty random characters of an AWS secret key, which have no prefix; only for texts that speak of AWS."""
    for match in _AWS_SECRET.finditer(text):
        if _alternates(match["secret"]):
            yield Span(*match.span("secret"), "aws-secret-key")


def _alternates(value: str) -> bool:
    """True when the kinds of character alternate as in a random key, and not as in a path or a camel-cased name."""
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" if c.islower() else "s" for c in value]
    changes = sum(kind != following for kind, following in zip(kinds, kinds[1:], strict=False))
    return changes >= _KEY_CHANGES and {"d", "u", "l"} <= set(kinds)
