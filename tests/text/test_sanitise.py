"""Any Python value becomes a valid attribute value, and nothing raises."""

from __future__ import annotations

import enum
import json
import math
from collections import OrderedDict, UserDict

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.text.sanitise import attribute_value, clean, printed


class Unprintable:
    """Raises when shown."""

    def __repr__(self):
        raise RuntimeError


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class BadList(list):
    """Cannot be walked."""

    def __iter__(self):
        raise RuntimeError


class BadMapping(UserDict):
    """Cannot be walked either."""

    def items(self):
        """Fails as a lazy mapping might."""
        raise RuntimeError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("é", "é"),
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\udc80\0", "\ufffd\ufffd"),
    ],
)
def test_text_is_repaired(text, expected):
    """Lone surrogates and NUL become the replacement character; a pair of surrogates becomes its character."""
    assert clean(text) == expected


def test_good_text_is_not_copied():
    """The common case costs nothing."""
    text = "pytest -q é"
    assert clean(text) is text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (7, 7),
        (2**63 - 1, 2**63 - 1),
        (2**63, str(2**63)),
        (-(2**63), -(2**63)),
        (1 << 5000, hex(1 << 5000)),
        (1.5, 1.5),
        (math.inf, math.inf),
        ("a\ud800", "a\ufffd"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (b"text", "text"),
        (bytearray(b"\xff"), "/w=="),
        (memoryview(b"\xc3\xa9"), "é"),
        (None, "None"),
        ([], []),
        ([1, None, 2], [1, 2]),
        (("a", "b"), ["a", "b"]),
        ([1, "a", None, {"k": None}], ["1", "a", '{"k": null}']),
        ([1, True], ["1", "true"]),
        ([[1, 2], [3]], ["[1, 2]", "[3]"]),
        ({"a": [1, {"b": b"c"}]}, '{"a": [1, {"b": "c"}]}'),
        ({1: 2}, '{"1": 2}'),
        ({3}, "[3]"),
        (Unprintable(), "<unprintable Unprintable>"),
        ({"x": Unprintable()}, '{"x": "<unprintable Unprintable>"}'),
        (BadList([1]), "[1]"),
        (BadMapping(a=1), '"<unprintable BadMapping>"'),
        (OrderedDict(a=1), '{"a": 1}'),
    ],
)
def test_values_become_attributes(value, expected):
    """Each kind of value has one form that OpenTelemetry accepts."""
    result = attribute_value(value)
    assert result == expected
    assert type(result) is type(expected)


def test_nan_is_kept():
    """OTLP has doubles that are not numbers."""
    assert math.isnan(attribute_value(math.nan))


def test_cycles_and_depth_are_bounded():
    """A structure that contains itself, or goes down without end, ends in an ellipsis."""
    loop: dict[str, object] = {}
    loop["self"] = [loop]
    assert attribute_value(loop) == '{"self": ["…"]}'
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert "…" in attribute_value({"deep": deep})


def test_width_is_bounded():
    """A huge container or repr does not become a huge attribute."""
    assert len(json.loads(attribute_value({"a": list(range(10_000))}))["a"]) == 128
    assert len(printed(range(3)) + printed(bytearray(10_000))) < 1100


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]))
    | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=[])) | st.integers(), inner)
    ),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=200)
def test_every_value_becomes_valid(value):
    """The result is a scalar or a list of one kind, in range, and can be encoded."""
    result = attribute_value(value)
    items = result if isinstance(result, list) else [result]
    assert len({type(item) for item in items}) <= 1
    for item in items:
        assert type(item) in (str, bool, int, float)
        if type(item) is int:
            assert -(2**63) <= item < 2**63
        if type(item) is str:
            assert "\0" not in item
            item.encode("utf-8")
