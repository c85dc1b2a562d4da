"""What the masker hides, what it leaves, and how it behaves when something goes wrong."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.errors import SettingsError
from agent_otel.text.redaction import FAILED, Masker

MASKER = Masker(key=b"a key for tests")
MARKER = re.compile(r"\[REDACTED:[a-z0-9-]+:[0-9a-f]{8}\]")

# Fakes, put together so that no line of this file looks like a secret to a scanner.
ANTHROPIC = "sk-" + "ant-api03-" + "Fake0" * 10
AWS_SECRET = "wJalrXUtnFEMI" + "/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
GITHUB = "ghp" + "_" + "Fake1" * 7 + "x"
JWT = "eyJ" + "hbGciOiJub25lIn0" + "." + "eyJ" + "zdWIiOiJmYWtlIn0" + "." + "ZmFrZXNpZ25hdHVyZQ"
URL_PASSWORD = "planted" + "-" + "Pa55word"
PASSWORD = "hunter2" + "-planted"
API_KEY = "fake" + "-api-key-" + "000111222"

PLANTED = {
    "positional argument": (ANTHROPIC, ANTHROPIC),
    "AWS secret key": (AWS_SECRET, f"AWS_SECRET_ACCESS_KEY={AWS_SECRET}"),
    "GitHub token": (GITHUB, f"created {GITHUB}"),
    "bearer": (JWT, f"curl -sH 'Authorization: Bearer {JWT}' https://api.example.com"),
    "URL credentials": (URL_PASSWORD, f"git push https://ci:{URL_PASSWORD}@git.example.com/a.git main"),
    "password": (PASSWORD, json.dumps({"password": PASSWORD})),
    "api key": (API_KEY, json.dumps({"api_key": API_KEY})),
}

FORMS = {
    "text": str,
    "lines": lambda text: f"before\n{text}\nafter",
    "JSON": lambda text: json.dumps({"output": text}),
    "JSON in JSON": lambda text: json.dumps([json.dumps({"output": text})]),
    "repr": repr,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("planted", PLANTED)
def test_planted_secrets_are_masked_in_every_form(planted, form):
    """The seven secrets that other tracing SDKs leak do not survive in any field form."""
    secret, text = PLANTED[planted]
    masked, count = MASKER.mask(FORMS[form](text))
    assert count >= 1
    assert secret not in masked


def test_planted_secrets_are_masked_in_values():
    """A structured value keeps its shape and loses its secrets, wherever they stand."""
    value = {
        "args": [ANTHROPIC, "-v"],
        "result": (f"aws {AWS_SECRET}", GITHUB),
        "shell": PLANTED["bearer"][1].encode(),
        "nested": {"credentials": {"password": PASSWORD, "api_key": API_KEY}},
        "argv": ["deploy", "--password", URL_PASSWORD, "--verbose", "now"],
        "count": 3,
    }
    masked, count = MASKER.mask_value(value)
    assert count == 7
    assert not any(secret in repr(masked) for secret, _ in PLANTED.values())
    assert isinstance(masked["result"], tuple)
    assert isinstance(masked["shell"], bytes)
    assert masked["argv"][3:] == ["--verbose", "now"]
    assert masked["count"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "pytest tests/test_auth.py -q",
        "FAILED tests/test_password_reset.py::test_token - AssertionError",
        "test_password=passed",
        "max_tokens=4096",
        "input_tokens: 88213",
        'secret = os.environ["X"]',
        "token=token",
        "password=None",
        "${{ secrets.X }}",
    ],
)
def test_evidence_survives_as_the_same_object(text):
    """What a reviewer needs is returned untouched, without a copy."""
    masked, count = MASKER.mask(text)
    assert masked is text
    assert count == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"password={PASSWORD} next", "password=[] next"),
        ("DB_PASSWORD=admin1", "DB_PASSWORD=[]"),
        ("password: correcthorse\nuser: x", "password: []\nuser: x"),
        ("client_secret: |\n  line one\n  line two\nnext: 1", "client_secret: |\n  []\nnext: 1"),
        ('{"password": "with \\"quotes\\" inside"}', '{"password": "[]"}'),
        ('"password": "cut in the midd', '"password": "[] in the midd'),
        ("(user=x, password=abc123)", "(user=x, password=[])"),
        ("pin password: 8231", "pin password: []"),
        ("x --token abcdef12345 y", "x --token [] y"),
        ("x --token --verbose", "x --token --verbose"),
        ("Cookie: theme=dark; sid=0123abcd4567; b=1", "Cookie: theme=dark; sid=[]; b=1"),
        ("Set-Cookie: sid=0123abcd4567; Path=/long/path/here", "Set-Cookie: sid=[]; Path=/long/path/here"),
        ('Authorization: Digest username="x"', 'Authorization: Digest username="x"'),
        ("Authorization: AWS4-HMAC-SHA256 Signature=" + "0a1b" * 16, "Authorization: AWS4-HMAC-SHA256 Signature=[]"),
        ("Authorization: Basic dXNlcjpmYWtl", "Authorization: Basic []"),
        ("sent bearer 0123456789abcdefgh", "sent bearer []"),
        ("postgres://u:p@ss@h/db", "postgres://u:[]@h/db"),
        ("https://0123456789abcdef0123@h/x", "https://[]@h/x"),
        ("https://h/c?sv=1&sig=abcDEF0123456789abcDEF%3D&x=1", "https://h/c?sv=1&sig=[]&x=1"),
        ("curl -u me:abc123 https://h", "curl -u me:[] https://h"),
        ("curl -u $ME:$PASSWORD https://h", "curl -u $ME:$PASSWORD https://h"),
        (f"aws: {AWS_SECRET}", "aws: []"),
        ("aws: " + "src/components/Header/NavigationBarItem1", "aws: src/components/Header/NavigationBarItem1"),
        ("token=" + "QwErTyUiOpAsDfGhJk", "token=[]"),
        ("token=C:\\Users\\dev\\token.txt", "token=C:\\Users\\dev\\token.txt"),
        ("token=/Ab1" + "Cd2Ef3Gh4Ij5/x", "token=[]"),
        ("password=1.5", "password=1.5"),
        ('{"Authorization": "Bearer abc123def456"}', '{"Authorization": "Bearer []"}'),
        ('assert body["token"] == "abc123def456"', 'assert body["token"] == "[]"'),
        ("if token != expected: raise", "if token != expected: raise"),
        ("https://h/c?sig=plain-words-are-no-signature", "https://h/c?sig=plain-words-are-no-signature"),
        ("api_key=example.py", "api_key=example.py"),
        ("İpassword=abc123", "İpassword=[]"),
    ],
)
def test_only_the_secret_is_replaced(text, expected):
    """The marker takes the place of the value alone; name, quotes and neighbours stay."""
    masked, _ = MASKER.mask(text)
    assert MARKER.sub("[]", masked) == expected


def test_equal_secrets_have_equal_markers_under_one_key_only():
    """The hash correlates a secret within one key, and says nothing under another."""
    one, _ = MASKER.mask(f"a {GITHUB}")
    two, _ = MASKER.mask(f"GITHUB_TOKEN={GITHUB}")
    other, _ = Masker(key=b"another key").mask(f"a {GITHUB}")
    assert MARKER.search(one)[0] == MARKER.search(two)[0]
    assert MARKER.search(one)[0].startswith("[REDACTED:github-token:")
    assert MARKER.search(one)[0] != MARKER.search(other)[0]


def test_known_secrets_are_masked_wherever_they_stand():
    """Exact values go first and longest first; overlapping occurrences leave no rest; tiny values are ignored."""
    masker = Masker(key=b"k", secrets=["swordfish", "swordfish-long", "abab", "", "x"])
    masked, count = masker.mask("a swordfish-long, x, xswordfishx, ababab")
    assert MARKER.sub("[]", masked) == "a [], x, x[]x, []"
    assert count == 3


def test_extra_patterns_mask_their_group_or_their_match():
    """A user's pattern masks the group named secret if it has one; empty matches are nothing."""
    masker = Masker(key=b"k", extra_patterns=[r"badge (?P<secret>\d+)", re.compile(r"ACME-\w+"), "q*"])
    masked, count = masker.mask("badge 4711 and ACME-zz")
    assert MARKER.sub("[]", masked) == "badge [] and []"
    assert count == 2


def test_a_wrong_extra_pattern_is_a_settings_error():
    """The message names the pattern."""
    with pytest.raises(SettingsError, match=r"\(unclosed"):
        Masker(key=b"k", extra_patterns=["(unclosed"])


class BrokenPattern:
    """Passes for a compiled pattern and fails when used."""

    groupindex: Mapping[str, int] = {}

    def finditer(self, _text):
        """Fails as a pattern of another engine might."""
        raise RuntimeError


def test_a_failing_masker_hides_the_whole_text():
    """When anything inside fails nothing of the text is known to be safe."""
    broken = Masker(key=b"k", extra_patterns=[BrokenPattern()])
    assert broken.mask("harmless") == (FAILED, 1)
    assert broken.mask_value({"a": ["harmless"]}) == ({FAILED: [FAILED]}, 2)
    assert MASKER.mask(None) == (FAILED, 1)


class BrokenMapping(dict):
    """A mapping that cannot be walked."""

    def items(self):
        """Fails as a lazy mapping might."""
        raise OSError


def test_a_value_that_cannot_be_walked_is_hidden():
    """A mapping whose methods raise is replaced, and the program goes on."""
    assert MASKER.mask_value(BrokenMapping(a=1)) == (FAILED, 1)


def test_text_that_never_settles_is_hidden():
    """A pattern that keeps finding secrets in what is left ends in a hidden text, not in an endless loop."""
    greedy = Masker(key=b"k", extra_patterns=[r"\w$"])
    assert greedy.mask("abcdefghijklmnop") == (FAILED, 9)


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("password", "abc", True),
        ("db.password", b"abc", True),
        ("token", "plain-words", True),
        ("access_tokens", "4096", False),
        ("token", "required", False),
        ("gen_ai.usage.input_tokens", 88213, False),
        ("secret", None, False),
        ("api_keys", ["abcdef", "ghijkl"], True),
        ("cache_key", "abc", False),
        ("password", "[REDACTED:password:00000000]", False),
        ("", "abc", False),
    ],
)
def test_a_value_under_a_secret_name_is_masked_whole(name, value, masked):
    """The name decides for scalars and lists of scalars; counts, placeholders and masked values stay."""
    safe, count = MASKER.mask_value(value, name=name)
    assert bool(count) == masked
    assert (safe == value) != masked


@pytest.mark.parametrize("value", [["a", "--token", "--verbose"], ("b",), {"a": ["b"], 1: None}, b"c", 4, None])
def test_harmless_values_are_the_same_object(value):
    """A value without secrets is not copied."""
    masked, count = MASKER.mask_value(value)
    assert masked is value
    assert count == 0


def test_secrets_in_keys_are_masked():
    """A mapping's key can hold a secret as well as its value."""
    masked, count = MASKER.mask_value({GITHUB: 1, 2: "x"})
    assert count == 1
    assert GITHUB not in repr(masked)


@given(st.text() | st.text(st.sampled_from("abpaswordtokenkey=:\"'\\ \n-/@{}$123ABC[]"), max_size=200))
@settings(max_examples=200)
def test_masking_is_idempotent(text):
    """Masking what was masked changes nothing, whatever the text."""
    masked, _ = MASKER.mask(text)
    assert MASKER.mask(masked) == (masked, 0)


_PEM = "-----BEGIN PRIVATE KEY-----"
ADVERSARIAL = [
    *("password=", 'password="', "password='\"", "token=token", 'token="a', "api_key: |\n  ", "--password ", "--pwd="),
    *("--", "----", _PEM, "-----BEGIN ", "eyJ", "eyJaaaaaaaa.", "eyJ-", "sk-", "sk-ant-", "ghp_", "SG.", "AKIA"),
    *("://", "://a:", "://a:b", "a@", "cookie:", "cookie: a=", "authorization: ", "bearer ", "bearer a", "curl -u a:"),
    *("aws ", "a", "A", "0", "/", "\\", '\\\\"', '"', "'", "=", ":", ".", "-", "_", " ", "\n", "é", "\ud800"),
    *("secret.", "token.1-", "key_", "api_key-1-1", "auth: a.", "passwordpasswordpassword", "[REDACTED:", "xoxb-"),
    *("password=[REDACTED:password:00000000]", "https://user:hunter22@h ", GITHUB + " ", '"a": "password=x1y2z3", '),
]  # fmt: skip


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_masking_takes_linear_time(unit):
    """A megabyte of anything costs at most some sixteen times a sixteenth of it; nothing backtracks."""
    small, large = (unit * (size // len(unit)) for size in (1 << 16, 1 << 20))
    spent_small, spent_large = min(_seconds(small), _seconds(small)), _seconds(large)
    assert spent_large < max(16 * 4 * spent_small, 0.5), (spent_small, spent_large)
    assert spent_large < 20


def _seconds(text: str) -> float:
    started = time.perf_counter()
    MASKER.mask(text)
    return time.perf_counter() - started
