"""Which values of an environment count as secrets."""

from __future__ import annotations

import base64

import pytest

from agent_otel.text.redaction import Masker, secret_values

FAKE = 'fake "value"/for\ntests+1'


def test_every_form_of_a_secret_is_masked():
    """Plain, JSON-escaped, base64 and URL-encoded forms do not survive."""
    masker = Masker(key=b"k", secrets=secret_values({"SERVICE_TOKEN": FAKE}))
    encoded = FAKE.encode()
    forms = [
        FAKE,
        r"fake \"value\"/for\ntests+1",
        base64.b64encode(encoded).decode(),
        base64.urlsafe_b64encode(encoded).decode(),
        "fake%20%22value%22%2Ffor%0Atests%2B1",
        "fake+%22value%22%2Ffor%0Atests%2B1",
    ]
    for form in forms:
        assert masker.mask(f"<{form.rstrip('=')}>")[0].startswith("<[REDACTED:known-secret:"), form


def test_values_come_longest_first():
    """A value that contains another is masked before it."""
    values = secret_values({"A_SECRET": "12345678-abcdefgh", "DB_PASSWORD": "abcdefgh-1"})
    assert list(map(len, values)) == sorted(map(len, values), reverse=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOME", "/home/somebody/with-a-long-name"),
        ("EDITOR", "a-long-value-1234"),
        ("API_TOKEN", "short1"),
        ("TOKEN_FILE", "/run/secrets/token"),
        ("AUTH_ENABLED", "disabled"),
        ("MAX_TOKENS", "100000000"),
        ("SSH_AUTH_SOCK", "/run/user/1000/agent.1"),
        ("PWD", "/srv/project/checkout"),
        ("SECRET_REF", "${vault:some/path}"),
        ("CREDENTIALS_URL", "https://vault.example.com/v1"),
    ],
)
def test_harmless_values_stay_out(name, value):
    """Masking a path, a number or a common word everywhere would destroy evidence."""
    assert secret_values({name: value}) == ()
