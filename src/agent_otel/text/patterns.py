"""What the published secret formats look like, one line each.

Knows the formats that can be recognised by their value alone; ``context`` knows the secrets that only their neighbours
give away. A format is added by adding one line.

Every pattern is anchored at a literal, has no unbounded quantifier inside a quantifier, and where it reads without
bound it cannot start again inside what it read. So no text makes it read the same characters over and over, and masking
takes time linear in the text. Prefixes and lengths follow the issuers' documentation; lengths are lower bounds, because
issuers lengthen their tokens.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from agent_otel.text.span import Span


class Rule(NamedTuple):
    """One secret format.

    ``literal`` stands in every text the rule can match. ``hint`` matches somewhere in every such text too; it begins
    with a literal character that is rare in ordinary text, because the matcher skips to a literal at the speed of
    memchr. The only group of ``regex`` is what gets masked; without one, the whole match.
    """

    kind: str
    literal: str
    hint: str
    regex: str


_START = r"(?<![A-Za-z0-9])"
_UNDERSCORE = "_[A-Za-z0-9]{16}"  # rare in names, present in nearly every token that has a prefix ending in "_"


def _rule(kind: str, literal: str, rest: str, hint: str = _UNDERSCORE) -> Rule:
    """A format that is a literal prefix followed by ``rest``."""
    return Rule(kind, literal, hint, _START + re.escape(literal) + rest)


_PEM_BODY = r"(?:[^-]{0,200}-(?!-)){0,8}[^-]*"  # the bounded part lets the Proc-Type and DEK-Info headers through
_PEM_NAME = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"

TOKEN_RULES: tuple[Rule, ...] = (
    # No end line is needed: a key that was cut is still a key.
    Rule("private-key", "-----BEGIN", "-----BEGIN",
         f"-----BEGIN {_PEM_NAME}{_PEM_BODY}(?:-----END {_PEM_NAME})?"),
    _rule("anthropic-key", "sk-ant-", r"[\w-]{10,}", "-(?<=sk-)ant-"),
    _rule("openai-key", "sk-", r"(?:proj|svcacct|admin|None|or-v1|lf)-[\w-]{16,}",
          "-(?<=sk-)(?:proj|svcacct|admin|None|or-v1|lf)-"),
    _rule("openai-key", "sk-", r"(?=[A-Za-z]{0,40}[0-9])[A-Za-z0-9]{20,}", "-(?<=sk-)[A-Za-z0-9]{20}"),
    _rule("aws-key-id", "AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])", "AKIA[A-Z0-9]{4}"),
    _rule("aws-key-id", "ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])", "ASIA[A-Z0-9]{4}"),
    _rule("aws-bedrock-key", "ABSK", r"[A-Za-z0-9+/=]{40,}", "ABSK[A-Za-z0-9+/]{4}"),
    _rule("github-token", "ghp_", r"[A-Za-z0-9]{16,}"),
    _rule("github-token", "gho_", r"[A-Za-z0-9]{16,}"),
    _rule("github-token", "ghu_", r"[A-Za-z0-9]{16,}"),
    _rule("github-token", "ghs_", r"[A-Za-z0-9]{16,}"),
    _rule("github-token", "ghr_", r"[A-Za-z0-9]{16,}"),
    _rule("github-token", "github_pat_", r"\w{22,}", "_(?<=github_)pat_"),
    _rule("gitlab-token", "glpat-", r"[\w.-]{16,}", "-(?<=glpat-)"),
    _rule("slack-token", "xox", r"[abeoprs]-[A-Za-z0-9-]{10,}", "-(?<=xox[abeoprs]-)"),
    _rule("slack-token", "xapp-", r"[A-Za-z0-9-]{10,}", "-(?<=xapp-)"),
    Rule("slack-webhook", "hooks.slack.com", r"\.slack\.com",
         r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/+-]{16,})"),
    Rule("discord-webhook", "/api/webhooks/", r"\.com/api/webhooks/",
         r"\.com/api/webhooks/\d{5,25}/([\w-]{20,})"),
    _rule("google-api-key", "AIza", r"[\w-]{30,}", "AIza"),
    _rule("google-oauth-token", "ya29.", r"[\w.-]{20,}", r"\.(?<=ya29\.)"),
    _rule("google-oauth-secret", "GOCSPX-", r"[\w-]{20,}", "-(?<=GOCSPX-)"),
    _rule("stripe-key", "sk_live_", r"[A-Za-z0-9]{16,}"),
    _rule("stripe-key", "rk_live_", r"[A-Za-z0-9]{16,}"),
    _rule("stripe-key", "sk_test_", r"[A-Za-z0-9]{16,}"),
    _rule("stripe-key", "whsec_", r"[A-Za-z0-9+/=]{20,}", "_(?<=whsec_)"),
    _rule("twilio-key", "SK", r"[0-9a-f]{32}(?![0-9a-zA-Z])", "SK[0-9a-f]{6}"),
    _rule("sendgrid-key", "SG.", r"[\w-]{16,}\.[\w-]{16,}", r"\.(?<=SG\.)[\w-]{6}"),
    _rule("mailgun-key", "key-", r"[0-9a-f]{32}(?![0-9a-zA-Z])", "-(?<=key-)[0-9a-f]{6}"),
    _rule("npm-token", "npm_", r"[A-Za-z0-9]{30,}"),
    _rule("pypi-token", "pypi-", r"[\w-]{30,}", r"-(?<=pypi-)[\w-]{12}"),
    _rule("docker-token", "dckr_pat_", r"[\w-]{20,}", "_(?<=dckr_)pat_"),
    _rule("huggingface-token", "hf_", r"[A-Za-z0-9]{30,}"),
    _rule("databricks-token", "dapi", r"[0-9a-f]{32}(?:-\d)?(?![0-9a-zA-Z])", "dapi[0-9a-f]{6}"),
    _rule("digitalocean-token", "dop_v1_", r"[0-9a-f]{32,}"),
    Rule("telegram-token", ":AA", r":AA[\w-]{8}", r"(?<![0-9])[0-9]{8,10}:AA[\w-]{30,}"),
    Rule("discord-token", ".", r"\.[\w-]{6}\.[\w-]{27}",
         r"(?<![\w-])[MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,45}(?![\w-])"),
    _rule("shopify-token", "shpat_", r"[0-9a-fA-F]{32,}"),
    _rule("shopify-token", "shpss_", r"[0-9a-fA-F]{32,}"),
    _rule("linear-key", "lin_api_", r"[A-Za-z0-9]{30,}"),
    _rule("notion-token", "secret_", r"(?=[A-Za-z]{0,42}[0-9])[A-Za-z0-9]{40,}"),
    _rule("notion-token", "ntn_", r"[A-Za-z0-9]{30,}"),
    _rule("sentry-token", "sntrys_", r"[\w+/=-]{20,}", "_(?<=sntrys_)"),
    _rule("sentry-token", "sntryu_", r"[0-9a-f]{32,}"),
    _rule("grafana-token", "glsa_", r"[A-Za-z0-9]{20,}(?:_[0-9a-f]{8})?"),
    _rule("grafana-token", "glc_", r"[A-Za-z0-9+/=]{30,}", "_(?<=glc_)[A-Za-z0-9+/=]{16}"),
    _rule("vault-token", "hvs.", r"[\w-]{20,}", r"\.(?<=hvs\.)[\w-]{6}"),
    _rule("vault-token", "hvb.", r"[\w-]{20,}", r"\.(?<=hvb\.)[\w-]{6}"),
    _rule("age-key", "AGE-SECRET-KEY-1", r"[A-Z0-9]{20,}", "-(?<=AGE-)SECRET-KEY-1"),
    # The lookbehind covers the token's whole alphabet, so a run of "eyJeyJeyJ" is read once.
    Rule("jwt", "eyJ", r"\.eyJ[\w-]{6}", r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    Rule("jwt", "eyJ", r"\.[\w-]{16,22}\.[\w-]{8}",  # encrypted: header.key.vector.text.tag
         r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]*\.[\w-]{16,22}\.[\w-]{8,}\.[\w-]{8,}"),
)  # fmt: skip


class Group(NamedTuple):
    """The rules whose hints begin with the same character, and the one scan that says whether any of them can match."""

    hint: re.Pattern[str]
    rules: tuple[Rule, ...]


def _grouped(rules: tuple[Rule, ...]) -> tuple[Group, ...]:
    by_first: dict[str, list[Rule]] = {}
    for rule in rules:
        by_first.setdefault(rule.hint[: 2 if rule.hint.startswith("\\") else 1], []).append(rule)
    return tuple(Group(_joined(first, group), tuple(group)) for first, group in by_first.items())


def _joined(first: str, rules: list[Rule]) -> re.Pattern[str]:
    """One expression for all hints of a group, the first character pulled out so that the matcher can skip to it."""
    rests = dict.fromkeys(rule.hint[len(first) :] for rule in rules)
    return re.compile(f"{first}(?:{'|'.join(rests)})")


TOKEN_GROUPS = _grouped(TOKEN_RULES)
"""The prefilter: a text is scanned once for each of a few characters, not once for each of the rules."""

_SHORTEST_TOKEN = 15
_SHORT_TEXT = 500
_ANY_HINT = re.compile("|".join(group.hint.pattern for group in TOKEN_GROUPS))


def find_tokens(text: str) -> list[Span]:
    """The secrets in ``text`` that have a published format, in no particular order."""
    spans: list[Span] = []
    # One scan costs less than seven where a text is short, and more where it is long.
    if len(text) < _SHORTEST_TOKEN or (len(text) < _SHORT_TEXT and _ANY_HINT.search(text) is None):
        return spans
    for hint, rules in TOKEN_GROUPS:
        if hint.search(text) is not None:
            for rule in rules:
                if rule.literal in text:
                    regex = _compiled(rule.regex)
                    group = 1 if regex.groups else 0
                    spans += [Span(*match.span(group), rule.kind) for match in regex.finditer(text)]
    return spans


@cache
def _compiled(regex: str) -> re.Pattern[str]:
    """Compiled when first needed: most programs never meet most formats, and start faster."""
    return re.compile(regex)
