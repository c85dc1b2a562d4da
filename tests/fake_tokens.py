"""Secrets of every published format, made at run time from a seeded generator.

They are valid in form, worth nothing, and invisible to the scanners that watch repositories.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"

Maker = Callable[[random.Random], str]


def of(rng: random.Random, alphabet: str, length: int) -> str:
    """So many characters of an alphabet."""
    return "".join(rng.choices(alphabet, k=length))


def _prefixed(prefix: str, alphabet: str, length: int) -> Maker:
    return lambda rng: prefix + of(rng, alphabet, length)


def _jwt(rng: random.Random) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": of(rng, ALNUM, 8), "iat": rng.randrange(10**9)}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, of(rng, URLSAFE, 43)])


def pem(rng: random.Random) -> str:
    """A private key in its armour."""
    kind = rng.choice(["", "RSA ", "EC ", "OPENSSH "])
    lines = [of(rng, ALNUM + "+/", 64) for _ in range(6)]
    return "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"])


TOKENS: dict[str, Maker] = {
    "anthropic": _prefixed("sk-ant-api03-", URLSAFE, 80),
    "openai": _prefixed("sk-", ALNUM, 48),
    "openai project": _prefixed("sk-proj-", URLSAFE, 80),
    "aws id": _prefixed("AKIA", string.ascii_uppercase + "234567", 16),
    "aws session id": _prefixed("ASIA", string.ascii_uppercase + "234567", 16),
    "github": lambda rng: rng.choice(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]) + of(rng, ALNUM, 36),
    "github fine-grained": lambda rng: f"github_pat_{of(rng, ALNUM, 22)}_{of(rng, ALNUM, 59)}",
    "gitlab": _prefixed("glpat-", URLSAFE, 20),
    "slack": lambda rng: f"xox{rng.choice('bp')}-{of(rng, string.digits, 12)}-{of(rng, ALNUM, 24)}",
    "google": _prefixed("AIza", URLSAFE, 35),
    "stripe": lambda rng: rng.choice(["sk_live_", "rk_live_"]) + of(rng, ALNUM, 24),
    "twilio": _prefixed("SK", HEX, 32),
    "sendgrid": lambda rng: f"SG.{of(rng, URLSAFE, 22)}.{of(rng, URLSAFE, 43)}",
    "mailgun": _prefixed("key-", HEX, 32),
    "npm": _prefixed("npm_", ALNUM, 36),
    "pypi": _prefixed("pypi-AgEI", URLSAFE, 80),
    "docker": _prefixed("dckr_pat_", URLSAFE, 27),
    "huggingface": _prefixed("hf_", string.ascii_letters, 34),
    "databricks": _prefixed("dapi", HEX, 32),
    "digitalocean": _prefixed("dop_v1_", HEX, 64),
    "telegram": lambda rng: f"{rng.randrange(10**8, 10**10)}:AA{of(rng, URLSAFE, 33)}",
    "discord": lambda rng: f"MT{of(rng, ALNUM, 22)}.{of(rng, URLSAFE, 6)}.{of(rng, URLSAFE, 38)}",
    "shopify": _prefixed("shpat_", HEX, 32),
    "linear": _prefixed("lin_api_", ALNUM, 40),
    "notion": lambda rng: rng.choice(["secret_", "ntn_"]) + of(rng, ALNUM, 43),
    "sentry": _prefixed("sntrys_eyJ", ALNUM, 60),
    "grafana": lambda rng: f"glsa_{of(rng, ALNUM, 32)}_{of(rng, HEX, 8)}",
    "grafana cloud": _prefixed("glc_eyJ", ALNUM + "+/", 60),
    "vault": _prefixed("hvs.", URLSAFE, 90),
    "age": _prefixed("AGE-SECRET-KEY-1", string.ascii_uppercase + string.digits, 58),
    "jwt": _jwt,
}
"""Recognised by their value: masked in any surroundings."""
