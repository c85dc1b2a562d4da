"""The quick look at encoded telemetry: what it lets through holds no secret."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from agent_otel.text.redaction import Masker
from agent_otel.text.suspicion import Suspicion

PIECES = (
    *("password", "PASSWD", "pwd", "passphrase", "api_key", "token", "tokens", "client_secret", "credential", "auth"),
    *("=", ":", ": ", '"', "\\", "'", " ", "\n", "--", "-", "_", "&", "@", "://", "]", "[", "=>", "!=", "x", "ü"),
    *("Bearer ", "Authorization: ", "Cookie: a=", "curl -u a:", "?sig=", "aws ", "AKIA", "user:"),
    *("Hunter2Hunter2", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7aB3dE6gH9jK2m", "f4k3" * 6, "12345678", "true"),
    *("ghp" + "_" + "Fake1" * 8, "sk" + "-ant-" + "fake" * 8, "xox" + "b-" + "1fake" * 4),
)
"""What secrets and their surroundings are made of, to be put together in any way."""

TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map("".join)
MASKER = Masker(key=b"")


@given(name=TEXTS, value=TEXTS)
def test_nothing_that_would_be_masked_passes(name, value):
    """A text under a name, a list of words, a mapping: if the masker finds something, the bytes are suspicious."""
    words = value.split(" ")
    plain = AnyValue(string_value=value)
    several = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=word) for word in words]))
    inner = AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=name, value=plain)]))
    for encoded, found in (
        (KeyValue(key=name, value=plain), MASKER.mask_value(value, name=name)),
        (KeyValue(key=name, value=several), MASKER.mask_value(words, name=name)),
        (KeyValue(key="x", value=inner), MASKER.mask_value({name: value})),
    ):
        assert not found[1] or Suspicion()(encoded.SerializeToString())


@pytest.mark.parametrize(
    "value",
    [
        "",
        "pytest tests/test_app.py -q",
        "1 failed, 41 passed",
        "src/routes/invite/page.ts",
        "https://example.com/a?b=1",
    ],
)
def test_ordinary_texts_are_not_suspicious(value):
    """Nobody decodes what is nothing but work."""
    entry = KeyValue(key="gen_ai.tool.call.arguments", value=AnyValue(string_value=value))
    assert not Suspicion()(entry.SerializeToString())


def test_numbers_under_names_that_look_secret_are_not_suspicious():
    """Every call of a model counts its tokens."""
    entry = KeyValue(key="gen_ai.usage.input_tokens", value=AnyValue(int_value=12_000))
    assert not Suspicion()(entry.SerializeToString())


def test_values_that_are_known_to_be_secret_are():
    """Wherever they stand."""
    suspicious = Suspicion(["plain words", "more"])
    assert suspicious(b"some plain words here")
    assert not suspicious(b"some other words here")
