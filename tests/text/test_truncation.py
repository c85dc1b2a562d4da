"""Cut text keeps head, tail, size and digest, within its limit and on whole characters."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.text.truncation import tail, truncate

TEXTS = st.text(st.characters() | st.sampled_from("a\u0301\u200d\U0001f469\U0001f4bb\ufe0fé"), max_size=300)


@given(TEXTS, st.integers(-5, 400), st.floats(0, 1))
@settings(max_examples=200)
def test_limit_digest_and_characters_hold(text, limit, head):
    """The result fits the limit, is made of whole characters of the text, and describes the original exactly."""
    data = text.encode("utf-8", "replace")
    result = truncate(text, limit, head=head)
    assert result.characters == len(text)
    assert result.size == len(data)
    assert result.cut == (len(data) > max(limit, 0) or len(data) > limit)
    if not result.cut:
        assert (result.text, result.sha256) == (text, "")
        return
    assert len(result.text.encode()) <= max(limit, 0)
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert "\ufffd" not in result.text or "\ufffd" in data.decode()


def test_the_middle_goes_and_says_so():
    """Head and tail stay; the marker tells how much is gone and the digest of the whole."""
    text = "collected 812 items\n" + "." * 3000 + "\n1 failed, 811 passed"
    result = truncate(text, 200)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert result.text.startswith("collected 812 items\n")
    assert result.text.endswith("\n1 failed, 811 passed")
    assert f" bytes cut, sha256 {digest[:12]}…]…" in result.text
    head, _, last = result.text.partition("…[")
    cut, _, end = last.partition(" bytes cut")
    kept = len(head) + len(end.partition("]…")[2])
    assert int(cut.replace(" ", "")) == len(text) - kept


def test_a_tail_keeps_the_end():
    """The last line of a tool's output is what a verdict rests on."""
    result = tail("x" * 5000 + "\nok: 12 passed", 100)
    assert result.text.startswith("…[4 ")
    assert result.text.endswith("\nok: 12 passed")
    assert len(result.text.encode()) <= 100


def test_a_limit_below_the_marker_keeps_the_end():
    """Where the marker does not fit, the end of the text takes its place."""
    assert truncate("a" * 90 + "é", 3).text == "aé"
    assert truncate("abc", 0).text == ""
    assert truncate("abc", -1).text == ""


@pytest.mark.parametrize("cluster", ["e\u0301", "\U0001f469\u200d\U0001f4bb", "\u2764\ufe0f"])
def test_what_a_reader_sees_as_one_character_is_not_split(cluster):
    """Combining marks, variation selectors and joined emoji stay with what they belong to."""
    for limit in range(60, 120):
        head, _, rest = truncate(cluster * 200, limit).text.partition("…[")
        last = rest.partition("]…")[2]
        assert head == cluster * (len(head) // len(cluster))
        assert last == cluster * (len(last) // len(cluster))


def test_a_run_of_marks_without_end_is_cut_all_the_same():
    """A text of nothing but combining marks does not make the cut look for its beginning forever."""
    result = truncate("a" + "\u0301" * 500, 200)
    assert len(result.text.encode()) <= 200
    assert result.cut
