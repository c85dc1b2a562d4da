"""G15: hostile text is shown, and does nothing, in a terminal and in Markdown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.text.markdown import code, fenced, inline
from agent_otel.text.terminal import printable, uncommanding

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x9b2J\x8d",
    "over\rwritten",
    "back\b\b\b\b",
    "admin\u202e\u2066// check\u2069\u2066",
    "zero\u200bwidth\ufeff",
    "line\u2028separator\u2029",
    "tag\U000e0041",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/?leak)",
    "`code` ``more``",
    "```\n<b>out of the fence</b>\n```",
    "~~~\nout\n~~~",
    "| cell | break |",
    "# heading",
    "- item\n- item",
    "1. item",
    "12) item",
    "> quote",
    "@octocat please",
    "closes #1, example/project#2",
    "https://evil.example www.evil.example",
    "&lt;b&gt; &#60;",
    "**bold** _it_ ~~gone~~ $x^2$",
    "---",
    "===",
    "\\`escaped\\`",
    "    indented",
    "",
]
TEXTS = st.text(st.characters(exclude_categories=[]) | st.sampled_from("`|<>@#[]\\\n\r\x1b\u202e~ "), max_size=60)


def _controls(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c != "\n"]


@given(TEXTS)
@settings(max_examples=200)
def test_no_control_reaches_the_terminal(text):
    """Nothing that moves, hides or reorders text is left; line feeds only where they are wanted."""
    assert not _controls(printable(text, keep_newlines=True))
    assert not _controls(printable(text))
    assert "\n" not in printable(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\tb", "a b"),
        ("a\nb\r", r"a\nb\r"),
        ("\x9b", r"\x9b"),
        ("\u202e", r"\u202e"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("é 漢 ✓", "é 漢 ✓"),
    ],
)
def test_controls_are_shown_as_escapes(text, expected):
    """A reader sees what was there; ordinary text of any script is untouched."""
    assert printable(text) == expected


@given(TEXTS)
@settings(max_examples=200)
def test_inline_text_means_nothing_but_itself(text):
    """No markup character stands without an escape, on one line without controls."""
    shown = inline(text)
    assert "\n" not in shown
    assert not _controls(shown)
    assert not any(character in shown for character in "<>|@$")
    unescaped = shown.replace("\\\\", "")
    for character in "`*_[]()~!":
        assert unescaped.count(character) == unescaped.count("\\" + character)


@given(TEXTS)
@settings(max_examples=200)
def test_a_fence_is_longer_than_any_inside(text):
    """The block ends where its own fence says, not where the text does."""
    lines = fenced(text, language="py`thon\n").split("\n")
    fence = lines[-2]
    assert lines[-1] == ""
    assert lines[0] == fence + "python"
    assert set(fence) == {"`"}
    assert not any(fence in line for line in lines[1:-2])


@given(TEXTS)
@settings(max_examples=200)
def test_a_code_span_is_closed_by_its_own_fence(text):
    """The span is one line, not empty, safe in a table cell, and as long as the text."""
    shown = code(text)
    assert "\n" not in shown
    assert not _controls(shown)
    assert "|" not in shown
    if not shown.startswith("<code>"):
        fence = shown[: len(shown) - len(shown.lstrip("`"))]
        assert fence
        assert shown.endswith(fence)
        inner = shown[len(fence) : -len(fence)]
        assert inner
        assert fence not in inner.strip(" ") or len(fence) < 1
    else:
        assert "<" not in shown.removeprefix("<code>").removesuffix("</code>")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_everywhere(text):
    """Known attacks leave no control, no HTML and no live markup behind."""
    assert not _controls(printable(text))
    shown = inline(text)
    assert "<" not in shown
    assert "@" not in shown
    assert "](" not in shown
    assert not shown.startswith(("#", "- ", ">", "=", "    ", "1. ", "12) "))
    assert "://" not in shown
    assert not code(text).startswith("<s")
    assert "\x1b" not in fenced(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "` `"),
        ("ls", "`ls`"),
        ("`ls`", "`` `ls` ``"),
        (" x", "`  x `"),
        ("a|`<b>", "<code>a&#124;&#96;&lt;b&gt;</code>"),
    ],
)
def test_code_spans_read_as_written(text, expected):
    """The shortest form that shows the text exactly is used."""
    assert code(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask @octocat", "ask &#64;&#8203;octocat"),
        ("me@evil.example", "me&#64;&#8203;evil.example"),
        ("closes #1, !2, GH-3", "closes &#35;&#8203;1, \\!&#8203;2, GH&#8203;\\-3"),
        ("https://evil.example", "https&#58;&#8203;//evil.example"),
        ("www.evil.example", "www&#8203;.evil.example"),
        ("~bug %next &4 $5", "\\~&#8203;bug %&#8203;next &amp;&#8203;4 &#36;&#8203;5"),
        ("R&D at 50% # 3", "R&amp;D at 50% &#35; 3"),
    ],
)
def test_nothing_is_a_reference_once_the_markup_is_gone(text, expected):
    """Forges look for mentions, references and addresses in what was rendered, where escapes are undone."""
    assert inline(text) == expected


def test_markup_between_code_tags_is_text():
    """Tags do not keep Markdown out, as backticks do."""
    assert code("a|[x](//e)") == "<code>a&#124;&#91;x&#93;&#40;&#47;&#47;e&#41;</code>"
    assert "www." not in code("|www.evil.example")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("a\n  ::error::x\n::b", "a\n  \\x3a:error::x\n\\x3a:b"),
        ("a ::error::x", "a ::error::x"),
        (": x\n std::move", ": x\n std::move"),
    ],
)
def test_no_line_begins_as_a_command_of_a_job(text, told):
    """What a step prints is read for commands; elsewhere in a line two colons are only that."""
    assert uncommanding(text) == told
