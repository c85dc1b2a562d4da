"""G14: what share of secrets is masked, and what share of ordinary output survives."""

from __future__ import annotations

import base64
import json
import random
import shlex
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from agent_otel.text.redaction import Masker
from agent_otel.text.suspicion import Suspicion
from fake_tokens import ALNUM, HEX, TOKENS, Maker, of, pem

_INNOCENT = Path(__file__).parent.parent / "data" / "redaction" / "innocent.txt"
_ROUNDS = 12

NAMED: dict[str, tuple[str, Maker]] = {
    "aws secret": ("aws_secret_access_key", lambda rng: of(rng, ALNUM + "+/", 40)),
    "azure account": ("AccountKey", lambda rng: of(rng, ALNUM + "+/", 86) + "=="),
    "password": ("password", lambda rng: of(rng, ALNUM + "!^*_.", 14)),
    "database password": ("DB_PASSWORD", lambda rng: of(rng, ALNUM, 10)),
    "api key": ("api_key", lambda rng: of(rng, HEX, 32)),
    "client secret": ("clientSecret", lambda rng: of(rng, ALNUM + "~.-_", 40)),
    "access token": ("ACCESS_TOKEN", lambda rng: of(rng, ALNUM, 24)),
    "uuid key": ("x-api-key", lambda rng: str(uuid.UUID(int=rng.getrandbits(128)))),
    "secret": ("webhook_secret", lambda rng: of(rng, ALNUM, 20)),
    "credential": ("credential", lambda rng: of(rng, ALNUM, 20)),
}
"""Recognised by the name beside them."""


def _traceback(line: str) -> str:
    return f'Traceback (most recent call last):\n  File "app.py", line 7, in main\n    connect()\nValueError: {line}'


ANYWHERE: dict[str, Callable[[str], str]] = {
    "argument": lambda s: f"deploy {s} --region eu-west-1",
    "argument list": lambda s: json.dumps(["deploy", s, "-v"]),
    "shell": lambda s: f"TARGET={shlex.quote(s)} make deploy && echo done",
    "json": lambda s: json.dumps({"user": "ci", "value": s}),
    "nested json": lambda s: json.dumps({"body": json.dumps({"inner": {"value": s}})}),
    "yaml": lambda s: f"services:\n  app:\n    value: {s}\n    port: 80\n",
    "url query": lambda s: f"GET https://api.example.com/v1/items?v={s}&page=2 200",
    "url user": lambda s: f"git clone https://x-access-token:{s}@git.example.com/a/b.git",
    "header": lambda s: f"Authorization: Bearer {s}",
    "log line": lambda s: f"2026-01-02T03:04:05Z INFO rotated {s}, 3 left",
    "traceback": lambda s: _traceback(f"rejected '{s}'"),
    "repr": lambda s: f"Client(base='https://x', value={s!r}, retries=3)",
}

BESIDE: dict[str, Callable[[str, str], str]] = {
    "environment": lambda n, s: f"{n}={s} make deploy",
    "quoted environment": lambda n, s: f'export {n}="{s}"',
    "flag": lambda n, s: f"deploy --{n.replace('_', '-')} {s} --verbose",
    "flag with =": lambda n, s: f"deploy --{n.replace('_', '-')}={s} --verbose",
    "argument list": lambda n, s: json.dumps(["deploy", f"--{n.replace('_', '-')}", s, "-v"]),
    "json": lambda n, s: json.dumps({"user": "ci", n: s, "port": 80}),
    "indented json": lambda n, s: json.dumps({"user": "ci", n: s, "port": 80}, indent=2),
    "nested json": lambda n, s: json.dumps({"body": json.dumps({"inner": {n: s}})}),
    "twice nested json": lambda n, s: json.dumps({"a": json.dumps({"b": json.dumps({n: s})})}),
    "yaml": lambda n, s: f"db:\n  {n}: {s}\n  port: 80\n",
    "quoted yaml": lambda n, s: f"db:\n  {n}: '{s}'\n  port: 80\n",
    "ini": lambda n, s: f"[db]\n{n} = {s}\nport = 80\n",
    "url query": lambda n, s: f"GET https://api.example.com/v1?{n}={quote(s, safe='')}&page=2 200",
    "connection string": lambda n, s: f"Server=db;User=app;{n}={s};Timeout=5",
    "header": lambda n, s: f"POST /v1 HTTP/1.1\r\nHost: x\r\n{n}: {s}\r\n\r\n",
    "log line": lambda n, s: f"2026-01-02T03:04:05Z INFO connecting user=ci {n}={s} attempt=1",
    "traceback": lambda n, s: _traceback(f"connect(user='ci', {n}='{s}') failed"),
    "python": lambda n, s: f"client = Client(user='ci', {n.replace('-', '_')}={s!r})",
    "url": lambda n, s: f"postgres://app:{quote(s, safe='')}@db.example.com:5432/app?sslmode=require",
}


def _secret_texts() -> list[tuple[str, str, str]]:
    """A label, a secret, and a text that holds it: every format in every surrounding, several times."""
    rng = random.Random(20260102)
    texts = []
    for _ in range(_ROUNDS):
        for label, make in TOKENS.items():
            texts += [(f"{label} / {where}", secret := make(rng), put(secret)) for where, put in ANYWHERE.items()]
        for label, (name, make) in NAMED.items():
            for where, beside in BESIDE.items():
                secret = make(rng)
                texts.append((f"{label} / {where}", secret, beside(name, secret)))
    return texts


def _made_innocent() -> list[str]:
    """Lines that look random and are no secrets: digests, ids, images, minified code, lock files."""
    rng = random.Random(7)
    lines = []
    for _ in range(12):
        digest = of(rng, HEX, 64)
        image = base64.b64encode(rng.randbytes(300)).decode()
        lines += [
            f"commit {of(rng, HEX, 40)}",
            f"sha256:{digest}  dist/app-1.2.3.tar.gz",
            f"    --hash=sha256:{digest} \\",
            f'      "integrity": "sha512-{base64.b64encode(rng.randbytes(64)).decode()}",',
            f"run {uuid.UUID(int=rng.getrandbits(128))} finished in {rng.random():.3f}s",
            f"![chart](data:image/png;base64,{image})",
            f'checksum = "{digest}"',
            f"golang.org/x/net v0.33.0 h1:{base64.b64encode(rng.randbytes(32)).decode()}",
            f"index {of(rng, HEX, 7)}..{of(rng, HEX, 7)} 100644",
            f"#{rng.randrange(20)} sha256:{digest} 1.5kB / 1.5kB done",
            f"!function(e,t){{var n=e.token,r=t[{rng.randrange(99)}];return n?r(n):t.auth(e,{rng.random()})}}(a,b);",
            f"traceparent: 00-{of(rng, HEX, 32)}-{of(rng, HEX, 16)}-01",
            f'ETag: W/"{of(rng, HEX, 12)}" tokens: {rng.randrange(10**6)}',
            f"tests/test_token_{rng.randrange(999)}.py::test_secret[{rng.randrange(99)}] PASSED [ 12%]",
            f"container {of(rng, HEX, 12)} started on port {rng.randrange(1024, 65536)}",
        ]
    return lines


@pytest.fixture(scope="module")
def masker() -> Masker:
    """A masker that knows no secret beforehand."""
    return Masker(key=b"corpus")


def test_recall_and_precision(masker, capsys):
    """At least 99 % of the generated secrets are masked, and at least 95 % of what is masked is a secret."""
    texts = _secret_texts()
    missed = [(label, text) for label, secret, text in texts if _leaks(secret, masker.mask(text)[0])]
    innocent = _INNOCENT.read_text(encoding="utf-8").splitlines() + _made_innocent()
    destroyed = [line for line in innocent if masker.mask(line)[1]]

    recall = 1 - len(missed) / len(texts)
    masked = len(texts) - len(missed)
    precision = masked / (masked + len(destroyed))
    survival = 1 - len(destroyed) / len(innocent)
    with capsys.disabled():
        print(  # noqa: T201 - the numbers belong into the test report
            f"\nredaction: recall {recall:.2%} of {len(texts)}, precision {precision:.2%}, "
            f"{survival:.2%} of {len(innocent)} ordinary lines untouched"
        )
    assert recall >= 0.99, missed[:10]
    assert precision >= 0.95, destroyed[:10]
    assert survival >= 0.95, destroyed[:10]


def test_the_quick_look_overlooks_nothing(masker):
    """Whatever is masked in a text is suspected in its bytes, whichever byte of the encoding stands before it."""
    suspicious = Suspicion()
    innocent = _INNOCENT.read_text(encoding="utf-8").splitlines() + _made_innocent()
    texts = [text for _, _, text in _secret_texts()] + innocent
    found = [text.encode() for text in texts if masker.mask(text)[1]]
    for before in (b"", b"\n", b"A", b"z\x12-\n-", b"\xc3\xbc"):
        assert [text for text in found if not suspicious(before + text)] == []


def _leaks(secret: str, masked: str) -> bool:
    """True when the secret, or most of it, is still to be read."""
    return any(secret[start : start + 8] in masked for start in range(max(len(secret) - 7, 1)))


@pytest.mark.parametrize("label", sorted(TOKENS))
def test_every_format_is_masked_in_every_surrounding(masker, label):
    """A format with a published shape is recognised wherever it stands, and leaves no part of itself behind."""
    rng = random.Random(label)
    secret = TOKENS[label](rng)
    for where, put in ANYWHERE.items():
        masked, count = masker.mask(put(secret))
        assert count >= 1, where
        assert not _leaks(secret, masked), (where, masked)


@pytest.mark.parametrize("put", [str, lambda s: f"key:\n{s}\ndone", lambda s: json.dumps({"a": json.dumps({"k": s})})])
def test_private_keys_are_masked_over_all_their_lines(masker, put):
    """A PEM block is masked whole, with real and with escaped line feeds."""
    rng = random.Random(3)
    for _ in range(20):
        secret = pem(rng)
        masked, _ = masker.mask(put(secret))
        assert not any(line in masked for line in secret.splitlines()), masked


def test_masking_is_idempotent_on_the_corpus(masker):
    """Masking what was masked changes nothing."""
    for _, _, text in _secret_texts()[:: _ROUNDS // 2]:
        masked, _ = masker.mask(text)
        assert masker.mask(masked) == (masked, 0)
